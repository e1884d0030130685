import type { Admin, CommittedOffset } from '../broker/broker.ts'
import { ConfigError } from '../common/errors.ts'
import type { TopicPartition } from '../common/record.ts'
import type { OffsetReset } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'

export type InputAt = TopicPartition & { readonly offset: number }

/**
 * From where each input is read: where it was committed, or where its source says that reading begins. Throws a ConfigError
 * for an input that has no position and whose source says `none`.
 */
export async function startPositions(
  admin: Admin,
  topology: Topology,
  topicName: (topic: string) => string,
  committed: readonly CommittedOffset[],
): Promise<InputAt[]> {
  const resets = new Map<string, OffsetReset>()
  for (const node of topology.nodes) {
    if (node.kind === 'source') for (const topic of node.topics) resets.set(topicName(topic), node.offsetReset)
  }
  const fresh = committed.filter(({ offset }) => offset < 0)
  const refused = fresh.filter(({ topic }) => resets.get(topic) === 'none')
  if (refused.length > 0) {
    const list = refused.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
    throw new ConfigError(
      'offsetReset',
      `the application has no committed position in ${list}, and offsetReset: 'none' says that there must be one`,
    )
  }
  const fromEnd = fresh.filter(({ topic }) => resets.get(topic) === 'latest')
  const fromStart = fresh.filter(({ topic }) => resets.get(topic) !== 'latest')
  const [starts, ends] = await Promise.all([
    admin.listOffsets(fromStart, 'earliest'),
    admin.listOffsets(fromEnd, 'latest-stable'),
  ])
  const found = new Map<CommittedOffset, number>()
  for (const [i, input] of fromStart.entries()) found.set(input, starts[i]!)
  for (const [i, input] of fromEnd.entries()) found.set(input, ends[i]!)
  return committed.map((input) => {
    const { topic, partition, offset } = input
    return { topic, partition, offset: found.get(input) ?? offset }
  })
}
