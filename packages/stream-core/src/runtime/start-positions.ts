import { toMs } from '../common/duration.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Admin, CommittedOffset, OffsetSpec } from '../broker/broker.ts'
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
  nowMs: number,
): Promise<InputAt[]> {
  const sources = topology.nodes.filter((node) => node.kind === 'source')
  const resetOf = (topic: string): OffsetReset =>
    (
      sources.find(({ topics }) => topics.some((name) => topicName(name) === topic)) ??
      sources.find(({ pattern }) => pattern !== null && matchesTopic(pattern, topic))
    )?.offsetReset ?? 'earliest'
  const fresh = committed.filter(({ offset }) => offset < 0)
  const refused = fresh.filter(({ topic }) => resetOf(topic) === 'none')
  if (refused.length > 0) {
    const list = refused.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
    throw new ConfigError(
      'offsetReset',
      `the application has no committed position in ${list}, and offsetReset: 'none' says that there must be one`,
    )
  }
  const found = new Map<CommittedOffset, number>()
  const byReset = Map.groupBy(fresh, ({ topic }) => JSON.stringify(resetOf(topic)))
  for (const inputs of byReset.values()) {
    const offsets = await admin.listOffsets(inputs, specOf(resetOf(inputs[0]!.topic), nowMs))
    for (const [i, input] of inputs.entries()) found.set(input, offsets[i]!)
  }
  return committed.map((input) => {
    const { topic, partition, offset } = input
    return { topic, partition, offset: found.get(input) ?? offset }
  })
}

function specOf(reset: OffsetReset, nowMs: number): OffsetSpec {
  if (typeof reset === 'object') return { timestampMs: Math.max(0, nowMs - toMs(reset.ago, 'ago')) }
  return reset === 'latest' ? 'latest-stable' : 'earliest'
}
