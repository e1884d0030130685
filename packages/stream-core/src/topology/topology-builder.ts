import { TopologyError } from '../common/errors.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { ProcessorNode, SinkNode, SourceNode, TopologyNode } from './node.ts'
import { freezeTopology, type RepartitionTopic, type Topology } from './topology.ts'

const legalName = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Builds a topology node by node; the DSL is built on it. Every mistake is a TopologyError that names the node, thrown
 * by the call that makes it.
 */
export class TopologyBuilder {
  readonly #nodes = new Map<string, TopologyNode>()
  readonly #stores = new Map<string, StoreSpec>()
  readonly #repartitionTopics = new Map<string, RepartitionTopic>()
  readonly #sourceOfTopic = new Map<string, string>()

  addSource(node: Omit<SourceNode, 'kind'>): this {
    this.#checkName(node.name)
    if (node.topics.length === 0) throw new TopologyError(`source "${node.name}" has no topic`, [node.name])
    for (const topic of node.topics) {
      const other = this.#sourceOfTopic.get(topic)
      if (other !== undefined) {
        throw new TopologyError(
          `topic "${topic}" is read by both "${other}" and "${node.name}": read it once and share the stream`,
          [other, node.name],
        )
      }
      this.#sourceOfTopic.set(topic, node.name)
    }
    this.#nodes.set(node.name, { kind: 'source', ...node })
    return this
  }

  addProcessor(node: Omit<ProcessorNode, 'kind'>): this {
    this.#checkName(node.name)
    this.#checkParents(node.name, node.parents)
    for (const store of node.stores) {
      if (!this.#stores.has(store)) {
        throw new TopologyError(`processor "${node.name}" uses the store "${store}", which was not added`, [node.name])
      }
    }
    this.#nodes.set(node.name, { kind: 'processor', ...node })
    return this
  }

  addSink(node: Omit<SinkNode, 'kind'>): this {
    this.#checkName(node.name)
    this.#checkParents(node.name, node.parents)
    this.#nodes.set(node.name, { kind: 'sink', ...node })
    return this
  }

  addStateStore(spec: StoreSpec): this {
    if (!legalName.test(spec.name)) throw new TopologyError(illegal('store', spec.name))
    if (this.#stores.has(spec.name)) throw new TopologyError(`two stores are named "${spec.name}"`)
    this.#stores.set(spec.name, spec)
    return this
  }

  /** Connects stores to a processor that exists already. */
  connectStores(processorName: string, stores: readonly string[]): this {
    const node = this.#nodes.get(processorName)
    if (node?.kind !== 'processor') throw new TopologyError(`there is no processor "${processorName}"`, [processorName])
    for (const store of stores) {
      if (!this.#stores.has(store)) throw new TopologyError(`there is no store "${store}"`, [processorName])
    }
    this.#nodes.set(processorName, { ...node, stores: [...new Set([...node.stores, ...stores])] })
    return this
  }

  addRepartitionTopic(topic: RepartitionTopic): this {
    this.#repartitionTopics.set(topic.name, topic)
    return this
  }

  has(name: string): boolean {
    return this.#nodes.has(name)
  }

  build(): Topology {
    if (this.#nodes.size === 0) throw new TopologyError('the topology is empty: begin with a source')
    return freezeTopology({
      nodes: [...this.#nodes.values()],
      stores: [...this.#stores.values()],
      repartitionTopics: [...this.#repartitionTopics.values()],
    })
  }

  #checkName(name: string): void {
    if (!legalName.test(name)) throw new TopologyError(illegal('node', name), [name])
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
