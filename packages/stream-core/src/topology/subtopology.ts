import type { StoreSpec } from '../state/store-spec.ts'
import { javaHashOrder } from './java-order.ts'
import type { TopologyNode } from './node.ts'

/** Nodes connected by edges or by shared stores; each partition of its topics makes one task. */
export interface Subtopology {
  readonly id: number
  readonly nodeNames: readonly string[]
  readonly sourceTopics: readonly string[]
  readonly sinkTopics: readonly string[]
  /** In the order in which a task opens and flushes them. */
  readonly storeNames: readonly string[]
  /** A source and the processor that fills a global store from it; makes no tasks. */
  readonly isGlobal: boolean
  /** Some node makes asynchronous calls. */
  readonly isAsync: boolean
}

/** Cuts a topology into sub-topologies, numbered in the order in which their first node was added. */
export function subtopologies(nodes: readonly TopologyNode[], stores: readonly StoreSpec[]): readonly Subtopology[] {
  const parentOf = new Map<string, string>()
  const find = (name: string): string => {
    let root = name
    while (parentOf.get(root) !== root) root = parentOf.get(root)!
    parentOf.set(name, root)
    return root
  }
  const union = (a: string, b: string): void => void parentOf.set(find(a), find(b))
  for (const node of nodes) parentOf.set(node.name, node.name)
  const storeUser = new Map<string, string>()
  for (const node of nodes) {
    if (node.kind !== 'source') for (const parent of node.parents) union(node.name, parent)
    if (node.kind !== 'processor') continue
    for (const store of node.stores) {
      const user = storeUser.get(store)
      if (user === undefined) storeUser.set(store, node.name)
      else union(node.name, user)
    }
  }
  const groups = new Map<string, TopologyNode[]>()
  for (const node of nodes) {
    const root = find(node.name)
    const group = groups.get(root)
    if (group) group.push(node)
    else groups.set(root, [node])
  }
  const known = new Set(stores.map((store) => store.name))
  return [...groups.values()].map((group, id) => ({
    id,
    nodeNames: group.map((node) => node.name),
    sourceTopics: group.flatMap((node) => (node.kind === 'source' ? node.topics : [])),
    sinkTopics: group.flatMap((node) => (node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : [])),
    storeNames: storesInOrder(group).filter((name) => known.has(name)),
    isGlobal: group.some((node) => node.kind === 'source' && node.isGlobal),
    isAsync: group.some((node) => node.kind === 'processor' && 'isAsync' in node.supplier),
  }))
}

/** Stores in the order in which Java registers them: by node, and within a node by hash. */
export function storesInOrder(nodes: readonly TopologyNode[]): readonly string[] {
  return [...new Set(nodes.flatMap((node) => (node.kind === 'processor' ? javaHashOrder(node.stores) : [])))]
}
