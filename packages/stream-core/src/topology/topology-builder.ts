import { TopologyError } from '../common/errors.ts'
import { type JavaRules, javaRules } from '../common/java-rules.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import {
  checkOffsetReset,
  type ProcessorNode,
  type ProcessorStore,
  type SinkNode,
  type SourceNode,
  type TopologyNode,
} from './node.ts'
import { matchesTopic } from './topic-pattern.ts'
import { freezeTopology, type GeneratedName, type RepartitionTopic, type Topology } from './topology.ts'

const legalName = /^[a-zA-Z0-9._-]{1,249}$/

export type SourceOptions = Pick<SourceNode, 'name' | 'key' | 'value'> &
  Partial<Pick<SourceNode, 'topics' | 'pattern' | 'timestampExtractor' | 'offsetReset'>>

export type ProcessorOptions = Pick<ProcessorNode, 'name' | 'parents' | 'supplier'> & {
  readonly stores?: readonly ProcessorStore[]
}

export type SinkOptions = Pick<SinkNode, 'name' | 'parents' | 'topic' | 'key' | 'value'> &
  Partial<Pick<SinkNode, 'partitioner'>>

export interface GlobalStoreOptions {
  readonly store: StoreSpec
  readonly topic: string
  readonly sourceName: string
  readonly processorName: string
  readonly key: SourceNode['key']
  readonly value: SourceNode['value']
  /** Puts each record of the topic into the store. */
  readonly supplier: ProcessorNode['supplier']
}

export type ReadOnlyStoreOptions = GlobalStoreOptions & Partial<Pick<SourceNode, 'timestampExtractor' | 'offsetReset'>>

/**
 * Builds a topology node by node: Kafka Streams' `Topology`. The DSL is built on it. Every mistake is a TopologyError that
 * names the node, thrown by the call that makes it.
 */
export class TopologyBuilder {
  readonly #nodes = new Map<string, TopologyNode>()
  readonly #stores = new Map<string, StoreSpec>()
  readonly #globalStores = new Map<string, StoreSpec>()
  readonly #repartitionTopics = new Map<string, RepartitionTopic>()
  readonly #sourceOfTopic = new Map<string, string>()
  readonly #copartitionGroups: { readonly sources: Set<string>; readonly checked: Set<string> }[] = []
  readonly #sourceChangelogs = new Map<string, string>()
  readonly #generatedNames: GeneratedName[] = []
  readonly #hasJavaRules: boolean

  constructor(options: JavaRules = {}) {
    this.#hasJavaRules = options[javaRules] ?? false
  }

