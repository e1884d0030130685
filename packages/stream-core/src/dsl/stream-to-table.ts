import { behindTopic, type StreamState } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { repartitionNode } from './repartition.ts'
import { materialized } from './store-specs.ts'
import { sourceTable } from './source-table.ts'

/** KStream#toTable: the latest value of each key, through a repartition topic if the key may have changed. */
export function streamToTable<K, V>(from: StreamState, options: Named & { store?: StoreOptions<K, V> }): KTable<K, V> {
  const { context } = from
  const name = context.names.given(options.name, 'KSTREAM-TOTABLE')
  const store = materialized(
    context,
    options.store,
    () => context.names.store('KSTREAM-TOTABLE'),
    from,
    options.store !== undefined,
  )
  let parent = from.node
  let { sources, checkedSources } = from
  if (from.isRepartitionRequired) {
    parent = repartitionNode(context, {
      name,
      key: store.key,
      value: store.value,
      isNamedByUser: options.name !== undefined,
      isOptimizable: true,
    })
    context.graph.add(from.node, parent)
    ;({ sources, checkedSources } = behindTopic(parent.name))
  }
  const { behaviour, supplier } = sourceTable<K, V>(context, store)
  const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
    builder.addProcessor({ name, parents, supplier: supplier() }),
  )
  node.isOutputVersioned = store.isVersioned
  context.graph.add(parent, node)
  const { key, value } = store
  return context.table(
    { ...from, name, node, key, value, sources, checkedSources, isRepartitionRequired: false },
    behaviour,
  )
}
