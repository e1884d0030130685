import { TopologyError } from '../common/errors.ts'
import type { Windowed } from '../common/windowed.ts'
import { aggregate } from '../operators/aggregate.ts'
import { pass } from '../operators/pass.ts'
import { storeGetter, type ValueGetterSupplier } from '../operators/value-getter.ts'
import type { JoinWindows, SessionWindows, Windows } from '../operators/windows.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { type AggregationParts, type Fold, type StreamGroup, type Supplier } from './aggregation.ts'
import { type BuildContext, copartitioned, type StreamState, united } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KGroupedStream } from './kgrouped-stream.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { type SessionFold, sessionParts } from './session-windowed-kstream.ts'
import { keyValueSpec, type Materialized, materialized } from './store-specs.ts'
import { TableSource } from './table-source.ts'
import { windowedParts } from './time-windowed-kstream.ts'

interface Member {
  readonly group: StreamGroup
  readonly add: Fold['add']
}

export interface CogroupAggregateOptions<K, A> extends Named {
  /** The aggregate before the first record. */
  readonly init: () => A
  readonly store?: StoreOptions<K, A>
}

type Parts = Omit<AggregationParts, 'name' | 'store'>

/** Windows to aggregate by, or a sentence that says why they are none. */
export type AggregatedBy<W> = W extends JoinWindows
  ? 'joinWindows() are for joins of streams: aggregate by timeWindows(), slidingWindows() or sessionWindows()'
  : W

/** Several groups of records, of different types, that feed one aggregate per key (KIP-150). */
export class CogroupedKStream<K, A> {
  readonly #members: readonly Member[]

  /** @internal */
  constructor(members: readonly Member[] = []) {
    this.#members = members
  }

  /** One more group, and how its records change the aggregate. */
  cogroup<V>(grouped: KGroupedStream<K, V>, add: (aggregate: A, value: V, key: K) => A | null): CogroupedKStream<K, A> {
    const member: Member = { group: grouped.group, add }
    const at = this.#members.findIndex(({ group }) => group === grouped.group)
    return new CogroupedKStream(at < 0 ? [...this.#members, member] : this.#members.with(at, member))
  }

  aggregate(options: CogroupAggregateOptions<K, A>): KTable<K, A> {
    return aggregateCogroup<K, A>(this.#members, options, (context, store, add) => ({
      key: store.key,
      details: { kind: 'processor' },
      spec: () => keyValueSpec(context, store),
      supplier: (sendsOldValues) =>
        aggregate({ storeName: store.storeName, sendsOldValues, init: options.init, add: add as never }),
    }))
  }

  /** Aggregates by tumbling, hopping, sliding or unlimited windows, or by sessions. */
  windowedBy<W extends Windows | SessionWindows | JoinWindows>(
    windows: AggregatedBy<W>,
  ): WindowedCogroupedKStream<
    K,
    A,
    W extends SessionWindows ? SessionCogroupAggregateOptions<K, A> : CogroupAggregateOptions<K, A>
  >
  windowedBy(windows: Windows | SessionWindows): WindowedCogroupedKStream<K, A, never> {
    return {
      aggregate: (options: CogroupAggregateOptions<K, A> & Partial<SessionCogroupAggregateOptions<K, A>>) =>
        aggregateCogroup(this.#members, options, (context, store, add) => {
          const fold = { init: options.init, add, merge: options.merge }
          if (windows.kind === 'session') return sessionParts(context, store, windows, fold as SessionFold, false)
          return windowedParts(context, store, windows, fold, false)
        }),
    }
  }
}

export interface SessionCogroupAggregateOptions<K, A> extends CogroupAggregateOptions<K, A> {
  /** Makes one aggregate of two sessions that a record has joined, the earlier one first. */
  readonly merge: (first: A, second: A, key: K) => A | null
}

/** A cogroup by windows: what is left to say is how to aggregate. */
export interface WindowedCogroupedKStream<K, A, O> {
  aggregate(options: O): KTable<Windowed<K>, A>
}

/** One processor per group, all on one store, and a node where their results meet (CogroupedStreamAggregateBuilder). */
function aggregateCogroup<K, A>(
  members: readonly Member[],
  options: Named & { readonly store?: StoreOptions<unknown, unknown> },
  partsOf: (context: BuildContext, store: Materialized, add: Fold['add']) => Parts,
): KTable<K, A> {
  const [first, ...others] = members.map(({ group }) => group.state) as [StreamState, ...StreamState[]]
  const { context } = first
  const { names, graph } = context
  const known = [first, ...others].find((state) => state.key !== null)?.key ?? null
  const key = context.inheritsSerdes ? known : null
  const prefix = 'COGROUPKSTREAM-AGGREGATE'
  const store = materialized(context, options.store, () => names.store(prefix), {
    key,
    value: null,
  })
  const inputs = members.map(({ group }) => group.input(store))
  if (!context.javaRules) checkRepartitionNames(members, inputs)
  // What Java compares is where the groups come from; what has to fit is what the processors read.
  copartitioned(
    { ...first, sources: inputs[0]!.sources },
    ...others.map((state, i) => ({ ...state, sources: inputs[i + 1]!.sources })),
  )

  let spec: StoreSpec | null = null
  let sendsOldValues = false
  let shared: Parts | null = null
  const nodes = members.map(({ add }, i) => {
    const name = names.suffixed(options.name, `-cogroup-agg-${i}`, prefix)
    const parts = partsOf(context, store, add)
    shared ??= parts
    const node = new GraphNode(name, parts.details, (builder, parents) => {
      const make = parts.supplier(sendsOldValues)
      const stores = [(spec ??= parts.spec())]
      builder.addProcessor({ name, parents, supplier: Object.assign(() => make(), { stores }) as unknown as Supplier })
    })
    // Of windows Java says nothing here, so that what follows takes after what comes before (CogroupedStreamAggregateBuilder).
    if (parts.getter === undefined) node.isOutputVersioned = store.isVersioned
    graph.add(inputs[i]!.node, node)
    return node
  })
  // Java takes the store of a windowed cogroup for one of a table.
  const { key: tableKey, getter = storeGetter } = context.javaRules ? { key: shared!.key } : shared!
  const merge = names.suffixed(options.name, '-cogroup-merge', 'COGROUPKSTREAM-MERGE')
  const mergeNode = new GraphNode(merge, { kind: 'processor' }, (builder, parents) =>
    builder.addProcessor({ name: merge, parents, supplier: pass() }),
  )
  graph.add(nodes, mergeNode)
  const behaviour = new TableSource<K, A>(
    {
      sendOldValues: () => (sendsOldValues = true),
      valueGetter: () => getter(store.storeName) as unknown as ValueGetterSupplier<K, A>,
    },
    store.isNamed ? store.storeName : null,
  )
  return context.table<K, A>(
    {
      ...first,
      name: merge,
      node: mergeNode,
      key: tableKey,
      value: store.value,
      sources: inputs.reduce((all, input) => united(all, input.sources), [] as readonly string[]),
      checkedSources: [],
      isRepartitionRequired: false,
    },
    behaviour,
  )
}

/** Two repartition topics without a name of their own would both be named after the store. */
function checkRepartitionNames(members: readonly Member[], inputs: readonly StreamState[]): void {
  const seen = new Set<string>()
  for (const [i, { name }] of inputs.map(({ node }) => node).entries()) {
    if (!members[i]!.group.state.isRepartitionRequired) continue
    if (seen.has(name)) {
      throw new TopologyError(
        `two groups of a cogroup would share the repartition topic of "${name}": give each a name in groupByKey or groupBy`,
        [name],
      )
    }
    seen.add(name)
  }
}
