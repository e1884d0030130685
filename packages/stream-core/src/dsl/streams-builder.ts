import { ArgumentError, TopologyError } from '../common/errors.ts'
import { type JavaRules, javaRules } from '../common/java-rules.ts'
import type { Serde } from '../common/serde.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { TopologyBuilder } from '../topology/topology-builder.ts'
import type { TimestampExtractor } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'
import { type BuildContext, erased, requiredSerde } from './build-context.ts'
import { GlobalKTable } from './global-ktable.ts'
import { addGlobalStore, addGlobalTable } from './global-tables.ts'
import { GraphNode } from './graph/graph-node.ts'
import { type Optimization, optimizations, StreamGraph } from './graph/stream-graph.ts'
import { KStream } from './kstream.ts'
import { KTable } from './ktable.ts'
import { Names } from './names.ts'
import type { Consumed, GlobalStoreOptions, StoreOptions } from './options.ts'
import { mergedRepartition } from './repartition.ts'
import { readTable } from './read-table.ts'

export interface StreamsBuilderOptions {
  /**
   * Serdes for topics and stores that name none, and a timestamp extractor for topics. As in Kafka Streams the internal topics
   * of a foreign-key join are read with it, too: one that looks into values must bear theirs.
   */
  readonly defaults?: {
    readonly key?: Serde<unknown>
    readonly value?: Serde<unknown>
    readonly timestampExtractor?: TimestampExtractor
  }
  /**
   * Kafka Streams' `topology.optimization`. It changes internal topics: a running application has to be reset before it is
   * changed. Default `none`.
   */
  readonly optimization?: 'none' | 'all' | readonly Optimization[]
  /**
   * false: serdes are forgotten where Kafka Streams forgets them, behind `merge`, `repartition`, groupings with options, cogroups and in
   * named stores of derived tables; the defaults are used there, and of two sources of one topic the first decides how it is read. For an
   * application that relies on that. Default true.
   */
  readonly inheritSerdes?: boolean
  /** Where stores are kept that say nothing of it. Default `persistent`. */
  readonly defaultStoreType?: 'persistent' | 'in-memory'
  /** Refuses a topology with a store, changelog or repartition topic whose name was made up (KIP-1111). Default false. */
  readonly requireExplicitNames?: boolean
  /**
   * Counts `process` as a change of key and value, and `processValues` as one of the value, where repartition topics are
   * merged (KAFKA-19668). Default false, as in Kafka Streams.
   */
  readonly processChangesRecords?: boolean
}

export interface BuildOptions {
  /** `keep`: serdes that nobody gave fail at the start instead of here, as in Java. Default `refuse`. */
  readonly missingSerdes?: 'refuse' | 'keep'
}

/** The start of a topology in the DSL: streams and tables from topics, stores for processors, and `build()` at the end. */
export class StreamsBuilder {
  readonly #context: BuildContext
  readonly #optimization: ReadonlySet<Optimization>
  readonly #requireExplicitNames: boolean
  #built: Topology | null = null

