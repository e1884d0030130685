import { noHeaders } from '../common/record.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'
import { RecordCache } from '../state/record-cache.ts'
import type { TimestampedWindowStore } from '../state/window-store.ts'
import { windowKey } from '../state/window-key.ts'
import type { Aggregation } from './aggregate.ts'

/** A key and the window of time it stands for; `end` is exclusive. */
export interface Windowed<K> {
  readonly key: K
  readonly window: { readonly start: number; readonly end: number }
}

export interface WindowShape {
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/**
 * Windowed aggregate over tumbling and hopping windows. A record later than the grace period is counted as late, once
 * per window it misses: stream time is taken before the check, and a window is open while `end > streamTime − grace`
 * (reference §2.2). Only a null key is skipped; a null value reaches the aggregator, as in Kafka Streams (§0.2.1).
 */
export const windowAggregate =
  <K, V, A>(storeName: string, { sizeMs, advanceMs, graceMs }: WindowShape, { init, add }: Aggregation<K, V, A>) =>
  (): Processor<K, V, Windowed<K>, Change<A>> => {
    let context: ProcessorContext<Windowed<K>, Change<A>>
    let store: TimestampedWindowStore<K, A>
    let cache: RecordCache<Windowed<K>, A> | null = null
    let streamTimeMs = -1

    const flush = (): void =>
      cache?.flush(({ key, value, timestampMs }) => {
        if (value === null && store.fetch(key.key, key.window.start) === null) return
        if (!store.put(key.key, value, key.window.start, timestampMs)) context.drop('expired-window')
        context.forward({ key, value: { newValue: value, oldValue: null }, timestampMs, headers: noHeaders })
      })

    return {
      init(given) {
        context = given
        store = context.getStateStore(storeName)
        if (store.spec.caching) {
          cache = new RecordCache()
          context.onFlush(flush)
        }
      },
      process({ key, value, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        if (timestampMs > streamTimeMs) streamTimeMs = timestampMs
        const closeTimeMs = streamTimeMs - graceMs
        const first = Math.floor(Math.max(0, timestampMs - sizeMs + advanceMs) / advanceMs) * advanceMs
        for (let start = first; start <= timestampMs; start += advanceMs) {
          const end = start + sizeMs
          if (end <= closeTimeMs) {
            context.drop('late')
            continue
          }
          const id = cache === null ? '' : windowKey(store.keyString(key), start)
          const held = cache?.get(id)
          const old =
            held === undefined ? store.fetch(key, start) : held.value === null ? null : { ...held, value: held.value }
          const time = old === null ? timestampMs : Math.max(timestampMs, old.timestampMs)
          const after = add(old === null ? init() : old.value, value, key)
          const windowed = { key, window: { start, end } }
          if (cache !== null) {
            cache.put(id, windowed, after, time)
            continue
          }
          if (!store.put(key, after, start, time)) context.drop('expired-window')
          const change = { newValue: after, oldValue: null }
          context.forward({ key: windowed, value: change, timestampMs: time, headers })
        }
      },
    }
  }
