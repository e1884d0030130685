import { type EngineContext, grantStores, type ProcessingContext } from '../processor/processor-context.ts'
import type { ValueAndTimestamp } from '../state/key-value-store.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { noHeaders } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import type { ProcessorStore } from '../topology/node.ts'
import { tableMap, type TableMapper } from '../operators/table-map.ts'
import { mappedGetter, storeGetter, type ValueGetterSupplier } from '../operators/value-getter.ts'
import { erased, state } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { Named, StoreOptions } from './options.ts'
import { keyValueSpec, type Materialized, materialized } from './store-specs.ts'
import { TableSource } from './table-source.ts'

/** A value for each value of a table; it may read stores, and is called again whenever the value is asked for. */
export interface ValueTransformer<K, V, R> {
  init?(context: ProcessingContext): void
  /** null is a deletion, on both sides. */
  transform(key: K, value: V | null): R | null
  close?(): void
}

/** Makes a transformer, one per task and reader; `stores` are added to the topology and connected to it. */
export interface ValueTransformerSupplier<K, V, R> {
  (): ValueTransformer<K, V, R>
  readonly stores?: readonly StoreSpec[]
}

export interface TableMapOptions<K, V> extends Named {
  readonly value?: Serde<V>
  /** Keeps the result in a store, if it has a name; else each value is computed again when it is read. */
  readonly store?: StoreOptions<K, V>
}

interface MapParts<K, V, R> {
  readonly mapper: TableMapper<K, V, R>
  readonly getterMap: Parameters<typeof mappedGetter<K, V, R>>[1]
  readonly isFilter: boolean
  /** Stores that the mapper reads. */
  readonly stores: readonly ProcessorStore[]
  /** Stores that it brings. */
  readonly ownStores: readonly StoreSpec[]
  readonly name: string
}

export function filterTable<K, V>(
  table: KTable<K, V>,
  keeps: (key: K, value: V) => boolean,
  options: TableMapOptions<K, V>,
): KTable<K, V> {
  const { names } = table[state].context
  // Java's counter moves for a store that is asked for without a name, though none is made.
  if (options.store !== undefined && options.store.name === undefined) names.skip()
  const kept = (key: K, value: V | null): V | null => (value !== null && keeps(key, value) ? value : null)
  return addMap<K, V, V>(table, options, {
    name: names.given(options.name, 'KTABLE-FILTER'),
    mapper: { mapsNull: false, open: () => kept },
    getterMap: () => (key, found) => (found !== null && keeps(key, found.value) ? found : null),
    isFilter: true,
    stores: [],
    ownStores: [],
  })
}

export function mapTableValues<K, V, R>(
  table: KTable<K, V>,
  map: (value: V, key: K) => R,
  options: TableMapOptions<K, R>,
): KTable<K, R> {
  const { names } = table[state].context
  if (options.store !== undefined && options.store.name === undefined) names.skip()
  return addMap<K, V, R>(table, options, {
    name: names.given(options.name, 'KTABLE-MAPVALUES'),
    mapper: { mapsNull: false, open: () => (key, value) => map(value as V, key) },
    getterMap: () => (key, found) => (found === null ? null : stamped(map(found.value, key), found.timestampMs)),
    isFilter: false,
    stores: [],
    ownStores: [],
  })
}

export function transformTableValues<K, V, R>(
  table: KTable<K, V>,
  supplier: ValueTransformerSupplier<K, V, R>,
  options: TableMapOptions<K, R> & { readonly stores?: readonly ProcessorStore[] },
): KTable<K, R> {
  const stores = [...(options.stores ?? []), ...(supplier.stores ?? [])].map((store) =>
    typeof store === 'string' ? store : store.name,
  )
  // Java reads through a transformer as the node that asks, which may not see its stores.
  const { javaRules } = table[state].context
  const open = (context: ProcessingContext): ValueTransformer<K, V, R> => {
    const transformer = supplier()
    transformer.init?.(context)
    return transformer
  }
  return addMap<K, V, R>(table, options, {
    name: table[state].context.names.given(options.name, 'KTABLE-TRANSFORMVALUES'),
    mapper: {
      mapsNull: true,
      open(context) {
        const transformer = open(context)
        return (key, value) => transformer.transform(key, value)
      },
    },
    getterMap(context) {
      const transformer = open(javaRules ? context : grantStores(context, stores))
      const engine = context as EngineContext
      return (key, found) => {
        // Whoever asks is not the record's own path: nothing is known of where the value came from.
        const outer = engine.recordContext
        const timestampMs = found?.timestampMs ?? -1
        engine.recordContext = { timestampMs, headers: noHeaders, topic: null, partition: -1, offset: -1 }
        try {
          return stamped(transformer.transform(key, found?.value ?? null), timestampMs)
        } finally {
          engine.recordContext = outer
        }
      }
    },
    isFilter: false,
    stores: options.stores ?? [],
    ownStores: supplier.stores ?? [],
  })
}

const stamped = <R>(value: R | null | undefined, timestampMs: number): ValueAndTimestamp<R> | null =>
  value === null || value === undefined ? null : { value, timestampMs }

function addMap<K, V, R>(table: KTable<K, V>, options: TableMapOptions<K, R>, parts: MapParts<K, V, R>): KTable<K, R> {
  const mine = table[state]
  const { context } = mine
  const { name, mapper, isFilter, stores, ownStores, getterMap } = parts
  const key = erased(options.store?.key) ?? mine.key
  const value = erased(options.store?.value) ?? erased(options.value) ?? (isFilter ? mine.value : null)
  const store: Materialized | null =
    options.store?.name === undefined ? null : materialized(context, options.store, () => '', { key, value }, true)
  // Where the table above is kept anyhow, old values cost nothing, and spare deletions of what never was.
  let sendsOldValues = isFilter && table.source.sendOldValues(false)
  let isVersioned = false
  const behaviour = new TableSource<K, R>(
    {
      sendOldValues(force) {
        if (store !== null || table.source.sendOldValues(force)) sendsOldValues = true
        return sendsOldValues
      },
      valueGetter: (): ValueGetterSupplier<K, R> =>
        store !== null ? storeGetter(store.storeName) : mappedGetter(table.source.valueGetter(), getterMap),
    },
    store?.storeName ?? null,
  )
  const details = isFilter
    ? ({ kind: 'versioned-aware', useVersioned: () => void (isVersioned = true) } as const)
    : ({ kind: 'processor' } as const)
  const node = new GraphNode(name, details, (builder, parents) => {
    const make = tableMap<K, V, R>({
      mapper,
      storeName: store?.storeName ?? null,
      sendsOldValues,
      skipsAbsent: isFilter && !isVersioned,
    })
    const supplier = Object.assign(() => make(), {
      stores: [...ownStores, ...(store === null ? [] : [keyValueSpec(context, store)])],
    })
    builder.addProcessor({
      name,
      parents,
      supplier: supplier,
      stores,
    })
  })
  if (options.store !== undefined) node.isOutputVersioned = store?.isVersioned ?? false
  context.graph.add(mine.node, node)
  return context.table<K, R>({ ...mine, name, node, key, value }, behaviour)
}
