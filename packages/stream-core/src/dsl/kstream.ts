import type { Serde } from '../common/serde.ts'
import { filter } from '../operators/filter.ts'
import { fixedKey } from '../operators/fixed-key.ts'
import { flatMapValues } from '../operators/flat-map-values.ts'
import { flatMap } from '../operators/flat-map.ts'
import { forEach } from '../operators/for-each.ts'
import { mapValues } from '../operators/map-values.ts'
import { map } from '../operators/map.ts'
import { pass } from '../operators/pass.ts'
import { peek } from '../operators/peek.ts'
import { selectKey } from '../operators/select-key.ts'
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from '../processor/processor.ts'
import type { ProcessorStore, TopicNameExtractor } from '../topology/node.ts'
import type { AsyncCallContext, AsyncOptions } from '../operators/async-calls.ts'
import {
  type AsyncProcessorSupplier,
  asyncSupplier,
  type AsyncValueOptions,
  flatMapValuesCall,
  mapValuesCall,
} from './async-operators.ts'
import { type Branches, type BranchStreams, splitStream } from './branches.ts'
import { behindTopic, erased, keepingValues, requiredSerde, state, type StreamState, united } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import { groupedWith, KGroupedStream } from './kgrouped-stream.ts'
import { checkedStreamJoin } from './join-mistakes.ts'
import type {
  JoinableAlone,
  JoinableWith,
  JoinOptions,
  MergeableWith,
  OuterJoinableAlone,
  OuterJoinableWith,
  RightSide,
  RightValue,
} from './join-types.ts'
import type { KTable } from './ktable.ts'
import type { Consumed, Grouped, Named, Produced, Repartitioned, StoreOptions } from './options.ts'
import { repartitionNode } from './repartition.ts'
import { joinGlobalTable, joinStreams, joinTable, type JoinKind } from './stream-joins.ts'
import { streamToTable } from './stream-to-table.ts'

/** A stream of records. Each method adds a node and returns the stream that leaves it; a stream can be used twice. */
export class KStream<K, V> {
  readonly [state]: StreamState
  /** The repartition topic that joins of this stream share. */
  #repartition: GraphNode | null = null

  /** @internal */
  constructor(given: StreamState) {
    this[state] = given
  }

