import { changelogTopics, topicNames } from '../runtime/internal-topics.ts'
import type { StreamTask } from '../runtime/stream-task.ts'
import type { InputPosition } from '../runtime/stream-task-options.ts'
import type { Topology } from '../topology/topology.ts'
import type { DriverLog } from './driver-log.ts'

export interface CommittedInput extends InputPosition {
  readonly numbers: ReadonlyMap<string, number>
}

/** By `topic:partition`: what was committed of an input. */
export type CommittedInputs = ReadonlyMap<string, CommittedInput>

export function committedInputs(tasks: readonly StreamTask[]): Map<string, CommittedInput> {
  const inputs = new Map<string, CommittedInput>()
  for (const task of tasks) {
    for (const { topic, partition, committable, partitionTimeMs } of task.queues) {
      const numbers = new Map(task.committedNumbers)
      inputs.set(`${topic}:${partition}`, { offset: committable, partitionTimeMs, numbers })
    }
  }
  return inputs
}

/** Brings a task's stores back from their changelogs, and begins its inputs where they were committed. */
export function restoreTask(
  task: StreamTask,
  topology: Topology,
  applicationId: string,
  log: DriverLog,
  committed: CommittedInputs,
): void {
  const changelogOf = changelogTopics(topology, applicationId)
  const nameOf = topicNames(topology, applicationId)
  for (const store of task.state.stores.values()) {
    const topic = changelogOf(store.spec.name)
    if (topic === undefined) continue
    const source = topology.sourceChangelogs.get(store.spec.name)
    const records = log.partition(topic, task.partition)
    const end =
      source === undefined ? records.length : (committed.get(`${nameOf(source)}:${task.partition}`)?.offset ?? 0)
    for (const { key, value, timestampMs, headers } of records.slice(0, end)) {
      if (key !== null) store.restore(key.toString('latin1'), value, timestampMs ?? 0, headers)
    }
  }
  const positions = new Map<string, InputPosition>()
  const numbers = new Map<string, number>()
  for (const topic of task.inputTopics) {
    const input = committed.get(`${topic}:${task.partition}`)
    positions.set(topic, input ?? { offset: 0, partitionTimeMs: -1 })
    for (const [name, value] of input?.numbers ?? []) numbers.set(name, value)
  }
  task.initialise(positions, numbers)
}
