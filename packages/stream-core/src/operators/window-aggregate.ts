import type { Record } from '../common/record.ts'
import type { Windowed } from '../common/windowed.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { TimestampedWindowStore } from '../state/window-store.ts'
import { EmitFinal } from './emit-final.ts'
import { forEachWindowStart, type TimeWindows, type UnlimitedWindows } from './windows.ts'
import { windowChangeForwarder, type ForwardWindowChange } from './window-change-forwarder.ts'

export interface WindowAggregateOptions<K, V, A> {
  readonly storeName: string
  readonly windows: TimeWindows | UnlimitedWindows
  readonly emitsFinal: boolean
  readonly sendsOldValues: boolean
  /** null for `reduce`: the first value is the aggregate, as it is. */
  readonly init: (() => A) | null
  readonly add: (aggregate: A, value: V, key: K) => A | null
}

/**
 * Windowed aggregate over tumbling, hopping and unlimited windows. A record later than the grace period is counted as late,
 * once per window it misses: stream time is taken before the check, and a window is open while `end > streamTime − grace`
 * (reference §2.2). Only a null key is skipped; a null value reaches the aggregator, as in Kafka Streams (§0.2.1).
 */
export const windowAggregate =
  <K, V, A>(options: WindowAggregateOptions<K, V, A>) =>
  (): Processor<K, V, Windowed<K>, Change<A>> => {
    const { storeName, windows, emitsFinal, sendsOldValues, init, add } = options
    const sizeMs = windows.kind === 'unlimited' ? Number.POSITIVE_INFINITY : windows.sizeMs
    const graceMs = windows.kind === 'unlimited' ? 0 : windows.graceMs
    let context: EngineContext<Windowed<K>, Change<A>>
    let store: TimestampedWindowStore<K, A>
    let forward: ForwardWindowChange<K, A>
    let final: EmitFinal | null = null
    let streamTimeMs = -1

    // One function for all records, and none for each.
    let current: Record<K, V>
    const update = (start: number): void => {
      if (start + sizeMs <= streamTimeMs - graceMs) return context.drop('late')
      const { key, value, timestampMs, headers } = current
      const old = store.fetch(key, start)
      const time = old === null ? timestampMs : Math.max(timestampMs, old.timestampMs)
      let oldValue: A | null = null
      let after: A | null
      if (old !== null) {
        if (sendsOldValues) oldValue = store.sharesValues ? old.value : (store.fetch(key, start)?.value ?? null)
        after = add(old.value, value, key)
      } else if (init === null) {
        after = value as unknown as A
      } else {
        if (sendsOldValues) oldValue = init()
        after = add(init(), value, key)
      }
      store.put(key, after, start, time)
      if (final === null) forward(key, start, start + sizeMs, after, oldValue, time, headers)
    }

    const emitClosed = ({ headers }: Record<K, V>, closeTimeMs: number): void => {
      if (final === null || windows.kind !== 'time' || !final.isDue(closeTimeMs)) return
      const to = closeTimeMs - sizeMs
      if (to < 0) return
      const isFirst = final.lastCloseMs === -1
      const from = isFirst ? 0 : Math.max(0, final.lastCloseMs - sizeMs) + 1
      if (!isFirst && sameWindows(windows, to, from - 1)) return
      for (const [windowed, { value, timestampMs }] of store.fetchAll(from, to)) {
        const { start, end } = windowed.window
        forward(windowed.key, start, end, value, null, timestampMs, headers)
      }
      final.emitted(closeTimeMs)
    }

    return {
      init(given) {
        context = given as EngineContext<Windowed<K>, Change<A>>
        streamTimeMs = context.keepStreamTime(() => streamTimeMs)
        store = context.getStateStore(storeName)
        forward = windowChangeForwarder(context, emitsFinal ? null : store, sendsOldValues)
        if (emitsFinal) final = new EmitFinal(context, storeName)
      },
      process(record) {
        const { key, timestampMs } = record
        if (key === null || key === undefined) return context.drop('null-key')
        if (timestampMs > streamTimeMs) streamTimeMs = timestampMs
        current = record
        forEachWindowStart(windows, timestampMs, update)
        emitClosed(record, streamTimeMs - graceMs)
      },
    }
  }

/** Whether two times lie in the same windows: then nothing has closed between them. */
function sameWindows(windows: TimeWindows, a: number, b: number): boolean {
  const starts: number[][] = [[], []]
  forEachWindowStart(windows, a, (start) => starts[0]!.push(start))
  forEachWindowStart(windows, b, (start) => starts[1]!.push(start))
  return starts[0]!.length === starts[1]!.length && starts[0]!.every((start, i) => start === starts[1]![i])
}