  /** Keeps the records for which the predicate holds. */
  filter(predicate: (key: K, value: V) => boolean, options: Named = {}): KStream<K, V> {
    return keepingValues(this.#then('KSTREAM-FILTER', options, filter(predicate)))
  }

  /** Keeps the records for which the predicate does not hold. */
  filterNot(predicate: (key: K, value: V) => boolean, options: Named = {}): KStream<K, V> {
    const keep = filter<K, V>((key, value) => !predicate(key, value))
    return keepingValues(this.#then('KSTREAM-FILTER', options, keep))
  }

  /** A new value for each record. The key stays. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options: Named & { value?: Serde<V2> } = {}): KStream<K, V2> {
    return this.#then('KSTREAM-MAPVALUES', options, mapValues(mapper), { value: erased(options.value) }, 'value')
  }

  /** A new key and value for each record. A key-based operator after it goes through a repartition topic. */
  map<K2, V2>(
    mapper: (key: K, value: V) => readonly [K2, V2],
    options: Named & { key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    return this.#then('KSTREAM-MAP', options, map(mapper), rekeyed(options), 'key')
  }

  /** Any number of records for each. A key-based operator after it goes through a repartition topic. */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>,
    options: Named & { key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    return this.#then('KSTREAM-FLATMAP', options, flatMap(mapper), rekeyed(options), 'key')
  }

  /** Any number of values for each record, under its key. */
  flatMapValues<V2>(
    mapper: (value: V, key: K) => Iterable<V2>,
    options: Named & { value?: Serde<V2> } = {},
  ): KStream<K, V2> {
    const value = erased(options.value)
    return this.#then('KSTREAM-FLATMAPVALUES', options, flatMapValues(mapper), { value }, 'value')
  }

  /** A new key for each record. A key-based operator after it goes through a repartition topic. */
  selectKey<K2>(selector: (key: K, value: V) => K2, options: Named & { key?: Serde<K2> } = {}): KStream<K2, V> {
    const changed = { key: erased(options.key), isRepartitionRequired: true }
    return keepingValues(this.#then<K2, V>('KSTREAM-KEY-SELECT', options, selectKey(selector), changed, 'key'))
  }

  /** Shows each record to a function. */
  peek(action: (key: K, value: V) => void, options: Named = {}): KStream<K, V> {
    return this.#then('KSTREAM-PEEK', options, peek(action))
  }

  /** Ends the stream in a function. */
  forEach(action: (key: K, value: V) => void, options: Named = {}): void {
    this.#then('KSTREAM-FOREACH', options, forEach(action) as ProcessorSupplier<K, V>)
  }

  /** Writes each record as a line of text, for looking at: to standard output, or wherever `write` puts it. */
  print(
    options: Named & {
      readonly label?: string
      readonly format?: (key: K, value: V) => string
      readonly write?: (line: string) => void
    } = {},
  ): void {
    const { label = this[state].name, write = (line) => void process.stdout.write(`${line}\n`) } = options
    const { format = (key: K, value: V) => `${text(key)}, ${text(value)}` } = options
    const line = forEach<K, V>((key, value) => write(`[${label}]: ${format(key, value)}`))
    this.#then('KSTREAM-PRINTER', options, line)
  }

  /** Hands each record to the first branch whose predicate holds; see `Branches`. */
  split<const B extends Branches<K, V>>(branches: B, options: Named = {}): BranchStreams<K, V, B> {
    return splitStream(this, branches, options)
  }

  /** Both streams' records; no order between them is promised. */
  merge<Other extends RightSide>(other: MergeableWith<K, V, Other>, options: Named = {}): KStream<K, V> {
    const mine = this[state]
    const theirs = (other as KStream<K, V>)[state]
    const name = mine.context.names.given(options.name, 'KSTREAM-MERGE')
    const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
      builder.addProcessor({ name, parents, supplier: pass() }),
    )
    node.isMerge = node.keepsValues = true
    mine.context.graph.add([mine.node, theirs.node], node)
    return new KStream({
      ...mine,
      name,
      node,
      // Java forgets the serdes here; where both sides have the same there is no reason to.
      key: mine.context.inheritsSerdes && mine.key?.name === theirs.key?.name ? mine.key : null,
      value: mine.context.inheritsSerdes && mine.value?.name === theirs.value?.name ? mine.value : null,
      sources: united(mine.sources, theirs.sources),
      checkedSources: united(mine.checkedSources, theirs.checkedSources),
      isRepartitionRequired: mine.isRepartitionRequired || theirs.isRepartitionRequired,
    })
  }

  /**
   * The user's own processor, with stores that it brings (specs, as `stores` makes them) or that were added (names). It may forward
   * any key, so key-based operators after it repartition.
   */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: Named & { stores?: readonly ProcessorStore[]; key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    const { context } = this[state]
    const name = context.names.own(options.name, 'KSTREAM-PROCESSOR')
    const changes = context.processChangesRecords ? 'key and value' : 'nothing'
    return this.#add<K2, V2>(name, supplier, rekeyed(options), changes, options.stores)
  }

  /** As `process`; the key stays, so that nothing has to be repartitioned. */
  processValues<V2>(
    supplier: FixedKeyProcessorSupplier<K, V, V2>,
    options: Named & { stores?: readonly ProcessorStore[]; value?: Serde<V2> } = {},
  ): KStream<K, V2> {
    const { context } = this[state]
    const name = context.names.own(options.name, 'KSTREAM-PROCESSVALUES')
    const changes = context.processChangesRecords ? 'value' : 'nothing'
    const fixed = fixedKey(supplier)
    return this.#add<K, V2>(name, fixed, { value: erased(options.value) }, changes, options.stores)
  }

  /**
   * A new value for each record, by a call that may take its time: bounded, ordered, with timeouts and retries (see
   * `AsyncOptions`). Calls end before each commit; after a crash those of the last commit interval are made again.
   */
  mapValuesAsync<V2>(
    mapper: (value: V, key: K, context: AsyncCallContext) => Promise<V2>,
    options: AsyncValueOptions<V2> = {},
  ): KStream<K, V2> {
    return this.#async(
      'KSTREAM-MAPVALUESASYNC',
      mapValuesCall(mapper),
      options,
      { value: erased(options.value) },
      'value',
    )
  }

  /** As `mapValuesAsync`, with any number of values for each record. */
  flatMapValuesAsync<V2>(
    mapper: (value: V, key: K, context: AsyncCallContext) => Promise<Iterable<V2>>,
    options: AsyncValueOptions<V2> = {},
  ): KStream<K, V2> {
    const changed = { value: erased(options.value) }
    return this.#async('KSTREAM-FLATMAPVALUESASYNC', flatMapValuesCall(mapper), options, changed, 'value')
  }

  /** The user's own asynchronous processor: `call` outside the loop, `apply` inside it, with stores and `forward`. */
  processAsync<T, K2, V2>(
    supplier: AsyncProcessorSupplier<K, V, T, K2, V2>,
    options: Named & AsyncOptions & { stores?: readonly ProcessorStore[]; key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    return this.#async('KSTREAM-PROCESSASYNC', supplier, options, rekeyed(options), 'key and value', options.stores)
  }

  /** Groups by the present key. */
  groupByKey(options?: Grouped<K, V>): KGroupedStream<K, V> {
    return new KGroupedStream(groupedWith(this[state], options))
  }

  /** Groups by a new key; always through a repartition topic. */
  groupBy<K2>(
    selector: (key: K, value: V) => K2,
    options?: { name?: string; key?: Serde<K2>; value?: Serde<V> },
  ): KGroupedStream<K2, V> {
    const changed = { key: erased(options?.key), isRepartitionRequired: true }
    const named = options?.name === undefined ? {} : { name: options.name }
    const keyed = keepingValues(this.#then<K2, V>('KSTREAM-KEY-SELECT', named, selectKey(selector), changed, 'key'))
    return new KGroupedStream(groupedWith(keyed[state], options))
  }

  /** Writes to a repartition topic of its own and reads it back, so that equal keys meet in one task. */
  repartition(options: Repartitioned<K, V> = {}): KStream<K, V> {
    const given = this.#withSerdes(options)
    const mine = given.context.inheritsSerdes ? given : { ...given, key: erased(options.key) }
    const { context, key, value } = mine
    const node = repartitionNode(context, {
      name: options.name ?? context.names.node('KSTREAM-REPARTITION'),
      key,
      value,
      isNamedByUser: options.name !== undefined,
      isOptimizable: false,
      partitions: options.partitions ?? null,
      partitioner: (options.partitioner as never) ?? null,
    })
    context.graph.add(mine.node, node)
    return new KStream({ ...mine, name: node.name, node, ...behindTopic(node.name) })
  }

  /** Writes to a topic of the user's, or to the one that a function chooses for each record. */
  to(topic: string | TopicNameExtractor<K, V>, options: Produced<K, V> = {}): void {
    const mine = this.#withSerdes(options)
    const { context } = mine
    const name = context.names.given(options.name, 'KSTREAM-SINK')
    const node = new GraphNode(name, { kind: 'sink' }, (builder, parents) => {
      const where = `the sink to ${typeof topic === 'string' ? `"${topic}"` : 'chosen topics'}`
      builder.addSink({
        name,
        parents,
        topic: topic as string | TopicNameExtractor,
        key: requiredSerde(context, mine.key, 'key', where, 'the option key of to()'),
        value: requiredSerde(context, mine.value, 'value', where, 'the option value of to()'),
        partitioner: (options.partitioner as never) ?? null,
      })
    })
    context.graph.add(mine.node, node)
  }

  /** A table of this stream: the latest value of each key; a null deletes. */
  toTable(options: Named & { store?: StoreOptions<K, NonNullable<V>> } = {}): KTable<K, NonNullable<V>> {
    return streamToTable(this[state], options)
  }

  /** Joins each record with what a table holds for its key; without a row it is left out. */
  join<Right extends RightSide, R>(
    other: JoinableAlone<K, Right>,
    joiner: (left: V, right: RightValue<Right>, key: K) => R,
  ): KStream<K, R>
  /**
   * Joins each record with those of another stream within `windows`, with what a table holds for its key, or with what a global
   * table holds under the key that `mapKey` makes from it; without a match it is left out.
   */
  join<Right extends RightSide, R>(
    other: JoinableWith<K, Right>,
    joiner: (left: V, right: RightValue<Right>, key: K) => R,
    options: JoinOptions<K, V, Right>,
  ): KStream<K, R>
  join(other: never, joiner: never, options?: never): unknown {
    return this.#join('inner', other, joiner, options)
  }

  /** As `join`; a record without a row is joined with null. */
  leftJoin<Right extends RightSide, R>(
    other: JoinableAlone<K, Right>,
    joiner: (left: V, right: RightValue<Right> | null, key: K) => R,
  ): KStream<K, R>
  /** As `join`; a record without a match is joined with null: that of a stream once its window has closed. */
  leftJoin<Right extends RightSide, R>(
    other: JoinableWith<K, Right>,
    joiner: (left: V, right: RightValue<Right> | null, key: K) => R,
    options: JoinOptions<K, V, Right>,
  ): KStream<K, R>
  leftJoin(other: never, joiner: never, options?: never): unknown {
    return this.#join('left', other, joiner, options)
  }

  /** As `join` of two streams; a record of either side without a match is joined with null, once its window has closed. */
  outerJoin<Right extends RightSide, R>(
    other: OuterJoinableWith<K, Right>,
    joiner: (left: V | null, right: RightValue<Right> | null, key: K) => R,
    options: JoinOptions<K, V, Right>,
  ): KStream<K, R>
  /** Never right: it says what is missing. */
  outerJoin<Right extends RightSide, R>(
    other: OuterJoinableAlone<Right>,
    joiner: (left: V | null, right: RightValue<Right> | null, key: K) => R,
  ): never
  outerJoin(other: never, joiner: never, options?: never): unknown {
    return this.#join('outer', other, joiner, options)
  }

  /** @internal For joins: this stream behind a repartition topic, if its key may have changed. */
  repartitionedForJoin(name: string | undefined, topic: string, given: Consumed<K, V>): KStream<K, V> {
    const mine = this[state]
    if (!mine.isRepartitionRequired) return this
    const key = erased(given.key) ?? mine.key
    const value = erased(given.value) ?? mine.value
    const isNamedByUser = name !== undefined
    const node = repartitionNode(mine.context, { name: topic, key, value, isNamedByUser, isOptimizable: true })
    // One topic serves all joins of this stream, as long as the user does not name it.
    if (this.#repartition === null || mine.name !== topic) {
      this.#repartition = node
      mine.context.graph.add(mine.node, node)
    }
    const { name: source } = node
    return new KStream({ ...mine, key, value, name: source, node: this.#repartition, ...behindTopic(source) })
  }

  #join(kind: JoinKind, other: unknown, joiner: unknown, options: object = {}): unknown {
    const side = checkedStreamJoin(kind === 'outer', other, joiner, options)
    if (side === 'stream') return joinStreams(kind, this, other as never, joiner as never, options as never)
    if (side === 'table') return joinTable(kind, this, other as never, joiner as never, options)
    return joinGlobalTable(kind, this, other as never, joiner as never, options as never)
  }

  #then<K2, V2>(
    prefix: string,
    options: Named,
    supplier: ProcessorSupplier<K, V, K2, V2>,
    changed: Changed = {},
    changes: Changes = 'nothing',
  ): KStream<K2, V2> {
    return this.#add(this[state].context.names.given(options.name, prefix), supplier, changed, changes)
  }

  #async<T, K2, V2>(
    prefix: string,
    supplier: AsyncProcessorSupplier<K, V, T, K2, V2>,
    options: Named & AsyncOptions,
    changed: Changed,
    changes: Changes,
    stores?: readonly ProcessorStore[],
  ): KStream<K2, V2> {
    const name = this[state].context.names.given(options.name, prefix)
    return this.#add(name, asyncSupplier(this[state], supplier, options), changed, changes, stores)
  }

  #add<K2, V2>(
    name: string,
    supplier: ProcessorSupplier<K, V, K2, V2> | FixedKeyProcessorSupplier<K, V, V2>,
    changed: Changed,
    changes: Changes,
    stores: readonly ProcessorStore[] = [],
  ): KStream<K2, V2> {
    const mine = this[state]
    const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
      builder.addProcessor({ name, parents, supplier: supplier, stores }),
    )
    node.isKeyChanging = changes === 'key' || changes === 'key and value'
    node.isValueChanging = changes === 'value' || changes === 'key and value'
    mine.context.graph.add(mine.node, node)
    return new KStream({ ...mine, ...changed, name, node })
  }

  #withSerdes(options: { readonly key?: Serde<K>; readonly value?: Serde<V> }): StreamState {
    const mine = this[state]
    return { ...mine, key: erased(options.key) ?? mine.key, value: erased(options.value) ?? mine.value }
  }
}

type Changes = 'nothing' | 'key' | 'value' | 'key and value'
type Changed = Partial<Pick<StreamState, 'key' | 'value' | 'isRepartitionRequired'>>

const rekeyed = <K, V>(options: { key?: Serde<K>; value?: Serde<V> }): Changed => ({
  key: erased(options.key),
  value: erased(options.value),
  isRepartitionRequired: true,
})

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))
