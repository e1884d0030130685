import type { Serde } from '../common/serde.ts'
import { filter } from '../operators/filter.ts'
import { flatMapValues } from '../operators/flat-map-values.ts'
import { flatMap } from '../operators/flat-map.ts'
import { mapValues } from '../operators/map-values.ts'
import { map } from '../operators/map.ts'
import { pass } from '../operators/pass.ts'
import { peek } from '../operators/peek.ts'
import { selectKey } from '../operators/select-key.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import { addProcessor, anySerde, type Position, requireSerde } from './build-context.ts'
import { KGroupedStream } from './kgrouped-stream.ts'
import type { Grouped, Named, Produced } from './options.ts'
import { addRepartition } from './repartition.ts'

/** A stream of records. Each method adds a node and returns the stream that leaves it; a stream can be used twice. */
export class KStream<K, V> {
  readonly #position: Position

  constructor(position: Position) {
    this.#position = position
  }

  /** Keeps the records for which the predicate holds. */
  filter(predicate: (key: K, value: V) => boolean, options: Named = {}): KStream<K, V> {
    return this.#then('KSTREAM-FILTER', options, filter(predicate))
  }

  /** Keeps the records for which the predicate does not hold. */
  filterNot(predicate: (key: K, value: V) => boolean, options: Named = {}): KStream<K, V> {
    return this.#then(
      'KSTREAM-FILTER',
      options,
      filter<K, V>((key, value) => !predicate(key, value)),
    )
  }

  /** A new value for each record. The key stays. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options: Named & { value?: Serde<V2> } = {}): KStream<K, V2> {
    return this.#then('KSTREAM-MAPVALUES', options, mapValues(mapper), { value: anySerde(options.value, null) })
  }

  /** A new key and value for each record. A key-based operator after it goes through a repartition topic. */
  map<K2, V2>(
    mapper: (key: K, value: V) => readonly [K2, V2],
    options: Named & { key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    return this.#then('KSTREAM-MAP', options, map(mapper), {
      key: anySerde(options.key, null),
      value: anySerde(options.value, null),
      isRepartitionRequired: true,
    })
  }

  /** Any number of records for each. A key-based operator after it goes through a repartition topic. */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>,
    options: Named & { key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    return this.#then('KSTREAM-FLATMAP', options, flatMap(mapper), {
      key: anySerde(options.key, null),
      value: anySerde(options.value, null),
      isRepartitionRequired: true,
    })
  }

  /** Any number of values for each record, under its key. */
  flatMapValues<V2>(
    mapper: (value: V, key: K) => Iterable<V2>,
    options: Named & { value?: Serde<V2> } = {},
  ): KStream<K, V2> {
    return this.#then('KSTREAM-FLATMAPVALUES', options, flatMapValues(mapper), { value: anySerde(options.value, null) })
  }

  /** A new key for each record. A key-based operator after it goes through a repartition topic. */
  selectKey<K2>(selector: (key: K, value: V) => K2, options: Named & { key?: Serde<K2> } = {}): KStream<K2, V> {
    return this.#then('KSTREAM-KEY-SELECT', options, selectKey(selector), {
      key: anySerde(options.key, null),
      isRepartitionRequired: true,
    })
  }

  /** Shows each record to a function. */
  peek(action: (key: K, value: V) => void, options: Named = {}): KStream<K, V> {
    return this.#then('KSTREAM-PEEK', options, peek(action))
  }

  /** Both streams' records; no order between them is promised. */
  merge(other: KStream<K, V>, options: Named = {}): KStream<K, V> {
    const { context } = this.#position
    const name = options.name ?? context.names.node('KSTREAM-MERGE')
    context.builder.addProcessor({
      name,
      parents: [this.#position.nodeName, other.#position.nodeName],
      supplier: pass(),
      stores: [],
    })
    return new KStream({
      ...this.#position,
      nodeName: name,
      isRepartitionRequired: this.#position.isRepartitionRequired || other.#position.isRepartitionRequired,
    })
  }

  /** The user's own processor; it may forward any key, so key-based operators after it repartition. */
  process<K2, V2>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: Named & { stores?: readonly string[]; key?: Serde<K2>; value?: Serde<V2> } = {},
  ): KStream<K2, V2> {
    const name = options.name ?? this.#position.context.names.node('KSTREAM-PROCESSOR')
    addProcessor(this.#position, name, supplier, options.stores)
    return new KStream({
      ...this.#position,
      nodeName: name,
      key: anySerde(options.key, null),
      value: anySerde(options.value, null),
      isRepartitionRequired: true,
    })
  }

  /** Groups by the present key. */
  groupByKey(options: Grouped<K, V> = {}): KGroupedStream<K, V> {
    return new KGroupedStream(this.#withSerdes(options), options.name ?? null)
  }

  /** Groups by a new key; always through a repartition topic. */
  groupBy<K2>(
    selector: (key: K, value: V) => K2,
    options: { name?: string; key: Serde<K2>; value?: Serde<V> },
  ): KGroupedStream<K2, V> {
    const keyed = this.#then<K2, V>('KSTREAM-KEY-SELECT', {}, selectKey(selector), { isRepartitionRequired: true })
    return new KGroupedStream(keyed.#withSerdes(options), options.name ?? null)
  }

  /** Writes to a repartition topic of its own and reads it back, so that equal keys meet in one task. */
  repartition(options: Grouped<K, V> & { partitions?: number } = {}): KStream<K, V> {
    const position = this.#withSerdes(options)
    const name = options.name ?? position.context.names.node('KSTREAM-REPARTITION')
    return new KStream(addRepartition(position, name, options.partitions ?? null))
  }

  /** Writes to a topic of the user's. */
  to(topic: string, options: Produced<K, V> = {}): void {
    const { context, nodeName } = this.#position
    const name = options.name ?? context.names.node('KSTREAM-SINK')
    const key = anySerde(options.key, this.#position.key ?? context.defaultKey)
    const value = anySerde(options.value, this.#position.value ?? context.defaultValue)
    context.builder.addSink({
      name,
      parents: [nodeName],
      topic,
      key: requireSerde(key, 'key', `the sink to "${topic}"`, 'produced.key'),
      value: requireSerde(value, 'value', `the sink to "${topic}"`, 'produced.value'),
      partitioner:
        (options.partitioner as ((key: unknown, value: unknown, count: number) => number) | undefined) ?? null,
    })
  }

  /** Ends the stream in a function. */
  forEach(action: (key: K, value: V) => void, options: Named = {}): void {
    this.#then('KSTREAM-FOREACH', options, peek(action))
  }

  #then<K2, V2>(
    prefix: string,
    options: Named,
    supplier: ProcessorSupplier<K, V, K2, V2>,
    changed: Partial<Pick<Position, 'key' | 'value' | 'isRepartitionRequired'>> = {},
  ): KStream<K2, V2> {
    const name = options.name ?? this.#position.context.names.node(prefix)
    addProcessor(this.#position, name, supplier)
    return new KStream({ ...this.#position, ...changed, nodeName: name })
  }

  #withSerdes(options: { readonly key?: Serde<K>; readonly value?: Serde<V> }): Position {
    const { context, key, value } = this.#position
    return {
      ...this.#position,
      key: anySerde(options.key, key ?? context.defaultKey),
      value: anySerde(options.value, value ?? context.defaultValue),
    }
  }
}
