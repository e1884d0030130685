import { ArgumentError, TopologyError } from '../common/errors.ts'
import { tableSource } from '../operators/table-source.ts'
import { storeGetter } from '../operators/value-getter.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import { type BuildContext, erased, requiredSerde } from './build-context.ts'
import { GlobalKTable } from './global-ktable.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { GlobalStoreOptions } from './options.ts'
import { type TableConsumed, tableSerdes, tableStore } from './read-table.ts'
import { keyValueSpec } from './store-specs.ts'

/** Java's words: it materialises a global table only for a Materialized with a name. */
const unnamed = 'Global stores must pass in suppliers with exactly one store but got 0'

export function addGlobalTable<K, V>(
  context: BuildContext,
  topic: string,
  consumed: TableConsumed<K, V>,
): GlobalKTable<K, V> {
  const { names, graph } = context
  const store = tableStore(context, topic, consumed)
  if (store.isVersioned) throw new TopologyError(`the global table of "${topic}" cannot be versioned`)
  const sourceName = names.suffixed(consumed.name, '-source', 'KSTREAM-SOURCE')
  const processorName = names.given(consumed.name, 'KTABLE-SOURCE')
  const node = new GraphNode(processorName, { kind: 'table-source', reusesSourceTopic: false }, (builder) => {
    if (context.javaRules && consumed.store !== undefined && !store.isNamed)
      throw new ArgumentError('store.name', unnamed)
    const supplier = tableSource<K, V>({ storeName: store.storeName, sendsOldValues: false })
    builder.addGlobalStore({
      store: keyValueSpec(context, store),
      topic,
      sourceName,
      processorName,
      ...tableSerdes(context, topic, store),
      supplier: supplier,
    })
  })
  graph.add(graph.root, node)
  return new GlobalKTable(store.storeName, storeGetter(store.storeName))
}

export function addGlobalStore<K, V>(
  context: BuildContext,
  options: GlobalStoreOptions<K, V>,
  supplier: ProcessorSupplier<unknown, unknown>,
): void {
  const { names, graph } = context
  const { store, topic, name } = options
  const sourceName = names.suffixed(name, '-source', 'KSTREAM-SOURCE')
  const processorName = names.given(name, 'KTABLE-SOURCE')
  const node = new GraphNode(store.name, { kind: 'store' }, (builder) => {
    const where = `the global store of "${topic}"`
    builder.addGlobalStore({
      store,
      topic,
      sourceName,
      processorName,
      key: requiredSerde(context, erased(options.key), 'key', where, 'its option key'),
      value: requiredSerde(context, erased(options.value), 'value', where, 'its option value'),
      supplier,
    })
  })
  graph.add(graph.root, node)
}
