import { int64, type Serde } from '../common/serde.ts'
import { storeGetter, type ValueGetterSupplier } from '../operators/value-getter.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { behindTopic, type BuildContext, erased, type StreamState } from './build-context.ts'
import { type GraphDetails, GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { repartitionNode } from './repartition.ts'
import { type Materialized, materialized } from './store-specs.ts'
import { TableSource } from './table-source.ts'

export interface CountOptions<K> extends Named {
  readonly store?: StoreOptions<K, number>
}

export interface ReduceOptions<K, V> extends Named {
  readonly store?: StoreOptions<K, V>
}

/**
 * Nothing, unless `init` says nothing of the aggregate's type: then a sentence, which the compiler quotes. It stands where a result
 * is given, for a condition on the argument would refuse `A` in a function that is generic itself (D46).
 */
export type Unsaid<A> = [A] extends [never]
  ? never
  : [A] extends [null | undefined]
    ? 'say in init what the aggregate will be: init: (): Item | null => null'
    : [A] extends [readonly never[]]
      ? readonly 'say in init what the empty array will hold: init: (): Item[] => []'[]
      : never

export interface AggregateOptions<K, V, A> extends Named {
  /** The aggregate before the first record. If it is empty, say what it will hold: `init: (): Vote[] => []`. */
  readonly init: () => A
  /** The new aggregate; null deletes it. */
  readonly add: (aggregate: A, value: V, key: K) => A | Unsaid<A> | null
  readonly store?: StoreOptions<K, A>
}

/** What an aggregating operator folds with, whatever it groups by; `init` null: the first value is the aggregate. */
export interface Fold {
  readonly init: (() => unknown) | null
  readonly add: (aggregate: never, value: never, key: never) => unknown
}

export type Supplier = ProcessorSupplier<unknown, unknown>

/** Counting, for every kind of grouping. */
export const counting = {
  init: () => 0,
  add(count: number): number {
    if (count >= Number.MAX_SAFE_INTEGER) {
      throw new RangeError('a count went past 2^53: aggregate with int64Big() instead')
    }
    return count + 1
  },
  subtract: (count: number): number => count - 1,
}

/** A fold that asks only whether there is a value. */
export const ignoresValues = ({ add }: Fold): boolean => add === counting.add

export const countSerde: Serde<unknown> = erased(int64())!

/** An aggregation as its operator describes it: where it is kept, and how its processor is made. */
export interface AggregationParts {
  readonly name: string
  readonly store: Materialized
  readonly key: Serde<unknown> | null
  readonly details: GraphDetails
  /** Called when the topology is written. */
  readonly spec: () => StoreSpec
  readonly supplier: (sendsOldValues: boolean) => () => unknown
  /** A count. */
  readonly ignoresValues?: boolean
  readonly getter?: (storeName: string) => ValueGetterSupplier<never, never>
}

/** Records grouped by key, and the repartition topic in front of what is made of them (GroupedStreamAggregateBuilder). */
export class StreamGroup {
  readonly state: StreamState
  readonly #name: string | null
  #repartition: GraphNode | null = null

  /** `name` is that of the repartition topic, if the user gave one: then all aggregations share it. */
  constructor(state: StreamState, name: string | null) {
    this.state = state
    this.#name = name
  }

  /** Where an aggregation begins: behind a repartition topic if the key may have changed. */
  input(store: Materialized): StreamState {
    const from = this.state
    if (!from.isRepartitionRequired) return from
    const { context, key, value } = from
    const isNamedByUser = this.#name !== null || store.isNamed
    const options = { name: this.#name ?? store.storeName, key, value, isNamedByUser, isOptimizable: true }
    // Made each time, for the counter moves each time.
    const node = repartitionNode(context, options)
    if (this.#repartition === null || this.#name === null) this.#repartition = node
    context.graph.add(from.node, this.#repartition)
    return { ...from, node: this.#repartition, ...behindTopic(node.name) }
  }

  /** Java's counter moves once more for a count whose store is given without a name. */
  skipForCount(store: { readonly name?: string } | undefined): void {
    if (store !== undefined && store.name === undefined) this.state.context.names.skip()
  }

  aggregate<K, A>(parts: AggregationParts): KTable<K, A> {
    return addAggregation(this.input(parts.store), parts)
  }
}

/** Names the store of an aggregation, and finds its serdes: its own, or else those that are known. */
export const aggregationStore = (
  from: StreamState,
  options: StoreOptions<unknown, unknown> | undefined,
  prefix: string,
  value: Serde<unknown> | null,
): Materialized => materialized(from.context, options, () => from.context.names.store(prefix), { key: from.key, value })

/** The serde inside a windowed key. Java wraps what was given, but not the default: then what follows fails for a windowed key. */
export const windowedInner = (context: BuildContext, store: Materialized): Serde<unknown> | null =>
  store.key ?? (context.javaRules ? null : context.defaultKey)

export function addAggregation<K, A>(input: StreamState, parts: AggregationParts): KTable<K, A> {
  const { context } = input
  const { name, store, key, details, spec, supplier, getter = storeGetter } = parts
  let sendsOldValues = false
  const node = new GraphNode(name, details, (builder, parents) => {
    const make = supplier(sendsOldValues)
    const withStore = Object.assign(() => make(), { stores: [spec()] }) as unknown as Supplier
    builder.addProcessor({ name, parents, supplier: withStore })
  })
  node.isOutputVersioned = store.isVersioned
  node.ignoresValues = parts.ignoresValues ?? false
  context.graph.add(input.node, node)
  const behaviour = new TableSource<K, A>(
    {
      sendOldValues: () => (sendsOldValues = true),
      valueGetter: () => getter(store.storeName) as unknown as ValueGetterSupplier<K, A>,
    },
    store.isNamed ? store.storeName : null,
  )
  return context.table<K, A>({ ...input, name, node, key, value: store.value }, behaviour)
}