  addSource(options: SourceOptions): this {
    const {
      name,
      key,
      value,
      topics = [],
      pattern = null,
      timestampExtractor = null,
      offsetReset = 'earliest',
    } = options
    this.#checkName(name)
    checkOffsetReset(offsetReset, name)
    if (topics.length === 0 && pattern === null) throw new TopologyError(`source "${name}" has no topic`, [name])
    if (topics.length > 0 && pattern !== null) {
      throw new TopologyError(`source "${name}" has topics and a pattern: one of them would be left out`, [name])
    }
    this.#claimTopics(name, topics, pattern)
    this.#nodes.set(name, {
      kind: 'source',
      name,
      topics,
      pattern,
      key,
      value,
      timestampExtractor,
      offsetReset,
      isGlobal: false,
    })
    return this
  }

  addProcessor({ name, parents, supplier, stores = [] }: ProcessorOptions): this {
    this.#checkName(name)
    this.#checkParents(name, parents)
    this.#nodes.set(name, { kind: 'processor', name, parents, supplier, stores: [] })
    for (const spec of supplier.stores ?? []) this.addStateStore(spec, name)
    for (const store of stores) {
      if (typeof store === 'string') this.connectProcessorAndStateStores(name, [store])
      else this.addStateStore(store, name)
    }
    return this
  }

  addSink(options: SinkOptions): this {
    return this.#addSink(options, false)
  }

  /** @internal A sink of which the DSL knows that values reach it as they were read. */
  addPassingSink(options: SinkOptions): this {
    return this.#addSink(options, true)
  }

  #addSink({ name, parents, topic, key, value, partitioner = null }: SinkOptions, passesBytes: boolean): this {
    this.#checkName(name)
    this.#checkParents(name, parents)
    if (typeof topic === 'string') this.#checkTopic(name, topic)
    this.#nodes.set(name, { kind: 'sink', name, parents, topic, key, value, partitioner, passesBytes })
    return this
  }

  /** Adds a store, and connects it to processors that exist already. The same spec may be added again. */
  addStateStore(spec: StoreSpec, ...processorNames: readonly string[]): this {
    this.#checkLegal('store', spec.name)
    const known = this.#stores.get(spec.name)
    if ((known !== undefined && known !== spec) || this.#globalStores.has(spec.name)) {
      throw new TopologyError(`two different stores are named "${spec.name}"`)
    }
    this.#stores.set(spec.name, spec)
    for (const processor of processorNames) this.connectProcessorAndStateStores(processor, [spec.name])
    return this
  }

  /** A store that every instance fills with the whole of a topic; every processor may read it without being connected. */
  addGlobalStore(options: GlobalStoreOptions): this {
    const { store, topic, sourceName, processorName, key, value, supplier } = options
    this.#checkName(sourceName)
    this.#claimTopics(sourceName, [topic], null)
    this.#checkName(processorName)
    if (sourceName === processorName) {
      throw new TopologyError(`the source and the processor of a global store are both named "${sourceName}"`, [
        sourceName,
      ])
    }
    if (this.#stores.has(store.name) || this.#globalStores.has(store.name)) {
      throw new TopologyError(`two different stores are named "${store.name}"`)
    }
    const source = { kind: 'source', name: sourceName, topics: [topic], pattern: null, key, value } as const
    this.#nodes.set(sourceName, { ...source, timestampExtractor: null, offsetReset: 'earliest', isGlobal: true })
    this.#nodes.set(processorName, {
      kind: 'processor',
      name: processorName,
      parents: [sourceName],
      supplier,
      stores: [store.name],
    })
    this.#globalStores.set(store.name, { ...store, logging: null })
    this.#sourceChangelogs.set(store.name, topic)
    return this
  }

  /**
   * A store that holds a topic's records, partition by partition, and is restored from the topic itself: it has no changelog (KIP-813).
   * Other processors may read it when they are connected to it.
   */
  addReadOnlyStateStore(options: ReadOnlyStoreOptions): this {
    const { store, topic, sourceName, processorName, key, value, supplier, timestampExtractor, offsetReset } = options
    this.addSource({
      name: sourceName,
      topics: [topic],
      key,
      value,
      ...(timestampExtractor === undefined ? {} : { timestampExtractor }),
      ...(offsetReset === undefined ? {} : { offsetReset }),
    })
    const stores = [{ ...store, logging: null }]
    return this.addProcessor({ name: processorName, parents: [sourceName], supplier, stores }).useSourceAsChangelog(
      store.name,
      topic,
    )
  }

  connectProcessorAndStateStores(processorName: string, stores: readonly string[]): this {
    const node = this.#nodes.get(processorName)
    if (node === undefined) throw new TopologyError(`there is no processor "${processorName}"`, [processorName])
    if (node.kind !== 'processor') {
      throw new TopologyError(`"${processorName}" is a ${node.kind}, which cannot have stores`, [processorName])
    }
    for (const store of stores) {
      if (this.#globalStores.has(store)) {
        throw new TopologyError(
          `the store "${store}" is global: every processor may read it, without being connected to it`,
          [processorName],
        )
      }
      if (!this.#stores.has(store)) {
        throw new TopologyError(
          `processor "${processorName}" uses the store "${store}", which was not added: give its spec instead of its name, or ` +
            'add it with addStateStore()',
          [processorName],
        )
      }
    }
    this.#nodes.set(processorName, { ...node, stores: [...new Set([...node.stores, ...stores])] })
    return this
  }

  /** @internal */
  addRepartitionTopic(topic: RepartitionTopic): this {
    this.#repartitionTopics.set(topic.name, topic)
    return this
  }

  /**
   * @internal These sources, by node name, have to have the same number of partitions: the start sees to it. `build` can compare only
   * repartition topics whose number is given, and does so for those in `checked`, as Java does.
   */
  copartition(sources: Iterable<string>, checked: Iterable<string> = sources): this {
    this.#copartitionGroups.push({ sources: new Set(sources), checked: new Set(checked) })
    return this
  }

  /** @internal A source that took the place of another. */
  replaceInCopartitions(replaced: string, by: string): this {
    for (const { sources, checked } of this.#copartitionGroups) {
      if (sources.delete(replaced)) sources.add(by)
      if (checked.delete(replaced)) checked.add(by)
    }
    return this
  }

  /** @internal The topic that a store is filled from is its changelog, too. */
  useSourceAsChangelog(storeName: string, topic: string): this {
    this.#sourceChangelogs.set(storeName, topic)
    return this
  }

  /** @internal */
  noteGeneratedName(name: GeneratedName): this {
    this.#generatedNames.push(name)
    return this
  }

  /** @internal */
  get generatedNames(): readonly GeneratedName[] {
    return this.#generatedNames
  }

  /** @internal */
  storeSpec(name: string): StoreSpec | undefined {
    return this.#stores.get(name)
  }

  build(missingSerdes: readonly string[] = []): Topology {
    if (this.#nodes.size === 0 && !this.#hasJavaRules)
      throw new TopologyError('the topology is empty: begin with a source')
    this.#checkCopartitions()
    return freezeTopology({
      nodes: [...this.#nodes.values()],
      stores: [...this.#stores.values()],
      globalStores: [...this.#globalStores.values()],
      repartitionTopics: [...this.#repartitionTopics.values()],
      copartitionGroups: this.#copartitionGroups.map(({ sources }) => [...sources]),
      sourceChangelogs: this.#sourceChangelogs,
      generatedNames: this.#generatedNames,
      missingSerdes,
      [javaRules]: this.#hasJavaRules,
    })
  }

  #claimTopics(name: string, topics: readonly string[], pattern: RegExp | null): void {
    for (const topic of topics) {
      this.#checkTopic(name, topic)
      const other = this.#sourceOfTopic.get(topic)
      if (other !== undefined) {
        throw new TopologyError(
          `topic "${topic}" is read by both "${other}" and "${name}": read it once and share the stream`,
          [other, name],
        )
      }
      for (const node of this.#nodes.values()) {
        if (node.kind === 'source' && node.pattern !== null && matchesTopic(node.pattern, topic)) {
          throw new TopologyError(`topic "${topic}" of "${name}" matches the pattern of "${node.name}"`, [
            node.name,
            name,
          ])
        }
      }
      this.#sourceOfTopic.set(topic, name)
    }
    if (pattern === null) return
    for (const [topic, other] of this.#sourceOfTopic) {
      if (matchesTopic(pattern, topic)) {
        throw new TopologyError(`the pattern of "${name}" matches topic "${topic}", which "${other}" reads`, [
          other,
          name,
        ])
      }
    }
  }

  /** Topics with an explicit number of partitions must agree where they have to have the same. */
  #checkCopartitions(): void {
    for (const { checked } of this.#copartitionGroups) {
      const topics = [...checked].flatMap((name) => {
        const node = this.#nodes.get(name)
        return node?.kind === 'source' ? node.topics : []
      })
      const counts = new Map<string, number>()
      for (const topic of topics) {
        const partitions = this.#repartitionTopics.get(topic)?.partitions ?? null
        if (partitions !== null) counts.set(topic, partitions)
      }
      if (counts.size === topics.length && new Set(counts.values()).size > 1) {
        const list = [...counts].map(([topic, count]) => `${topic} (${count})`).join(', ')
        throw new TopologyError(`these topics are joined and need the same number of partitions: ${list}`)
      }
    }
  }

  /** Java's own builder takes any name, and its DSL checks only those that users give. */
  #checkLegal(what: 'node' | 'store', name: string): void {
    if (!this.#hasJavaRules && !legalName.test(name)) throw new TopologyError(illegal(what, name), [name])
  }

  /** No log has a topic of another name (Kafka's own rule): the program would wait for it, or fail when it starts. */
  #checkTopic(nodeName: string, topic: string): void {
    if (this.#hasJavaRules || (legalName.test(topic) && topic !== '.' && topic !== '..')) return
    throw new TopologyError(`"${nodeName}" names a topic that cannot be: ${illegal('topic', topic)}`, [nodeName])
  }

  #checkName(name: string): void {
    this.#checkLegal('node', name)
    if (this.#nodes.has(name)) throw new TopologyError(`two nodes are named "${name}": name one of them`, [name])
  }

  #checkParents(name: string, parents: readonly string[]): void {
    if (parents.length === 0) throw new TopologyError(`"${name}" has no parent`, [name])
    for (const parent of parents) {
      const node = this.#nodes.get(parent)
      if (!node) throw new TopologyError(`"${name}" follows "${parent}", which was not added`, [name, parent])
      if (node.kind === 'sink') throw new TopologyError(`"${name}" cannot follow the sink "${parent}"`, [name, parent])
    }
  }
}

const illegal = (what: string, name: string): string =>
  `illegal ${what} name ${JSON.stringify(name)}: 1 to 249 of a-z A-Z 0-9 . _ - are allowed`
