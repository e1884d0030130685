import type { Record } from '../common/record.ts'
import type { Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { OuterJoinStore } from '../state/outer-join-store.ts'
import type { WindowStore } from '../state/window-store.ts'
import type { JoinWindows } from './windows.ts'

export interface StreamJoinOptions<K, L, R, O> {
  readonly isLeft: boolean
  /** Records of this side that find no match are emitted, too. */
  readonly isOuter: boolean
  readonly windows: JoinWindows
  readonly joiner: (left: L | null, right: R | null, key: K) => O
  readonly otherStoreName: string
  /** What waits for a match; null in an inner join. */
  readonly outerStoreName: string | null
  /** Under what the two sides find the times that they share. */
  readonly sharedName: string
}

/** What both sides of a left or outer join know of time (KStreamImplJoin.TimeTracker). */
class JoinTimes {
  streamTimeMs = -1
  /** Time of the oldest record that waits, as far as the last scan saw; null: none. */
  minTimeMs: number | null = null
  nextScanMs = 0
}

/**
 * One side of a stream-stream join (reference §3.1, the rules by number): finds what the other side has kept within the
 * windows, and for a left or outer join keeps what found nothing until its window has closed.
 */
export const streamStreamJoin =
  <K, L, R, O>(options: StreamJoinOptions<K, L, R, O>) =>
  (): Processor<K, unknown, K, O> => {
    const { isLeft, isOuter, windows, joiner, otherStoreName, outerStoreName, sharedName } = options
    // Seen from the right side, before and after change places.
    const beforeMs = isLeft ? windows.beforeMs : windows.afterMs
    const afterMs = isLeft ? windows.afterMs : windows.beforeMs
    let context: EngineContext<K, O>
    let others: WindowStore<K, unknown>
    let waiting: OuterJoinStore<K> | null = null
    let times: JoinTimes

    const join = (key: K, mine: unknown, other: unknown): O =>
      isLeft ? joiner(mine as L | null, other as R | null, key) : joiner(other as L | null, mine as R | null, key)

    /** Rule 3: whether the oldest waiting record can have closed. */
    const mayHaveClosed = (): boolean => {
      const { minTimeMs, streamTimeMs } = times
      // Java adds to Long.MAX while nothing waits; the sum overflows to below zero if anything is added.
      if (minTimeMs === null) return afterMs + windows.graceMs > 0
      return minTimeMs + afterMs + windows.graceMs < streamTimeMs
    }

    /** Rules 3 and 4: emits what has closed without a match. `minTimeMs` ends at the last entry visited, as in Java. */
    const emitUnmatched = (record: Record<K, unknown>, store: OuterJoinStore<K>): void => {
      if (!mayHaveClosed()) return
      const nowMs = context.currentSystemTimeMs()
      if (nowMs < times.nextScanMs) return
      times.nextScanMs = nowMs + context.emitIntervalMs
      times.minTimeMs = null
      let isLeftOpen = false
      let isRightOpen = false
      let previous: string | null = null
      for (const entry of store.all()) {
        times.minTimeMs = entry.timestampMs
        if (isLeftOpen && isRightOpen) break
        const lookBackMs = entry.isLeft ? windows.afterMs : windows.beforeMs
        if (entry.timestampMs + lookBackMs + windows.graceMs >= times.streamTimeMs) {
          if (entry.isLeft) isLeftOpen = true
          else isRightOpen = true
          continue
        }
        const { key, value, timestampMs } = entry
        const joined = entry.isLeft ? joiner(value as L, null, key) : joiner(null, value as R, key)
        context.forward({ key, value: joined, timestampMs, headers: record.headers })
        // One entry behind: an entry may hold several values.
        if (previous !== null && previous !== entry.stored) store.remove(previous)
        previous = entry.stored
      }
      if (previous !== null) store.remove(previous)
    }

    return {
      init(given) {
        context = given as EngineContext<K, O>
        others = context.getStateStore(otherStoreName)
        if (outerStoreName !== null) waiting = context.getStateStore(outerStoreName)
        times = context.shared(sharedName, () => new JoinTimes())
        const { streamTimeMs } = times
        times.streamTimeMs = Math.max(
          streamTimeMs,
          context.keepStreamTime(() => times.streamTimeMs),
        )
      },
      process(record) {
        const { key, value, timestampMs, headers } = record
        times.streamTimeMs = Math.max(times.streamTimeMs, timestampMs)
        // Rule 2.
        const hasKey = key !== null && key !== undefined
        const hasValue = value !== null && value !== undefined
        if (isOuter && !hasKey && hasValue) {
          return context.forward({ key, value: join(key, value, null), timestampMs, headers })
        }
        if (!hasKey) return context.drop('null-key')
        if (!hasValue) return context.drop('null-value')
        if (timestampMs === times.streamTimeMs && waiting !== null) emitUnmatched(record, waiting)

        // Rule 5.
        const from = Math.max(0, timestampMs - beforeMs)
        const to = Math.max(0, timestampMs + afterMs)
        let hasMatch = false
        for (const [otherTimeMs, other] of others.fetchRange(key, from, to)) {
          hasMatch = true
          waiting?.removeMatched(key, otherTimeMs, !isLeft)
          const time = Math.max(timestampMs, otherTimeMs)
          context.forward({ key, value: join(key, value, other), timestampMs: time, headers })
        }
        if (hasMatch || !isOuter) return

        // Rule 6.
        if (waiting === null || to < times.streamTimeMs) {
          context.forward({ key, value: join(key, value, null), timestampMs, headers })
        } else {
          times.minTimeMs = times.minTimeMs === null ? timestampMs : Math.min(times.minTimeMs, timestampMs)
          waiting.add(key, timestampMs, isLeft, value)
        }
      },
    }
  }
