import { ArgumentError } from '../common/errors.ts'
import { topicNames } from '../runtime/internal-topics.ts'
import { computePartitionCounts } from '../runtime/partition-counts.ts'
import type { Topology } from '../topology/topology.ts'

/** A number for all topics that are read, or one for each. */
export type Partitions = number | { readonly [topic: string]: number }

/**
 * How many partitions each topic of a test has, by the log's name: what the test says, and for internal topics what follows
 * from it as in production. A topic that is only written has as many as the widest input.
 */
export function partitionCounts(
  topology: Topology,
  applicationId: string,
  partitions: Partitions | undefined,
): (topic: string) => number {
  if (partitions === undefined) return () => 1
  const nameOf = topicNames(topology, applicationId)
  const internal = new Set(topology.repartitionTopics.map(({ name }) => name))
  const counts = new Map<string, number>()
  for (const topic of topology.subtopologies.flatMap(({ sourceTopics }) => sourceTopics)) {
    if (internal.has(topic)) continue
    const count = typeof partitions === 'object' ? (partitions[topic] ?? 1) : partitions
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new ArgumentError('partitions', `"${topic}" must have 1 or more partitions, got ${count}`)
    }
    counts.set(nameOf(topic), count)
  }
  computePartitionCounts(topology, nameOf, counts)
  const widest = Math.max(1, ...counts.values())
  return (topic) => counts.get(topic) ?? (typeof partitions === 'object' ? partitions[topic] : undefined) ?? widest
}
