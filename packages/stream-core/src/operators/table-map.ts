import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext, ProcessingContext } from '../processor/processor-context.ts'
import { notUndefined } from './not-undefined.ts'
import { changeForwarder, type ForwardChange, openTableStore, type TableStore } from './table-store.ts'

/** What a table's filter, mapValues or transformValues does with one value. */
export interface TableMapper<K, V, R> {
  /** Called once per task. The function gets null for a deletion if `mapsNull`, and must be safe to call again. */
  open(context: ProcessingContext): (key: K, value: V | null) => R | null
  readonly mapsNull: boolean
}

export interface TableMapOptions<K, V, R> {
  readonly mapper: TableMapper<K, V, R>
  /** null: computed again when it is read. */
  readonly storeName: string | null
  readonly sendsOldValues: boolean
  /** Of a filter: what neither was nor is in the table is not forwarded, if old values tell. */
  readonly skipsAbsent: boolean
}

/** KTable filter, mapValues and transformValues: a new value for each change; the key stays. */
export const tableMap =
  <K, V, R>({ mapper, storeName, sendsOldValues, skipsAbsent }: TableMapOptions<K, V, R>) =>
  (): Processor<K, Change<V>, K, Change<R>> => {
    let context: EngineContext<K, Change<R>>
    let store: TableStore<K, R> | null = null
    let forward: ForwardChange<K, R>
    let map: (key: K, value: V | null) => R | null
    const compute = (key: K, value: V | null): R | null =>
      value === null && !mapper.mapsNull ? null : notUndefined(map(key, value), 'mapper')
    return {
      init(given) {
        context = given as EngineContext<K, Change<R>>
        map = mapper.open(context)
        if (storeName !== null) store = openTableStore(context, storeName)
        forward = changeForwarder(context, store?.plain ?? null, sendsOldValues)
      },
      process({ key, value: change, timestampMs, headers }) {
        const newValue = compute(key, change.newValue)
        let oldValue: R | null = null
        if (sendsOldValues) oldValue = store === null ? compute(key, change.oldValue) : (store.get(key)?.value ?? null)
        if (skipsAbsent && sendsOldValues && oldValue === null && newValue === null) return
        if (store === null) return forward(key, newValue, oldValue, change.isLatest, timestampMs, headers)
        const put = store.put(key, newValue, timestampMs)
        if (put !== 'dropped') forward(key, newValue, oldValue, put === 'latest', timestampMs, headers)
      },
    }
  }
