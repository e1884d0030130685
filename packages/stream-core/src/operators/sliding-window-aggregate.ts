import type { Record } from '../common/record.ts'
import type { Windowed } from '../common/windowed.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { ValueAndTimestamp } from '../state/key-value-store.ts'
import type { TimestampedWindowStore } from '../state/window-store.ts'
import { EmitFinal } from './emit-final.ts'
import { type ForwardWindowChange, windowChangeForwarder } from './window-change-forwarder.ts'
import type { SlidingWindows } from './windows.ts'

export interface SlidingAggregateOptions<K, V, A> {
  readonly storeName: string
  readonly windows: SlidingWindows
  readonly emitsFinal: boolean
  readonly sendsOldValues: boolean
  /** null for `reduce`: the first value is the aggregate, as it is. */
  readonly init: (() => A) | null
  readonly add: (aggregate: A, value: V, key: K) => A | null
}

/** Where Java fails; only the test driver's record cache shows what Java's does (CachingStore). */
const deletedWindow =
  'a window whose aggregate became null in this very commit is still in the record cache, where Kafka Streams fails to read it'

/** What a scan of the windows around a record found. */
interface Found<A> {
  readonly starts: Set<number>
  /** Time of the record before this one; null if none is near. */
  previousMs: number | null
  /** A window that holds what lies right of this record. */
  right: ValueAndTimestamp<A> | null
  /** The newest window that ends before this record. */
  left: ValueAndTimestamp<A> | null
  hasLeft: boolean
  hasRight: boolean
}

/**
 * Sliding windows (KStreamSlidingWindowAggregate; reference §2.5): for each record a left window `[t − d, t]`, and a right
 * one `[t + 1, t + 1 + d]` once another record falls into it; early records share `[0, d]`. A record updates every window
 * that contains it and makes those that are missing, seeded from a neighbour with the same content. The order of its
 * forwards is Java's.
 */
