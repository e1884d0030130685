import { javaHashOrder } from './java-order.ts'
import { JavaTreeSet } from './java-tree-set.ts'
import type { SourceNode, TopologyNode } from './node.ts'
import type { Subtopology } from './subtopology.ts'

/**
 * The text of Kafka Streams' `Topology#describe()`, so that its users' tools and eyes can read ours. The order of nodes,
 * successors and predecessors is Java's, down to its hash maps (reference/kafka-streams.md §5.9).
 */
export function describeTopology(nodes: readonly TopologyNode[], groups: readonly Subtopology[]): string {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  let text = 'Topologies:\n '
  for (const group of groups) {
    if (group.isGlobal) {
      text += describeGlobal(group, byName)
      continue
    }
    text += `  Sub-topology: ${group.id}\n`
    const order = orderOf(group.nodeNames.map((name) => byName.get(name)!))
    for (const name of order.names) {
      text += `    ${describeNode(byName.get(name)!, order.successors.get(name)!, order.predecessors.get(name)!)}\n`
    }
    text += '\n'
  }
  return text
}

function describeGlobal(group: Subtopology, byName: ReadonlyMap<string, TopologyNode>): string {
  const nodes = group.nodeNames.map((name) => byName.get(name)!)
  const source = nodes.find((node) => node.kind === 'source')!
  const processor = nodes.find((node) => node.kind === 'processor')!
  return (
    `  Sub-topology: ${group.id} for global store (will not generate tasks)\n` +
    `    ${describeNode(source, [processor.name], [])}\n` +
    `    ${describeNode(processor, [], [source.name])}\n`
  )
}

function describeNode(node: TopologyNode, successors: readonly string[], predecessors: readonly string[]): string {
  const after = `\n      --> ${listed(successors)}`
  const before = `\n      <-- ${listed(predecessors)}`
  switch (node.kind) {
    case 'source':
      return `Source: ${node.name} (topics: ${topicsOf(node)})${after}`
    case 'processor':
      return `Processor: ${node.name} (stores: [${javaHashOrder(node.stores).join(', ')}])${after}${before}`
    case 'sink':
      if (typeof node.topic === 'string') return `Sink: ${node.name} (topic: ${node.topic})${before}`
      return `Sink: ${node.name} (extractor class: ${node.topic.name})${before}`
  }
}

/** As it was written: JavaScript has a text of its own for an empty one, and escapes slashes. */
const sourceOf = ({ source }: RegExp): string => (source === '(?:)' ? '' : source.replaceAll('\\/', '/'))

const topicsOf = ({ topics, pattern }: SourceNode): string =>
  pattern === null ? `[${javaHashOrder(topics).join(', ')}]` : sourceOf(pattern)

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

interface NodeOrder {
  readonly names: readonly string[]
  readonly successors: ReadonlyMap<string, readonly string[]>
  readonly predecessors: ReadonlyMap<string, readonly string[]>
}

/** Nodes by size, largest first, then name; a node's size is one plus its successors', counted per path. */
function orderOf(nodes: readonly TopologyNode[]): NodeOrder {
  const names = javaHashOrder(javaHashOrder(nodes.map((node) => node.name)))
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const size = new Map(names.map((name) => [name, 1]))
  const compare = (a: string, b: string): number => {
    if (a === b) return 0
    return size.get(b)! - size.get(a)! || (a < b ? -1 : 1)
  }
  const successors = new Map(names.map((name) => [name, new JavaTreeSet(compare)]))
  const predecessors = new Map(names.map((name) => [name, new JavaTreeSet(compare)]))
  const grow = (name: string, by: number): void => {
    size.set(name, size.get(name)! + by)
    for (const parent of predecessors.get(name)!.values()) grow(parent, by)
  }
  for (const name of names) {
    const node = byName.get(name)!
    if (node.kind === 'source') continue
    for (const parent of node.parents) {
      predecessors.get(name)!.add(parent)
      successors.get(parent)!.add(name)
      grow(parent, size.get(name)!)
    }
  }
  const values = (sets: ReadonlyMap<string, JavaTreeSet>): Map<string, readonly string[]> =>
    new Map([...sets].map(([name, set]) => [name, set.values()]))
  return { names: [...names].sort(compare), successors: values(successors), predecessors: values(predecessors) }
}
