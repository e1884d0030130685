import { topicNames } from './internal-topics.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamsConfig } from './streams-config.ts'

/**
 * Deletes from repartition topics what these tasks have committed past: nobody needs it any more. Nobody waits for it, and a failure
 * only delays it.
 */
export function purgeRepartitionTopics(config: StreamsConfig, running: readonly StreamTask[]): void {
  const { topology, applicationId, broker, logger } = config
  const internal = new Set(topology.repartitionTopics.map(({ name }) => topicNames(topology, applicationId)(name)))
  const before = running
    .flatMap((task) => [...task.queues])
    .filter((queue) => internal.has(queue.topic) && queue.committed > 0)
    .map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }))
  if (before.length === 0) return
  broker.admin.deleteRecords(before).catch((error: unknown) => {
    logger.warn({ event: 'repartition.purge-failed', error: String(error) }, 'repartition topics were not purged')
  })
}
