import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import { notUndefined } from './not-undefined.ts'
import { changeForwarder, type ForwardChange, openTableStore, type TableStore } from './table-store.ts'

export interface TableAggregateOptions<K, V, A> {
  readonly storeName: string
  readonly sendsOldValues: boolean
  /** null for `reduce`: the first value is the aggregate, as it is. */
  readonly init: (() => A) | null
  readonly add: (aggregate: A, value: V, key: K) => A | null
  readonly subtract: (aggregate: A, value: V, key: K) => A | null
}

/**
 * KTable aggregate and reduce: the old value of a row is taken out before the new one is put in. Nothing is taken out where
 * there is no aggregate yet (reference §1.4).
 */
export const tableAggregate =
  <K, V, A>({ storeName, sendsOldValues, init, add, subtract }: TableAggregateOptions<K, V, A>) =>
  (): Processor<K, Change<V>, K, Change<A>> => {
    let store: TableStore<K, A>
    let forward: ForwardChange<K, A>
    return {
      init(given) {
        const context = given as EngineContext<K, Change<A>>
        store = openTableStore(context, storeName)
        forward = changeForwarder(context, store.plain, sendsOldValues)
      },
      process({ key, value: change, timestampMs, headers }) {
        if (key === null || key === undefined) throw new TypeError(`a group of "${storeName}" has no key`)
        const old = store.get(key)
        const oldValue = sendsOldValues && old !== null ? store.copyOf(key, old.value) : null
        let between: A | null = old === null ? null : old.value
        if (change.oldValue !== null && between !== null)
          between = notUndefined(subtract(between, change.oldValue, key), 'subtractor')
        let after: A | null
        if (change.newValue === null) after = between
        else if (init === null)
          after = between === null ? (change.newValue as unknown as A) : add(between, change.newValue, key)
        else after = add(between === null ? init() : between, change.newValue, key)
        const touchesOld = old !== null && (change.oldValue !== null || change.newValue !== null)
        const time = touchesOld ? Math.max(timestampMs, old.timestampMs) : timestampMs
        const put = store.put(key, after, time)
        if (put !== 'dropped') forward(key, after, oldValue, put === 'latest', time, headers)
      },
    }
  }
