import type { StateStore } from 'stream-core'
import { checkFields, given, object, oneOf, type Raw, required, text, whole } from './format.ts'
import { limit } from './long-limits.ts'
import type { Context } from './processor-types.ts'
import { isTimestamped, type PlainStore } from './store-actions.ts'
import type { Value } from './values.ts'

type Schedule = (context: Context) => void

/** The `punctuate` of a processor: what it schedules in `init`. */
export function punctuation(processor: Raw): Schedule | null {
  const spec = object(processor, 'punctuate')
  if (spec === undefined) return null
  checkFields(spec, '"punctuate"', ['clock', 'intervalMs', 'startMs', 'action', 'cancelAfter'])
  const clock = required((raw, field) => oneOf(raw, field, ['stream', 'wallClock']), spec, 'clock')
  const action = required((raw, field) => oneOf(raw, field, ['tick', 'emit', 'emitAndClear']), spec, 'action')
  const intervalMs = required(limit, spec, 'intervalMs')
  const cancelAfter = whole(spec, 'cancelAfter') ?? Infinity
  const act = action === 'tick' ? tick : emitEntries(required(text, processor, 'store'), action === 'emitAndClear')
  return (context) => {
    let calls = 0
    const handle = context.schedule(
      intervalMs,
      clock === 'stream' ? 'stream-time' : 'wall-clock-time',
      (timestampMs) => {
        calls++
        act(context, timestampMs)
        if (calls >= cancelAfter) handle.cancel()
      },
      given({ startMs: limit(spec, 'startMs') }),
    )
  }
}

function tick(context: Context, timestampMs: number): void {
  const metadata = context.recordMetadata() === null ? '-' : '+'
  const value = `${timestampMs}${metadata}${context.currentStreamTimeMs()}`
  context.forward({ key: 'tick', value, timestampMs, headers: [] })
}

const emitEntries =
  (name: string, clear: boolean) =>
  (context: Context, timestampMs: number): void => {
    const store: StateStore = context.getStateStore(name)
    const isWrapped = isTimestamped(store)
    const keys: Value[] = []
    for (const [key, stored] of (store as PlainStore).all()) {
      const value = isWrapped ? (stored as unknown as { readonly value: Value }).value : stored
      context.forward({ key, value, timestampMs, headers: [] })
      keys.push(key)
    }
    if (clear) for (const key of keys) (store as PlainStore).delete(key)
  }
