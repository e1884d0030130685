import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import { changeForwarder, type ForwardChange, openTableStore, type TableStore } from './table-store.ts'

export interface TableSourceOptions {
  /** null: nobody reads the table, so it is not kept. */
  readonly storeName: string | null
  readonly sendsOldValues: boolean
}

/** Makes a table of a stream: the latest record of each key. A null key is counted and skipped, a null value deletes. */
export const tableSource =
  <K, V>({ storeName, sendsOldValues }: TableSourceOptions) =>
  (): Processor<K, V, K, Change<V>> => {
    let context: EngineContext<K, Change<V>>
    let store: TableStore<K, V> | null = null
    let forward: ForwardChange<K, V>
    return {
      init(given) {
        context = given as EngineContext<K, Change<V>>
        if (storeName !== null) store = openTableStore(context, storeName)
        forward = changeForwarder(context, store?.plain ?? null, sendsOldValues)
      },
      process({ key, value, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        const newValue = value ?? null
        if (store === null) return forward(key, newValue, null, true, timestampMs, headers)
        const oldValue = sendsOldValues ? (store.get(key)?.value ?? null) : null
        const put = store.put(key, newValue, timestampMs)
        if (put !== 'dropped') forward(key, newValue, oldValue, put === 'latest', timestampMs, headers)
      },
    }
  }
