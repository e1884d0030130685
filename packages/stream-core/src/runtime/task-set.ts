import { join } from 'node:path'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import { type TopicFacts, topicNames } from './internal-topics.ts'
import type { Output } from './record-collector.ts'
import type { CommitGroupName } from './producers.ts'
import { StreamTask } from './stream-task.ts'
import type { StreamsConfig } from './streams-config.ts'

export interface TaskSetOptions {
  readonly statePath: string
  readonly outputOf: (group: CommitGroupName) => Output
  readonly globalStore: (name: string) => StateStore | undefined
  readonly wake: () => void
}

/** All tasks of one instance, and which of them reads which partition. */
export class TaskSet {
  readonly tasks: readonly StreamTask[]
  /** The same, by commit group; a group without tasks is not there. */
  readonly groups: ReadonlyMap<CommitGroupName, readonly StreamTask[]>
  readonly inputs: readonly TopicPartition[]
  readonly #readerOf = new Map<string, StreamTask>()

  constructor(config: StreamsConfig, facts: TopicFacts, { statePath, outputOf, globalStore, wake }: TaskSetOptions) {
    const { topology, applicationId } = config
    const topicName = topicNames(topology, applicationId)
    const tasks: StreamTask[] = []
    const groups = new Map<CommitGroupName, StreamTask[]>()
    const inputs: TopicPartition[] = []
    const cache = config.cacheMaxBytes === 0 ? null : new RecordCache(config.cacheMaxBytes)
    for (const { id, nodeNames, storeNames, sourceTopics, isGlobal, isAsync } of topology.subtopologies) {
      if (isGlobal) continue
      const group = isAsync ? 'async' : 'main'
      const members = groups.get(group) ?? []
      groups.set(group, members)
      const topics = sourceTopics.map(topicName)
      const width = Math.max(...topics.map((topic) => facts.partitionCounts.get(topic)!))
      for (let partition = 0; partition < width; partition++) {
        const taskId = `${id}_${partition}`
        const task = new StreamTask({
          applicationId,
          taskId,
          partition,
          topology,
          nodeNames,
          storeNames,
          stateDirectory: join(statePath, taskId),
          output: outputOf(group),
          handlers: config.handlers,
          nowMs: () => config.clock.nowMs(),
          topicName,
          globalStore,
          cache,
          hasExactCacheSizes: false,
          emitIntervalMs: config.emitIntervalMs,
          wake,
          sleep: (delayMs, signal) => config.clock.sleep(delayMs, signal),
        })
        tasks.push(task)
        members.push(task)
        for (const topic of topics) {
          if (partition >= facts.partitionCounts.get(topic)!) continue
          inputs.push({ topic, partition })
          this.#readerOf.set(partitionKey(topic, partition), task)
        }
      }
    }
    this.tasks = tasks
    this.groups = groups
    this.inputs = inputs
  }

  readerOf(topic: string, partition: number): StreamTask {
    return this.#readerOf.get(partitionKey(topic, partition))!
  }
}