  constructor(options: StreamsBuilderOptions & JavaRules = {}) {
    const { defaults, optimization = 'none', defaultStoreType = 'persistent' } = options
    this.#optimization = optimizationSet(optimization)
    this.#requireExplicitNames = options.requireExplicitNames ?? false
    const builder = new TopologyBuilder(options)
    const inheritsSerdes = options.inheritSerdes ?? true
    this.#context = {
      builder,
      graph: new StreamGraph(builder, { sourcesAgree: inheritsSerdes }),
      names: new Names(),
      defaultKey: defaults?.key ?? null,
      defaultValue: defaults?.value ?? null,
      inheritsSerdes,
      defaultTimestampExtractor: defaults?.timestampExtractor ?? null,
      defaultStoreType,
      processChangesRecords: options.processChangesRecords ?? false,
      missingSerdes: [],
      javaRules: options[javaRules] ?? false,
      stream: (given) => new KStream(given),
      table: (given, source) => new KTable(given, source),
    }
  }

  /** A stream of the records of one topic, of several, or of all whose whole name matches a pattern. */
  stream<K, V>(topics: string | readonly string[] | RegExp, consumed: Consumed<K, V> = {}): KStream<K, V> {
    const context = this.#context
    const name = context.names.given(consumed.name, 'KSTREAM-SOURCE')
    const pattern = topics instanceof RegExp ? topics : null
    const list = topics instanceof RegExp ? [] : [...new Set(typeof topics === 'string' ? [topics] : topics)]
    if (pattern === null && list.length === 0) throw new ArgumentError('topics', `"${name}" reads no topic: name one`)
    const key = erased(consumed.key)
    const value = erased(consumed.value)
    const reading = {
      key: key ?? context.defaultKey,
      value: value ?? context.defaultValue,
      timestampExtractor:
        (consumed.timestampExtractor as TimestampExtractor | undefined) ?? context.defaultTimestampExtractor,
      offsetReset: consumed.offsetReset ?? 'earliest',
    }
    const details = { kind: 'stream-source', topics: pattern === null ? list : null, pattern, reading } as const
    const node = new GraphNode(name, details, (builder) => {
      const where = `the source of ${pattern === null ? `"${list.join('", "')}"` : String(pattern)}`
      builder.addSource({
        ...reading,
        name,
        topics: list,
        pattern,
        key: requiredSerde(context, key, 'key', where, 'the option key of stream()'),
        value: requiredSerde(context, value, 'value', where, 'the option value of stream()'),
      })
    })
    context.graph.add(context.graph.root, node)
    const sources = [name]
    return new KStream({
      context,
      name,
      node,
      key,
      value,
      sources,
      checkedSources: sources,
      isRepartitionRequired: false,
    })
  }

  /** A table of a topic: the latest value of each key. It is kept only if something needs it, or if its store has a name. */
  table<K, V>(
    topic: string,
    consumed: Consumed<K, V> & { readonly store?: StoreOptions<K, NonNullable<V>> } = {},
  ): KTable<K, NonNullable<V>> {
    return readTable<K, NonNullable<V>>(this.#context, topic, consumed as never)
  }

  /** A table that every instance holds as a whole, to be joined by any key. */
  globalTable<K, V>(
    topic: string,
    consumed: Omit<Consumed<K, V>, 'timestampExtractor' | 'offsetReset'> & {
      readonly store?: StoreOptions<K, NonNullable<V>>
    } = {},
  ): GlobalKTable<K, NonNullable<V>> {
    return addGlobalTable<K, NonNullable<V>>(this.#context, topic, consumed as never)
  }

  /** A store for processors, which are connected to it by its name. See `stores`. */
  addStateStore(spec: StoreSpec): this {
    const node = new GraphNode(spec.name, { kind: 'store' }, (builder) => builder.addStateStore(spec))
    this.#context.graph.add(this.#context.graph.root, node)
    return this
  }

  /** A store that every instance fills with the whole of a topic, through a processor of the user's. */
  addGlobalStore<K, V>(options: GlobalStoreOptions<K, V>, supplier: ProcessorSupplier<K, V, never, never>): this {
    addGlobalStore(this.#context, options, supplier as ProcessorSupplier<unknown, unknown>)
    return this
  }

  /** The topology, as data. Throws a TopologyError for what is wrong with it, and one for all serdes that nobody gave. */
  build({ missingSerdes = 'refuse' }: BuildOptions = {}): Topology {
    if (this.#built !== null) return this.#built
    const { graph, builder, missingSerdes: missing } = this.#context
    graph.write(this.#optimization, (topic, nodes) => mergedRepartition(this.#context, topic, nodes))
    if (missing.length > 0 && missingSerdes === 'refuse') {
      throw new TopologyError([...new Set(missing)].join('; '), [], 'MISSING_SERDE')
    }
    if (this.#requireExplicitNames && builder.generatedNames.length > 0) {
      const list = builder.generatedNames.map(({ kind, name }) => `${kind} "${name}"`).join(', ')
      throw new TopologyError(
        `these names were made up, and would change with the topology: ${list}. Name the operators`,
      )
    }
    return (this.#built = builder.build(missing))
  }
}

function optimizationSet(given: 'none' | 'all' | readonly Optimization[]): ReadonlySet<Optimization> {
  if (given === 'none') return new Set()
  if (given === 'all') return new Set(optimizations)
  for (const name of given) {
    if (!optimizations.includes(name)) {
      throw new ArgumentError('optimization', `there is no optimization "${name}": ${optimizations.join(', ')}`)
    }
  }
  return new Set(given)
}
