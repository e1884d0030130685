import { storeGetter } from '../operators/value-getter.ts'
import { tableSource } from '../operators/table-source.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { BuildContext } from './build-context.ts'
import { keyValueSpec, type Materialized } from './store-specs.ts'
import { TableSource } from './table-source.ts'

/**
 * A table made from records (KTableSource): kept if the user named its store, or as soon as somebody reads it or wants its
 * old values. `supplier` is asked for when the topology is written, and knows by then.
 */
export function sourceTable<K, V>(context: BuildContext, store: Materialized) {
  let isKept = store.isNamed
  let sendsOldValues = false
  const behaviour = new TableSource<K, V>(
    {
      sendOldValues(force) {
        if (!force && !isKept) return false
        return (isKept = sendsOldValues = true)
      },
      valueGetter() {
        isKept = true
        return storeGetter(store.storeName)
      },
    },
    store.isNamed ? store.storeName : null,
  )
  const supplier = (adjust: (spec: StoreSpec) => StoreSpec = (spec) => spec): ProcessorSupplier<unknown, unknown> => {
    const make = tableSource<unknown, unknown>({ storeName: isKept ? store.storeName : null, sendsOldValues })
    const stores = isKept ? [adjust(keyValueSpec(context, store))] : []
    return Object.assign(() => make(), { stores })
  }
  return { behaviour, supplier, isKept: () => isKept }
}
