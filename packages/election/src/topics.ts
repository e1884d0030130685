import type { Broker, Logger, TopicSpec } from 'stream-core'

/** The topics the apps share (docs/decisions.md, design §6). Names are a contract: other programs may read them. */
export const topics = {
  /** Ballots, key `pollId|voterTag`, and control records, key `pollId`, written to every partition. */
  ballots: 'ballots',
  /** Poll definitions, compacted, key poll id: for programs that want titles and labels without PostgreSQL. */
  polls: 'polls',
  /** The whole result document of a poll, compacted, key poll id. */
  results: 'results',
  /** Net change per window, compacted, key `pollId|windowMs|startMs`. */
  trends: 'trends',
  /** What became of a ballot, compacted, key receipt. */
  receipts: 'receipts',
  /** Ballots that were not counted, with the reason, key poll id. */
  rejections: 'rejections',
  /** What is found out about a poll beside its result, compacted, key `pollId|kind|startMs` (`analytics-events.ts`). */
  analytics: 'analytics',
} as const

/** The application id of the tally: prefix of its internal topics, its transactional id and its consumer group. */
export const tallyApplicationId = 'tally'

const forever = { 'retention.ms': '-1' }
const compacted = { 'cleanup.policy': 'compact' }

/** The topics, of so many partitions where the number is ours to say. */
export function topicSpecs(partitions: number): readonly TopicSpec[] {
  return [
    { topic: topics.ballots, partitions, configs: forever },
    { topic: topics.polls, partitions: 1, configs: compacted },
    { topic: topics.results, partitions, configs: compacted },
    { topic: topics.trends, partitions, configs: compacted },
    { topic: topics.receipts, partitions, configs: compacted },
    { topic: topics.rejections, partitions, configs: forever },
    { topic: topics.analytics, partitions, configs: compacted },
  ]
}

/**
 * Creates what is missing, so that apps start in any order. The first of them decides about the number of partitions: one that was
 * told another number says so, and goes by what there is.
 */
export async function provideTopics({ admin }: Broker, partitions: number, logger: Logger): Promise<void> {
  const existing = await admin.describeTopics(topicSpecs(partitions).map(({ topic }) => topic))
  const found = existing.get(topics.ballots)?.partitionCount ?? partitions
  if (found !== partitions) {
    logger.warn(
      { event: 'topics.other-width', topic: topics.ballots, asked: partitions, found },
      'BALLOT_PARTITIONS is not what the topics were made with: it is passed over',
    )
  }
  await admin.createTopics(topicSpecs(found).filter(({ topic }) => !existing.has(topic)))
}

/** Partitions of `ballots` unless `BALLOT_PARTITIONS` says otherwise; only the first app to start decides. */
export const defaultPartitions = 4
