import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Admin } from '../broker/broker.ts'
import type { Logger } from '../common/logger.ts'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import { TaskDatabase } from '../state/task-database.ts'
import { mistrust } from './changelog-trust.ts'

/** The topics' settings are the user's, and not known: half the time for which Kafka keeps deletions by default. */
const patienceMs = 43_200_000

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
    const log = { topic, clusterId, topicId: topicId(topic), start: starts[i]!, end: ends[i]! }
    const position = positions.get(partitionKey(topic, partition)) ?? null
    const isOld = position !== null && position.offset < log.end && nowMs - position.savedAtMs > patienceMs
    // Deletions may have been compacted away that this state never saw: their keys would come back.
    const why = mistrust(position, log) ?? (isOld ? `it is older than deletions in ${topic} may be kept` : null)
    if (why === null) continue
    logger.warn(
      { event: 'state.wiped', task: 'global', topic, partition, reason: why },
      `local state of global tables cannot be used: ${why}; their topics are read from the beginning`,
    )
    TaskDatabase.remove(directory)
    return
  }
}