export const slidingWindowAggregate =
  <K, V, A>(options: SlidingAggregateOptions<K, V, A>) =>
  (): Processor<K, V, Windowed<K>, Change<A>> => {
    const { storeName, windows, emitsFinal, sendsOldValues, init, add } = options
    const { differenceMs, graceMs } = windows
    let context: EngineContext<Windowed<K>, Change<A>>
    let store: TimestampedWindowStore<K, A>
    let forward: ForwardWindowChange<K, A>
    let final: EmitFinal | null = null
    let streamTimeMs = -1
    let closeTimeMs = 0

    /** Folds the record into a window whose aggregate so far is `aggregate`; null: begin anew. */
    const update = (record: Record<K, V>, start: number, aggregate: ValueAndTimestamp<A> | null): void => {
      const { key, value, timestampMs, headers } = record
      const end = start + differenceMs
      if (end < closeTimeMs) return context.drop('late')
      let oldValue: A | null = null
      let after: A | null
      let time = timestampMs
      if (aggregate !== null) {
        if (sendsOldValues) oldValue = copyOf(key, start, aggregate)
        time = Math.max(timestampMs, aggregate.timestampMs)
        after = add(aggregate.value, value, key)
      } else if (init === null) {
        after = value as unknown as A
      } else {
        if (sendsOldValues) oldValue = init()
        after = add(init(), value, key)
      }
      store.put(key, after, start, time)
      if (final === null) forward(key, start, end, after, oldValue, time, headers)
    }

    const copyOf = (key: K, start: number, aggregate: ValueAndTimestamp<A>): A | null =>
      store.sharesValues ? aggregate.value : (store.fetch(key, start)?.value ?? aggregate.value)

    /** A window right of this record, with what a neighbour knows of it; the record itself is not in it. */
    const createRight = (record: Record<K, V>, neighbour: ValueAndTimestamp<A>): void => {
      const start = record.timestampMs + 1
      store.put(record.key, neighbour.value, start, neighbour.timestampMs)
      if (final !== null) return
      forward(record.key, start, start + differenceMs, neighbour.value, null, neighbour.timestampMs, record.headers)
    }

    const isAfter = (aggregate: ValueAndTimestamp<A> | null, timeMs: number): aggregate is ValueAndTimestamp<A> =>
      aggregate !== null && aggregate.timestampMs > timeMs

    const processRecord = (record: Record<K, V>): void => {
      const { key, timestampMs } = record
      const found: Found<A> = {
        starts: new Set(),
        previousMs: null,
        right: null,
        left: null,
        hasLeft: false,
        hasRight: false,
      }
      const fromMs = Math.max(0, timestampMs - 2 * differenceMs)
      // Read as it goes, and no further than needed: it shows in what the record cache evicts. Only windows that the scan has
      // passed are written meanwhile.
      for (const [start, aggregate] of store.fetchRange(key, fromMs, timestampMs + 1, { reverse: true })) {
        if ((aggregate as ValueAndTimestamp<A> | null) === null) throw new Error(deletedWindow)
        found.starts.add(start)
        const end = start + differenceMs
        if (start === timestampMs + 1) {
          found.hasRight = true
        } else if (end > timestampMs) {
          found.right ??= aggregate
          update(record, start, aggregate)
        } else if (end === timestampMs) {
          found.hasLeft = true
          update(record, start, aggregate)
          // A record with this very time was here before: all its windows exist.
          if (aggregate.timestampMs >= timestampMs) return
          found.previousMs = aggregate.timestampMs
        } else {
          found.left = aggregate
          found.previousMs = aggregate.timestampMs
          break
        }
      }
      createMissing(record, found)
    }

    const createMissing = (record: Record<K, V>, found: Found<A>): void => {
      const { timestampMs } = record
      const { previousMs } = found
      if (previousMs !== null) {
        const start = previousMs + 1
        if (!found.starts.has(start) && start + differenceMs >= timestampMs) update(record, start, null)
      }
      if (!found.hasLeft) {
        const isShared = previousMs !== null && timestampMs - differenceMs <= previousMs
        const seed = isShared && found.left !== null ? { value: found.left.value, timestampMs } : null
        update(record, timestampMs - differenceMs, seed)
      }
      if (!found.hasRight && isAfter(found.right, timestampMs)) createRight(record, found.right)
    }

    /** A record before the first full window: windows cannot begin below 0, so early records share `[0, d]`. */
    const processEarly = (record: Record<K, V>): void => {
      const { key, timestampMs } = record
      const starts = new Set<number>()
      let combined: ValueAndTimestamp<A> | null = null
      let right: ValueAndTimestamp<A> | null = null
      let previousMs: number | null = null
      let hasRight = false
      for (const [start, aggregate] of store.fetchRange(key, 0, timestampMs + 1)) {
        starts.add(start)
        if (start === 0) {
          combined = aggregate
          if (aggregate.timestampMs < timestampMs) previousMs = aggregate.timestampMs
        } else if (start <= timestampMs) {
          right = aggregate
          update(record, start, aggregate)
        } else {
          hasRight = true
        }
      }
      if (right === null && isAfter(combined, timestampMs)) right = combined
      if (!hasRight && isAfter(right, timestampMs)) createRight(record, right)
      if (previousMs !== null && !starts.has(previousMs + 1)) update(record, previousMs + 1, null)
      update(record, 0, combined)
    }

    const emitClosed = ({ headers }: Record<K, V>): void => {
      if (final === null || !final.isDue(closeTimeMs)) return
      const to = closeTimeMs - differenceMs - 1
      if (to < 0) return
      const from = final.lastCloseMs === -1 ? 0 : Math.max(0, final.lastCloseMs - differenceMs)
      for (const [{ key, window }, { value, timestampMs }] of store.fetchAll(from, to)) {
        forward(key, window.start, window.end, value, null, timestampMs, headers)
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
        const { key, value, timestampMs } = record
        if (key === null || key === undefined) return context.drop('null-key')
        if (value === null || value === undefined) return context.drop('null-value')
        if (timestampMs > streamTimeMs) streamTimeMs = timestampMs
        closeTimeMs = streamTimeMs - graceMs
        if (timestampMs + differenceMs < closeTimeMs) return context.drop('late')
        if (differenceMs === 0) throw new RangeError('Window endMs must be greater than window startMs.')
        // As in Java, nothing is emitted on the way of an early record.
        if (timestampMs < differenceMs) return processEarly(record)
        processRecord(record)
        emitClosed(record)
      },
    }
  }
