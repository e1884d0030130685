import { ByteWriter } from '../common/byte-writer.ts'
import { noHeaders } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import { tableRepartitionMap } from '../operators/table-repartition-map.ts'
import { tableToStream } from '../operators/table-to-stream.ts'
import type { ProcessorStore } from '../topology/node.ts'
import { erased, state, type StreamState } from './build-context.ts'
import { joinOnForeignKey } from './foreign-key-joins.ts'
import { GraphNode } from './graph/graph-node.ts'
import { checkedTableJoin } from './join-mistakes.ts'
import type {
  RightSide,
  RightValue,
  TableJoinableAlone,
  TableJoinableOuter,
  TableJoinableWith,
  TableJoinOptions,
  TableOptions,
} from './join-types.ts'
import { KGroupedTable } from './kgrouped-table.ts'
import type { KStream } from './kstream.ts'
import type { Grouped, Named } from './options.ts'
import type { SuppressedFor } from './suppressed.ts'
import { joinTables } from './table-joins.ts'
import {
  filterTable,
  mapTableValues,
  type TableMapOptions,
  transformTableValues,
  type ValueTransformerSupplier,
} from './table-maps.ts'
import type { TableSource } from './table-source.ts'
import { suppressTable } from './table-suppress.ts'

/** Keys are the same if their bytes are. */
function sameBytes(serde: Serde<unknown> | null): (a: unknown, b: unknown) => boolean {
  const [one, two] = [new ByteWriter(), new ByteWriter()]
  const context = { topic: '', part: 'key', headers: noHeaders } as const
  return (a, b) => {
    if (typeof a !== 'object' || typeof b !== 'object' || serde === null) return Object.is(a, b)
    try {
      for (const [writer, value] of [
        [one, a],
        [two, b],
      ] as const) {
        writer.reset()
        serde.write(value, writer, context)
      }
    } catch {
      // The sink says what is wrong with it.
      return false
    }
    return one.length === two.length && one.bytes.compare(two.bytes, 0, two.length, 0, one.length) === 0
  }
}

/** A table: the latest value of each key, and the changes that lead to it. */
export class KTable<K, V> {
  readonly [state]: StreamState
  /** @internal What its operator can do for those behind it. */
  readonly source: TableSource<K, V>

  /** @internal */
  constructor(given: StreamState, source: TableSource<K, V>) {
    this[state] = given
    this.source = source
  }

  /** Name of the store that holds it, for interactive queries; null if it has none, or one without a name. */
  get storeName(): string | null {
    return this.source.storeName
  }

  /** Keeps the rows for which the predicate holds; a row that no longer does is deleted. */
  filter(predicate: (key: K, value: V) => boolean, options: TableMapOptions<K, V> = {}): KTable<K, V> {
    return filterTable(this, predicate, options)
  }

  /** Keeps the rows for which the predicate does not hold. */
  filterNot(predicate: (key: K, value: V) => boolean, options: TableMapOptions<K, V> = {}): KTable<K, V> {
    return filterTable(this, (key, value) => !predicate(key, value), options)
  }

  /** A new value for each row. Without a store of its own it is computed again whenever it is read. */
  mapValues<R>(mapper: (value: V, key: K) => R, options: TableMapOptions<K, R> = {}): KTable<K, R> {
    return mapTableValues(this, mapper, options)
  }

  /** As `mapValues`, by an object that may read the stores in `stores`. */
  transformValues<R>(
    supplier: ValueTransformerSupplier<K, V, R>,
    options: TableMapOptions<K, R> & { readonly stores?: readonly ProcessorStore[] } = {},
  ): KTable<K, R> {
    return transformTableValues(this, supplier, options)
  }

