import { TopologyError } from '../../common/errors.ts'
import { readAlike, type Serde } from '../../common/serde.ts'
import type { GraphNode, SourceReading } from './graph-node.ts'

/**
 * A topic that is read several times is read once: the later sources' children move to the first one. All have to read it in
 * one way. Kafka Streams compares where they begin, and takes serdes and timestamp extractor of the first without a word;
 * with `agreeing` false so do we.
 */
export function mergeDuplicateSources(root: GraphNode, { agreeing }: { readonly agreeing: boolean }): void {
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
      refuseDisagreement(key, first, node, agreeing)
      for (const child of node.children) {
        node.removeChild(child)
        first.addChild(child)
      }
      root.removeChild(node)
    }
  }
}

function refuseDisagreement(topic: string, first: GraphNode, later: GraphNode, agreeing: boolean): void {
  if (first.details.kind !== 'stream-source' || later.details.kind !== 'stream-source') return
  const [a, b] = [first.details.reading, later.details.reading]
  const option = differingOption(a, b, agreeing)
  if (option === null) return
  throw new TopologyError(
    `"${first.name}" and "${later.name}" read topic "${topic}", which is read once for both, with another ${option}: ` +
      `give both the same, or make one stream and use it twice`,
    [first.name, later.name],
  )
}

/** Two extractors are the same only if they are one function. */
function differingOption(a: SourceReading, b: SourceReading, agreeing: boolean): keyof SourceReading | null {
  if (JSON.stringify(a.offsetReset) !== JSON.stringify(b.offsetReset)) return 'offsetReset'
  if (!agreeing) return null
  if (isAnother(a.key, b.key)) return 'key'
  if (isAnother(a.value, b.value)) return 'value'
  return a.timestampExtractor === b.timestampExtractor ? null : 'timestampExtractor'
}

const isAnother = (a: Serde<unknown> | null, b: Serde<unknown> | null): boolean =>
  a !== null && b !== null && !readAlike(a, b)

const topicsOf = ({ details }: GraphNode): readonly string[] =>
  details.kind === 'stream-source' ? (details.topics ?? []) : []

const isSameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [one, two] = [new Set(a), new Set(b)]
  return one.size === two.size && [...one].every((topic) => two.has(topic))
}
