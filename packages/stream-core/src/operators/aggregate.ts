import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import { changeForwarder, type ForwardChange, openTableStore, type TableStore } from './table-store.ts'

export interface Aggregation<K, V, A> {
  readonly init: () => A
  /** The new aggregate; null deletes it. */
  readonly add: (aggregate: A, value: V, key: K) => A | null
}

export interface AggregateOptions<K, V, A> {
  readonly storeName: string
  readonly sendsOldValues: boolean
  /** null for `reduce`: the first value is the aggregate, as it is. */
  readonly init: (() => A) | null
  readonly add: Aggregation<K, V, A>['add']
}

/**
 * KStream aggregate and reduce: folds each record into its key's aggregate and forwards the change. A null key or value is
 * counted and skipped; an aggregate that becomes null is deleted. The result's time is the latest of the record's and the
 * aggregate's (reference §1.4). With caching, changes are forwarded at the commit, once per key.
 */
export const aggregate =
  <K, V, A>({ storeName, sendsOldValues, init, add }: AggregateOptions<K, V, A>) =>
  (): Processor<K, V, K, Change<A>> => {
    let context: EngineContext<K, Change<A>>
    let store: TableStore<K, A>
    let forward: ForwardChange<K, A>
    return {
      init(given) {
        context = given as EngineContext<K, Change<A>>
        store = openTableStore(context, storeName)
        forward = changeForwarder(context, store.plain, sendsOldValues)
      },
      process({ key, value, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        if (value === null || value === undefined) return context.drop('null-value')
        const old = store.get(key)
        const time = old === null ? timestampMs : Math.max(timestampMs, old.timestampMs)
        let oldValue: A | null = null
        let after: A | null
        if (old !== null) {
          if (sendsOldValues) oldValue = store.copyOf(key, old.value)
          after = add(old.value, value, key)
        } else if (init === null) {
          after = value as unknown as A
        } else {
          // What was there before the first record is what the aggregation begins with, as in Java.
          if (sendsOldValues) oldValue = init()
          after = add(init(), value, key)
        }
        const put = store.put(key, after, time)
        if (put !== 'dropped') forward(key, after, oldValue, put === 'latest', time, headers)
      },
    }
  }
