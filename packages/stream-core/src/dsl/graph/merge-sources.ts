import { TopologyError } from '../../common/errors.ts'
import type { GraphNode } from './graph-node.ts'

/** A topic that is read several times is read once: the later sources' children move to the first one. */
export function mergeDuplicateSources(root: GraphNode): void {
  const firstOf = new Map<string, GraphNode>()
  for (const node of root.children) {
    const { details } = node
    if (details.kind !== 'stream-source') continue
    const keys = details.pattern === null ? details.topics! : [`/${details.pattern.source}/${details.pattern.flags}`]
    for (const key of keys) {
      const first = firstOf.get(key)
      if (first === undefined) {
        firstOf.set(key, node)
        continue
      }
      if (first === node) continue
      if (!isSameSet(topicsOf(first), topicsOf(node))) {
        throw new TopologyError(
          `"${first.name}" and "${node.name}" read topic "${key}" and others that are not the same: read the same topics in both`,
          [first.name, node.name],
        )
      }
      for (const child of node.children) {
        node.removeChild(child)
        first.addChild(child)
      }
      root.removeChild(node)
    }
  }
}

const topicsOf = ({ details }: GraphNode): readonly string[] =>
  details.kind === 'stream-source' ? (details.topics ?? []) : []

const isSameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [one, two] = [new Set(a), new Set(b)]
  return one.size === two.size && [...one].every((topic) => two.has(topic))
}
