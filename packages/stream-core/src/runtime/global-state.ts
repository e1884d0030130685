import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Admin } from '../broker/broker.ts'
import type { Logger } from '../common/logger.ts'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import { TaskDatabase } from '../state/task-database.ts'
import { mistrust } from './following.ts'

export interface GlobalStateFacts {
  readonly admin: Admin
  readonly clusterId: string
  readonly topicId: (topic: string) => string
  readonly nowMs: number
  readonly logger: Logger
}

/**
 * Deletes what is kept of global stores if it cannot be continued from: it belongs to another log, or records may have gone
 * unseen. To be called before anybody has a store of it.
 */
export async function checkGlobalState(
  directory: string,
  partitions: readonly TopicPartition[],
  { admin, clusterId, topicId, nowMs, logger }: GlobalStateFacts,
): Promise<void> {
  if (!existsSync(join(directory, 'state.db'))) return
  const file = TaskDatabase.open(directory)
  const positions = file.positions()
  file.close()
  const starts = await admin.listOffsets(partitions, 'earliest')
  const ends = await admin.listOffsets(partitions, 'latest')
  for (const [i, { topic, partition }] of partitions.entries()) {
    const log = { clusterId, topicId: topicId(topic), start: starts[i]!, end: ends[i]!, nowMs }
    // Their settings are the user's, and not known: as if deletions were kept for a day, as is Kafka's default.
    const why = mistrust(positions.get(partitionKey(topic, partition)) ?? null, {}, topic, log)
    if (why === null) continue
    logger.warn(
      { event: 'state.wiped', task: 'global', topic, partition, reason: why },
      `local state of global tables cannot be used: ${why}; their topics are read from the beginning`,
    )
    TaskDatabase.remove(directory)
    return
  }
}
