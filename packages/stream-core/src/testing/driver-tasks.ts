import type { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import { storesInOrder } from '../topology/subtopology.ts'
import type { Topology } from '../topology/topology.ts'
import type { SleepPurpose } from '../processor/processor-context.ts'
import type { ErrorHandlers } from '../runtime/handlers.ts'
import { topicNames } from '../runtime/internal-topics.ts'
import type { Output } from '../runtime/record-collector.ts'
import { StreamTask } from '../runtime/stream-task.ts'

export interface DriverTaskOptions {
  readonly topology: Topology
  readonly applicationId: string
  readonly handlers: ErrorHandlers
  readonly deadLetterTopic: string | null
  readonly nowMs: () => number
  readonly output: Output
  readonly globalStore: (name: string) => StateStore | undefined
  readonly cache: RecordCache | null
  readonly emitIntervalMs: number
  readonly wake: () => void
  readonly sleep: (delayMs: number, signal: AbortSignal, purpose: SleepPurpose) => Promise<void>
}

/** As Kafka Streams' test driver: every sub-topology in one task, over partition 0 of everything. */
export function oneTask(options: DriverTaskOptions): readonly StreamTask[] {
  const { topology, cache } = options
  const groups = topology.subtopologies.filter(({ isGlobal }) => !isGlobal)
  const names = new Set(groups.flatMap(({ nodeNames }) => nodeNames))
  const storeNames = storesInOrder(topology.nodes.filter(({ name }) => names.has(name)))
  return [newTask(options, { taskId: '0_0', partition: 0, nodeNames: [...names], storeNames, cache })]
}

/** As in production: a task for each sub-topology and partition. */
export function tasksByPartition(
  options: DriverTaskOptions,
  partitionCount: (topic: string) => number,
): readonly StreamTask[] {
  const { topology, applicationId, cache } = options
  const nameOf = topicNames(topology, applicationId)
  return topology.subtopologies
    .filter(({ isGlobal }) => !isGlobal)
    .flatMap(({ id, nodeNames, storeNames, sourceTopics }) => {
      const width = Math.max(...sourceTopics.map((topic) => partitionCount(nameOf(topic))))
      return Array.from({ length: width }, (_, partition) =>
        newTask(options, { taskId: `${id}_${partition}`, partition, nodeNames, storeNames, cache }),
      )
    })
}

interface Place {
  readonly taskId: string
  readonly partition: number
  readonly nodeNames: readonly string[]
  readonly storeNames: readonly string[]
  readonly cache: RecordCache | null
}

function newTask(options: DriverTaskOptions, place: Place): StreamTask {
  const { topology, applicationId, handlers, deadLetterTopic, nowMs, output, globalStore } = options
  const { emitIntervalMs, wake, sleep } = options
  return new StreamTask({
    looksForChanges: true,
    ...place,
    topology,
    applicationId,
    handlers,
    deadLetterTopic,
    nowMs,
    output,
    globalStore,
    emitIntervalMs,
    wake,
    sleep,
    stateDirectory: null,
    hasExactCacheSizes: true,
    topicName: topicNames(topology, applicationId),
  })
}
