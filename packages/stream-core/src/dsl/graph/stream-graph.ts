import { BinaryHeap } from '../../common/binary-heap.ts'
import { TopologyError } from '../../common/errors.ts'
import type { TopologyBuilder } from '../../topology/topology-builder.ts'
import { GraphNode } from './graph-node.ts'
import { findAncestor, mergeRepartitionTopics } from './merge-repartition-topics.ts'
import { mergeDuplicateSources } from './merge-sources.ts'

/** Kafka Streams' `topology.optimization`; `all` is all three. */
export const optimizations = [
  'reuse.ktable.source.topics',
  'merge.repartition.topics',
  'single.store.self.join',
] as const
export type Optimization = (typeof optimizations)[number]

/** The DSL's graph: nodes are added as operators are called, rewritten, and written to the topology in the end. */
export class StreamGraph {
  readonly root = new GraphNode('root', { kind: 'root' }, () => undefined)
  readonly #builder: TopologyBuilder
  /** Nodes that change keys, and the repartition topics that follow from each. */
  readonly #repartitionsOf = new Map<GraphNode, Set<GraphNode>>()
  readonly #merges = new Set<GraphNode>()
  readonly #tableSources = new Set<GraphNode>()
  readonly #versionedAware = new Set<GraphNode>()
  readonly #suppresses = new Set<GraphNode>()
  readonly #nodes = new Set<GraphNode>([this.root])
  #nextPriority = 0

  readonly #sourcesAgree: boolean

  /** `sourcesAgree`: two sources of one topic have to read it in one way. */
  constructor(builder: TopologyBuilder, { sourcesAgree }: { readonly sourcesAgree: boolean }) {
    this.#builder = builder
    this.#sourcesAgree = sourcesAgree
    this.root.isWritten = true
  }

  add(parents: GraphNode | readonly GraphNode[], node: GraphNode): void {
    const all = [parents].flat()
    const stranger = all.find((parent) => !this.#nodes.has(parent))
    if (stranger !== undefined) {
      throw new TopologyError(
        `"${node.name}" follows "${stranger.name}", which belongs to another builder: begin both with the same StreamsBuilder`,
        [node.name, stranger.name],
      )
    }
    this.#nodes.add(node)
    for (const parent of all) {
      parent.addChild(node)
      node.buildPriority = this.#nextPriority++
      this.#note(node)
    }
  }

  write(
    optimizations: ReadonlySet<Optimization>,
    makeRepartition: (topic: string, nodes: readonly GraphNode[]) => GraphNode,
  ): void {
    mergeDuplicateSources(this.root, { agreeing: this.#sourcesAgree })
    if (optimizations.has('reuse.ktable.source.topics')) {
      for (const { details } of this.#tableSources)
        if (details.kind === 'table-source') details.reusesSourceTopic = true
    }
    if (optimizations.has('merge.repartition.topics')) {
      mergeRepartitionTopics(this.#repartitionsOf, this.#merges, makeRepartition, (replaced, by) =>
        this.#builder.replaceInCopartitions(replaced, by),
      )
    }
    if (optimizations.has('single.store.self.join')) rewriteSelfJoins(this.root, new Set())
    markNullKeyFilters(this.root)
    this.#useVersionedSemantics()
    const queue = new BinaryHeap<GraphNode>((a, b) => a.buildPriority - b.buildPriority)
    for (const child of this.root.children) queue.push(child)
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      if (node.areParentsWritten && !node.isWritten) node.write(this.#builder)
      for (const child of node.children) queue.push(child)
    }
  }

  #note(node: GraphNode): void {
    const { kind } = node.details
    if (node.isKeyChanging) this.#repartitionsOf.set(node, new Set())
    else if (node.details.kind === 'repartition' && node.details.isOptimizable) {
      const keyChanging = nearestKeyChange(node)
      if (keyChanging !== null) this.#repartitionsOf.get(keyChanging)?.add(node)
    } else if (node.isMerge) this.#merges.add(node)
    else if (kind === 'table-source') this.#tableSources.add(node)
    if (kind === 'versioned-aware') this.#versionedAware.add(node)
    if (kind === 'suppress') this.#suppresses.add(node)
  }

  #useVersionedSemantics(): void {
    for (const { details, parents } of this.#versionedAware) {
      if (details.kind !== 'versioned-aware') continue
      for (const parent of parents) if (isVersioned(parent)) details.useVersioned(parent.name)
    }
    for (const node of this.#suppresses) {
      if (!hasVersionedParents(node)) continue
      throw new TopologyError(
        `"${node.name}" suppresses a versioned table, or one made from it: suppress works on other tables only`,
        [node.name],
      )
    }
  }
}

/** The node above that changes the key, unless one between changes the value. */
function nearestKeyChange(repartition: GraphNode): GraphNode | null {
  const keyChange = findAncestor(repartition, (node) => node.isKeyChanging)
  const anyChange = findAncestor(repartition, (node) => node.isKeyChanging || node.isValueChanging)
  return keyChange !== null && keyChange === anyChange ? keyChange : null
}

const isVersioned = (node: GraphNode): boolean => node.isOutputVersioned ?? hasVersionedParents(node)

const hasVersionedParents = (node: GraphNode): boolean =>
  node.details.kind !== 'root' && node.parents.every((parent) => isVersioned(parent))

/** An inner join of a stream with itself needs one store: the second window is left out. */
function rewriteSelfJoins(node: GraphNode, visited: Set<GraphNode>): void {
  visited.add(node)
  const { details } = node
  const [parent, second] = node.parents
  if (details.kind === 'stream-join' && parent !== undefined && second === undefined) {
    const windows = parent.children.filter(
      (child) => child.details.kind === 'join-window' && child.buildPriority < node.buildPriority,
    )
    const right = windows.find((child) => child.name === details.otherWindowName)
    if (right !== undefined) parent.removeChild(right)
    details.isSelfJoin = true
  }
  for (const child of node.children) if (!visited.has(child)) rewriteSelfJoins(child, visited)
}

/** Records without a key go through a repartition topic only where a join behind it wants them (KIP-962). */
function markNullKeyFilters(root: GraphNode): void {
  const visited = new Set<GraphNode>()
  const wanting = new Set<GraphNode>()
  const visit = (node: GraphNode): void => {
    if (visited.has(node)) return
    for (const child of node.children) {
      visit(child)
      if (child.wantsNullKeys || wanting.has(child)) wanting.add(node)
    }
    visited.add(node)
  }
  visit(root)
  for (const { details } of visited) if (details.kind === 'repartition') details.repartition.dropsNullKeys = true
  for (const { details } of wanting) if (details.kind === 'repartition') details.repartition.dropsNullKeys = false
}
