import { ConfigError } from '../common/errors.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'

/**
 * How many partitions each repartition topic gets (Kafka Streams' RepartitionTopics and CopartitionedTopicsEnforcer). Adds
 * them to `counts`, which has those of the user's topics, all by the log's names; `inputTopics` has what patterns match.
 *
 *   1. The number the user gave; else that of the widest topic its writers read; repeated, for one may feed the next.
 *   2. Topics that are joined get the same: that of the user's topics among them, or of those with a given number, or
 *      the largest. What cannot be made the same is a ConfigError: equal keys would not meet.
 */
export function computePartitionCounts(
  topology: Topology,
  nameOf: (name: string) => string,
  counts: Map<string, number>,
  inputTopics: ReadonlyMap<number, readonly string[]> = new Map(),
): void {
  computeByWriters(topology, nameOf, counts, inputTopics)
  const given = new Map(topology.repartitionTopics.map(({ name, partitions }) => [nameOf(name), partitions]))
  const matched = [...inputTopics.values()].flat()
  const topicsOf = new Map(
    topology.nodes.map((node) => {
      if (node.kind !== 'source') return [node.name, []]
      const { pattern, topics } = node
      return [
        node.name,
        pattern === null ? topics.map(nameOf) : matched.filter((topic) => matchesTopic(pattern, topic)),
      ]
    }),
  )
  for (const group of topology.copartitionGroups) {
    const topics = group.flatMap((source) => topicsOf.get(source) ?? [])
    if (topics.length > 1) makeSame(topics, given, counts)
  }
}

function makeSame(
  topics: readonly string[],
  given: ReadonlyMap<string, number | null>,
  counts: Map<string, number>,
): void {
  const users = topics.filter((topic) => !given.has(topic))
  const fixed = users.length > 0 ? users : topics.filter((topic) => (given.get(topic) ?? null) !== null)
  const count = Math.max(...(fixed.length > 0 ? fixed : topics).map((topic) => counts.get(topic)!))
  for (const topic of topics) if (given.has(topic) && given.get(topic) === null) counts.set(topic, count)
  if (topics.every((topic) => counts.get(topic) === count)) return
  const list = topics.map((topic) => `${topic} (${counts.get(topic)})`).join(', ')
  throw new ConfigError(
    'topology',
    `these topics are joined and need the same number of partitions: ${list}. Send one of the streams through repartition()`,
  )
}

function computeByWriters(
  topology: Topology,
  nameOf: (name: string) => string,
  counts: Map<string, number>,
  inputTopics: ReadonlyMap<number, readonly string[]>,
): void {
  for (const { name, partitions } of topology.repartitionTopics) {
    if (partitions !== null) counts.set(nameOf(name), partitions)
  }
  const open = new Set(topology.repartitionTopics.map(({ name }) => name).filter((name) => !counts.has(nameOf(name))))
  const widthsOf = (name: string): readonly (number | undefined)[] =>
    topology.subtopologies
      .filter((group) => group.sinkTopics.includes(name))
      .flatMap((group) =>
        (inputTopics.get(group.id) ?? group.sourceTopics.map(nameOf)).map((topic) => counts.get(topic)),
      )
  const settle = (name: string, widths: readonly (number | undefined)[]): void => {
    counts.set(nameOf(name), Math.max(...widths.filter((width) => width !== undefined)))
    open.delete(name)
  }
  const settleOne = (isEnough: (widths: readonly (number | undefined)[]) => boolean): boolean => {
    for (const name of open) {
      const widths = widthsOf(name)
      if (widths.length === 0 || !isEnough(widths)) continue
      settle(name, widths)
      return true
    }
    return false
  }
  // Topics that feed each other, as the two of a foreign-key join do, begin with what is known from outside.
  const isKnown = (width: number | undefined): boolean => width !== undefined
  while (settleOne((widths) => widths.every(isKnown)) || settleOne((widths) => widths.some(isKnown))) {
    // Until nothing is left, or nothing more can be known.
  }
  if (open.size > 0) {
    throw new ConfigError(
      'topology',
      `no partition count can be found for ${[...open].join(', ')}: give one explicitly`,
    )
  }
}
