import type { Serde } from '../common/serde.ts'
import type { TimestampExtractor } from '../topology/node.ts'
import { type BuildContext, erased, requiredSerde } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { Consumed, StoreOptions } from './options.ts'
import { sourceTable } from './source-table.ts'
import { type Materialized, materialized } from './store-specs.ts'

export type TableConsumed<K, V> = Consumed<K, V> & { readonly store?: StoreOptions<K, V> }

/** A table of a topic. With the optimization `reuse.ktable.source.topics` the topic is the changelog of its store, too. */
export function readTable<K, V>(context: BuildContext, topic: string, consumed: TableConsumed<K, V>): KTable<K, V> {
  const { names, graph } = context
  const store = tableStore(context, topic, consumed)
  const sourceName = names.suffixed(consumed.name, '-source', 'KSTREAM-SOURCE')
  const name = names.given(consumed.name, 'KTABLE-SOURCE')
  const { behaviour, supplier, isKept } = sourceTable<K, V>(context, store)
  const details = { kind: 'table-source', reusesSourceTopic: false } as const
  const node: GraphNode = new GraphNode(name, { ...details }, (builder) => {
    const serdes = tableSerdes(context, topic, store)
    const { offsetReset = 'earliest' } = consumed
    const timestampExtractor =
      (consumed.timestampExtractor as TimestampExtractor | undefined) ?? context.defaultTimestampExtractor
    builder.addSource({ name: sourceName, topics: [topic], ...serdes, timestampExtractor, offsetReset })
    const reuses = node.details.kind === 'table-source' && node.details.reusesSourceTopic && isKept()
    const made = supplier(reuses ? (spec) => ({ ...spec, logging: null }) : undefined)
    builder.addProcessor({ name, parents: [sourceName], supplier: made })
    if (reuses) builder.useSourceAsChangelog(store.storeName, topic)
  })
  node.isOutputVersioned = store.isVersioned
  graph.add(graph.root, node)
  const { key, value } = store
  const sources = [sourceName]
  return context.table<K, V>(
    { context, name, node, key, value, sources, checkedSources: sources, isRepartitionRequired: false },
    behaviour,
  )
}

/** The store of a table that is read: the serdes of the topic are those of the store. */
export function tableStore<K, V>(context: BuildContext, topic: string, consumed: TableConsumed<K, V>): Materialized {
  const { key, value, store } = consumed
  const options = { ...store, ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) }
  return materialized(context, options, () => context.names.tableStore(topic), {
    key: null,
    value: null,
  })
}

export function tableSerdes(
  context: BuildContext,
  topic: string,
  { key, value }: Materialized,
): { readonly key: Serde<unknown>; readonly value: Serde<unknown> } {
  const where = `the table of "${topic}"`
  return {
    key: requiredSerde(context, erased(key), 'key', where, 'its option key'),
    value: requiredSerde(context, erased(value), 'value', where, 'its option value'),
  }
}
