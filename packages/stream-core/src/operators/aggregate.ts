import { noHeaders } from '../common/record.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'
import type { TimestampedKeyValueStore } from '../state/key-value-store.ts'
import { RecordCache } from '../state/record-cache.ts'

export interface Aggregation<K, V, A> {
  readonly init: () => A
  readonly add: (aggregate: A, value: V, key: K) => A | null
}

/**
 * KStream aggregate: folds each record into its key's aggregate and forwards the change. A null key or value is counted
 * and skipped; an aggregate that becomes null is deleted. The result's time is the latest of the record's and the
 * aggregate's (reference §1.4). With caching, changes are forwarded at the commit, once per key.
 */
export const aggregate =
  <K, V, A>(storeName: string, { init, add }: Aggregation<K, V, A>) =>
  (): Processor<K, V, K, Change<A>> => {
    let context: ProcessorContext<K, Change<A>>
    let store: TimestampedKeyValueStore<K, A>
    let cache: RecordCache<K, A> | null = null

    const flush = (): void =>
      cache?.flush(({ key, value, timestampMs }) => {
        if (value === null && store.get(key) === null) return
        store.put(key, value, timestampMs)
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
        if (value === null || value === undefined) return context.drop('null-value')
        const id = cache === null ? '' : store.keyString(key)
        const held = cache?.get(id)
        const old = held === undefined ? store.get(key) : held.value === null ? null : { ...held, value: held.value }
        const time = old === null ? timestampMs : Math.max(timestampMs, old.timestampMs)
        const after = add(old === null ? init() : old.value, value, key)
        if (cache !== null) {
          cache.put(id, key, after, time)
        } else {
          store.put(key, after, time)
          context.forward({ key, value: { newValue: after, oldValue: null }, timestampMs: time, headers })
        }
      },
    }
  }
