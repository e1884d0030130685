import type { Serde } from '../common/serde.ts'
import { changeSerde } from '../operators/change-serde.ts'
import { tableAggregate } from '../operators/table-aggregate.ts'
import {
  addAggregation,
  aggregationStore,
  counting,
  countSerde,
  type CountOptions,
  type Fold,
  type Unsaid,
} from './aggregation.ts'
import { behindTopic, erased, requiredSerde, type StreamState } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import { checkedName } from './names.ts'
import type { Named, StoreOptions } from './options.ts'
import { keyValueSpec } from './store-specs.ts'

interface TableFold extends Fold {
  readonly subtract: (aggregate: never, value: never, key: never) => unknown
}

export interface TableReduceOptions<K, V> extends Named {
  /** Puts a value in. */
  readonly add: (aggregate: V, value: V) => V | null
  /** Takes a value out that was replaced or deleted. */
  readonly subtract: (aggregate: V, value: V) => V | null
  readonly store?: StoreOptions<K, V>
}

export interface TableAggregateOptions<K, V, A> extends Named {
  /** The aggregate of a group before its first row. If it is empty, say what it will hold: `init: (): Vote[] => []`. */
  readonly init: () => A
  readonly add: (aggregate: A, value: V, key: K) => A | Unsaid<A> | null
  /** Takes a row out that was replaced or deleted. */
  readonly subtract: (aggregate: A, value: V, key: K) => A | null
  readonly store?: StoreOptions<K, A>
}

/** Rows of a table by group; an aggregate follows each change of a row: the old value out, the new one in. */
export class KGroupedTable<K, V> {
  readonly #from: StreamState
  readonly #name: string | null
  #repartition: GraphNode | null = null

  /** @internal `name` is that of the repartition topic, if the user gave one: then all aggregations share it. */
  constructor(from: StreamState, name: string | null) {
    this.#from = from
    this.#name = name
  }

  /** Counts the rows of each group. */
  count(options: CountOptions<K> = {}): KTable<K, number> {
    return this.#aggregate('KTABLE-AGGREGATE', counting, options, countSerde)
  }

  /** Folds the values of each group into one of the same type. */
  reduce(options: TableReduceOptions<K, V>): KTable<K, V> {
    return this.#aggregate('KTABLE-REDUCE', { ...options, init: null }, options, this.#from.value)
  }

  /** Folds the values of each group. */
  aggregate<A>(options: TableAggregateOptions<K, V, A>): KTable<K, A> {
    return this.#aggregate('KTABLE-AGGREGATE', options, options, null)
  }

  #aggregate<A>(
    prefix: string,
    { init, add, subtract }: TableFold,
    options: Named & { readonly store?: StoreOptions<K, A> },
    value: Serde<unknown> | null,
  ): KTable<K, A> {
    const from = this.#from
    const { context } = from
    const { names, graph } = context
    const given = options.store
    const store = aggregationStore(from, given, 'KTABLE-AGGREGATE', value)
    const sink = names.suffixed(options.name, '-sink', 'KSTREAM-SINK')
    const source = names.suffixed(options.name, '-source', 'KSTREAM-SOURCE')
    const name = names.given(options.name, prefix)
    const topic = `${this.#name ?? store.storeName}-repartition`
    if (this.#repartition === null || this.#name === null)
      this.#repartition = this.#repartitionNode(topic, sink, source)
    graph.add(from.node, this.#repartition)
    const input = { ...from, node: this.#repartition, ...behindTopic(source) }
    return addAggregation(input, {
      name,
      store,
      key: store.key,
      details: { kind: 'processor' },
      spec: () => keyValueSpec(context, store),
      supplier: (sendsOldValues) => {
        const { storeName } = store
        return tableAggregate({ storeName, sendsOldValues, init, add: add as never, subtract: subtract as never })
      },
    })
  }

  /** As Java's: no filter in front of it, for `groupBy` sends no record without a key. */
  #repartitionNode(topic: string, sink: string, source: string): GraphNode {
    const { context, key: keySerde, value: valueSerde } = this.#from
    if (!context.javaRules) checkedName(topic)
    return new GraphNode(source, { kind: 'processor' }, (builder, parents) => {
      const where = `the repartition topic "${topic}"`
      const key = requiredSerde(context, keySerde, 'key', where, 'the option key of groupBy')
      const inner = requiredSerde(context, valueSerde, 'value', where, 'the option value of groupBy')
      const value = erased(changeSerde(inner))!
      builder.addRepartitionTopic({ name: topic, partitions: null })
      builder.addSink({ name: sink, parents, topic, key, value })
      builder.addSource({ name: source, topics: [topic], key, value })
    })
  }
}
