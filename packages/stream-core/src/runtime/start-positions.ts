import { toMs } from '../common/duration.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Admin, CommittedOffset, OffsetSpec, ReadFrom } from '../broker/broker.ts'
import { ConfigError } from '../common/errors.ts'
import type { TopicPartition } from '../common/record.ts'
import type { OffsetReset } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'

export interface StartPositionsOptions {
  readonly admin: Admin
  readonly topology: Topology
  readonly topicName: (topic: string) => string
  readonly nowMs: number
  /** A committed position that the log does not have any more, and what is done about it. */
  readonly onOutside: (
    text: string,
    where: TopicPartition & { readonly committed: number; readonly offset: number },
  ) => void
}

/**
 * From where each input is read: where it was committed, or where its source says that reading begins; also if records were
 * deleted that were not read yet. Throws a ConfigError for an input that has no position and whose source says `none`.
 */
export async function startPositions(
  committed: readonly CommittedOffset[],
  { admin, topology, topicName, nowMs, onOutside }: StartPositionsOptions,
): Promise<ReadFrom[]> {
  const resetOf = offsetResets(topology, topicName)
  const known = committed.filter(({ offset }) => offset >= 0)
  const starts = await admin.listOffsets(known, 'earliest')
  const ends = await admin.listOffsets(known, 'latest')
  const outside = known.filter(({ offset }, i) => offset < starts[i]! || offset > ends[i]!)
  const fresh = committed.filter((input) => input.offset < 0 || outside.includes(input))
  const refused = fresh.filter(({ topic }) => resetOf(topic) === 'none')
  if (refused.length > 0) {
    const list = refused.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
    throw new ConfigError(
      'offsetReset',
      `the application has no committed position in ${list}, or one that the log does not have any more, and ` +
        "offsetReset: 'none' says that there must be one",
    )
  }
  const found = new Map<CommittedOffset, number>()
  const byReset = Map.groupBy(fresh, ({ topic }) => JSON.stringify(resetOf(topic)))
  for (const inputs of byReset.values()) {
    const offsets = await admin.listOffsets(inputs, specOf(resetOf(inputs[0]!.topic), nowMs))
    for (const [i, input] of inputs.entries()) found.set(input, offsets[i]!)
  }
  for (const input of outside) {
    const { topic, partition, offset } = input
    const at = found.get(input)!
    onOutside('records were deleted, or their topic made anew, before they were read: reading goes on elsewhere', {
      topic,
      partition,
      committed: offset,
      offset: at,
    })
  }
  return committed.map((input) => {
    const { topic, partition, leaderEpoch } = input
    const fresh = found.get(input)
    // Where it begins anew nothing is known of the record before.
    return fresh === undefined
      ? { topic, partition, offset: input.offset, leaderEpoch }
      : { topic, partition, offset: fresh }
  })
}

/** By topic, as the log names it: where reading begins when there is no position, or none that can be used. */
export function offsetResets(topology: Topology, topicName: (topic: string) => string): (topic: string) => OffsetReset {
  const sources = topology.nodes.filter((node) => node.kind === 'source')
  return (topic) =>
    (
      sources.find(({ topics }) => topics.some((name) => topicName(name) === topic)) ??
      sources.find(({ pattern }) => pattern !== null && matchesTopic(pattern, topic))
    )?.offsetReset ?? 'earliest'
}

function specOf(reset: OffsetReset, nowMs: number): OffsetSpec {
  if (typeof reset === 'object') return { timestampMs: Math.max(0, nowMs - toMs(reset.ago, 'ago')) }
  return reset === 'latest' ? 'latest-stable' : 'earliest'
}