  /** Its changes as a stream; a deletion is a null value. */
  toStream(options?: Named): KStream<K, V>
  /** Its changes as a stream, by a new key. */
  toStream<K2>(selector: (key: K, value: V) => K2, options?: Named & { key?: Serde<K2> }): KStream<K2, V>
  toStream<K2>(
    first: Named | ((key: K, value: V) => K2) = {},
    second: Named & { key?: Serde<K2> } = {},
  ): KStream<K, V> | KStream<K2, V> {
    const selector = typeof first === 'function' ? first : null
    const { name: given } = selector === null ? (first as Named) : second
    const mine = this[state]
    const name = mine.context.names.given(given, 'KTABLE-TOSTREAM')
    const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
      builder.addProcessor({
        name,
        parents,
        supplier: tableToStream(),
      }),
    )
    mine.context.graph.add(mine.node, node)
    const stream = mine.context.stream<K, V>({ ...mine, name, node, isRepartitionRequired: false })
    if (selector === null) return stream
    return stream.selectKey<K2>(
      selector as (key: K, value: V) => K2,
      second.key === undefined ? {} : { key: second.key },
    )
  }

  /** Holds changes back, for a time or until their window has closed: see `untilTimeLimit` and `untilWindowCloses`. */
  suppress(suppressed: SuppressedFor<K>): KTable<K, V> {
    return suppressTable(this, suppressed)
  }

  /** Groups rows by a new key and value; null, or a pair with a null in it, leaves a row out. */
  groupBy<K1, V1>(
    selector: (key: K, value: V) => readonly [K1 | null, V1 | null] | null,
    options: Grouped<K1, V1> = {},
  ): KGroupedTable<K1, V1> {
    const mine = this[state]
    const serdes = { key: erased(options.key), value: erased(options.value) }
    const name = mine.context.names.given(options.name, 'KTABLE-SELECT')
    let dropsOlder = false
    const useVersioned = (): void => void (dropsOlder = true)
    const node = new GraphNode(name, { kind: 'versioned-aware', useVersioned }, (builder, parents) => {
      const isSameKey = sameBytes(serdes.key ?? mine.context.defaultKey)
      const make = tableRepartitionMap<K, V, K1, V1>({ selector, dropsOlder, isSameKey })
      builder.addProcessor({ name, parents, supplier: make })
    })
    mine.context.graph.add(mine.node, node)
    this.source.sendOldValues(true)
    return new KGroupedTable({ ...mine, ...serdes, name, node }, options.name ?? null)
  }

  /** Rows that are in both tables, under the same key. */
  join<Right extends RightSide, R>(
    table: TableJoinableAlone<K, Right>,
    joiner: (left: V, right: RightValue<Right>, key: K) => R,
  ): KTable<K, R>
  /** Rows that are in both tables, under the same key; or by `foreignKey`, each row with the one it refers to (KIP-213). */
  join<Right extends RightSide, R>(
    table: TableJoinableWith<Right>,
    joiner: (left: V, right: RightValue<Right>, key: K) => R,
    options: TableOptions<K, V, Right, R>,
  ): KTable<K, R>
  join(table: never, joiner: never, options?: never): unknown {
    return this.#join('inner', table, joiner, options)
  }

  /** Rows of this table, with those of the other under the same key, or null. */
  leftJoin<Right extends RightSide, R>(
    table: TableJoinableAlone<K, Right>,
    joiner: (left: V, right: RightValue<Right> | null, key: K) => R,
  ): KTable<K, R>
  /** Rows of this table, with those of the other under the same key or that `foreignKey` refers to, or null. */
  leftJoin<Right extends RightSide, R>(
    table: TableJoinableWith<Right>,
    joiner: (left: V, right: RightValue<Right> | null, key: K) => R,
    options: TableOptions<K, V, Right, R>,
  ): KTable<K, R>
  leftJoin(table: never, joiner: never, options?: never): unknown {
    return this.#join('left', table, joiner, options)
  }

  /** Rows that are in either table; what a side lacks is null. */
  outerJoin<Right extends RightSide, R>(
    table: TableJoinableOuter<K, Right>,
    joiner: (left: V | null, right: RightValue<Right> | null, key: K) => R,
    options?: TableJoinOptions<K, R>,
  ): KTable<K, R>
  outerJoin(table: never, joiner: never, options?: never): unknown {
    return this.#join('outer', table, joiner, options)
  }

  #join(kind: 'inner' | 'left' | 'outer', table: unknown, joiner: unknown, options: object = {}): unknown {
    const by = checkedTableJoin(kind === 'outer', table, joiner, options)
    const other = table as KTable<K, unknown>
    if (by === 'key') return joinTables(kind, this, other, joiner as never, options)
    return joinOnForeignKey(kind === 'left', this, other, joiner as never, options as never)
  }
}
