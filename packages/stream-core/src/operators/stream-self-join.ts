import type { Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { WindowStore } from '../state/window-store.ts'
import type { JoinWindows } from './windows.ts'

export interface SelfJoinOptions<K, V, O> {
  readonly storeName: string
  readonly windows: JoinWindows
  readonly joiner: (left: V, right: V, key: K) => O
}

/** An inner join of a stream with itself on one store (`single.store.self.join`): the results of two, in their order. */
export const streamSelfJoin =
  <K, V, O>({ storeName, windows, joiner }: SelfJoinOptions<K, V, O>) =>
  (): Processor<K, V, K, O> => {
    const { beforeMs, afterMs, graceMs } = windows
    const retentionMs = beforeMs + afterMs + graceMs
    let context: EngineContext<K, O>
    let store: WindowStore<K, V>
    let streamTimeMs = -1
    return {
      init(given) {
        context = given as EngineContext<K, O>
        store = context.getStateStore(storeName)
      },
      process({ key, value, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        if (value === null || value === undefined) return context.drop('null-value')
        streamTimeMs = Math.max(streamTimeMs, timestampMs)
        let isSelfDue = timestampMs > streamTimeMs - retentionMs + 1
        const forward = (left: V, right: V, otherTimeMs: number): void => {
          const time = Math.max(timestampMs, otherTimeMs)
          context.forward({ key, value: joiner(left, right, key), timestampMs: time, headers })
        }
        const from = Math.max(0, timestampMs - beforeMs)
        for (const [otherTimeMs, other] of store.fetchRange(key, from, Math.max(0, timestampMs + afterMs))) {
          forward(value, other, otherTimeMs)
        }
        const mirroredFrom = Math.max(0, timestampMs - afterMs)
        for (const [otherTimeMs, other] of store.fetchRange(key, mirroredFrom, Math.max(0, timestampMs + beforeMs))) {
          if (timestampMs < otherTimeMs && isSelfDue) {
            isSelfDue = false
            forward(value, value, timestampMs)
          }
          forward(other, value, otherTimeMs)
        }
        if (isSelfDue) forward(value, value, timestampMs)
      },
    }
  }
