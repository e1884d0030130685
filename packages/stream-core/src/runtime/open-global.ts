import { GlobalReader } from './global-reader.ts'
import { checkGlobalState } from './global-state.ts'
import { globalPartitions, GlobalTask } from './global-task.ts'
import type { TopicFacts } from './internal-topics.ts'
import type { StreamsConfig } from './streams-config.ts'

export interface GlobalTables {
  readonly task: GlobalTask
  /** Not started yet. */
  readonly reader: GlobalReader
}

/** The tables that this instance holds as a whole, as its disk has them. */
export async function openGlobal(
  config: StreamsConfig,
  stateDirectory: string,
  { facts, clusterId }: { readonly facts: TopicFacts; readonly clusterId: string },
  onFailure: (error: Error) => void,
): Promise<GlobalTables> {
  const { topology, applicationId, broker, handlers, clock, logger, persistIntervalMs } = config
  const nowMs = (): number => clock.nowMs()
  const topicId = (topic: string): string => facts.topicIds.get(topic) ?? ''
  const partitions = globalPartitions(topology, facts.partitionCounts)
  const { admin } = broker
  await checkGlobalState(stateDirectory, partitions, { admin, clusterId, topicId, nowMs: nowMs(), logger })
  const log = { clusterId, topicId }
  const task = new GlobalTask({ applicationId, topology, stateDirectory, handlers, nowMs, log })
  const reader = new GlobalReader({ broker, task, partitions, logger, clock, persistIntervalMs, onFailure })
  return { task, reader }
}
