import { join } from 'node:path'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import type { LogReader } from '../broker/broker.ts'
import { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreTimes } from '../state/store-times.ts'
import type { Subtopology } from '../topology/subtopology.ts'
import { closeAll } from './close-all.ts'
import type { CommitGroup } from './commit-group.ts'
import { type TopicFacts, topicNames } from './internal-topics.ts'
import { inputsOf } from './assignor.ts'
import { decodeOffsetMetadata } from './offset-metadata.ts'
import type { CommitGroupName } from './producers.ts'
import type { Output } from './record-collector.ts'
import type { RestoredTask, StateUpdater } from './state-updater.ts'
import { yieldToLoop } from './yield-to-loop.ts'
import { StreamTask } from './stream-task.ts'
import type { InputPosition } from './stream-task-options.ts'
import type { StreamsConfig } from './streams-config.ts'

export interface TaskManagerOptions {
  readonly config: StreamsConfig
  readonly facts: () => TopicFacts
  readonly statePath: string
  readonly outputOf: (group: CommitGroupName, subtopology: number) => Output
  readonly globalStore: (name: string) => StateStore | undefined
  /** null: calls of stores are not timed. */
  readonly storeTimes: StoreTimes | null
  readonly wake: () => void
  readonly reader: LogReader
  readonly groups: ReadonlyMap<CommitGroupName, CommitGroup>
  /** A task's state is on disk and not open any more. */
  readonly onClosed: (task: StreamTask) => void
}

/**
 * The tasks of an instance and what each of them is doing:
 *
 *   create → standby ⇄ restoring → running
 *               ↑_________________|     every one of them may be closed; after an abort a running one restores again
 *
 * `active` are those this instance is to run, restoring or running. Only the loop calls this.
 */
export class TaskManager {
  /** Restoring or running, by id. */
  readonly active = new Map<string, StreamTask>()
  readonly standby = new Map<string, StreamTask>()
  /** Those that process, in the order of their ids. */
  #running: readonly StreamTask[] = []
  readonly #options: TaskManagerOptions
  readonly #cache: RecordCache | null
  readonly #readerOf = new Map<string, StreamTask>()
  readonly #subtopologies = new Map<number, Subtopology>()
  readonly #topicName: (name: string) => string

  constructor(options: TaskManagerOptions) {
    this.#options = options
    const { topology, applicationId, cacheMaxBytes } = options.config
    this.#cache = cacheMaxBytes === 0 ? null : new RecordCache(cacheMaxBytes)
    this.#topicName = topicNames(topology, applicationId)
    for (const group of topology.subtopologies) this.#subtopologies.set(group.id, group)
  }

  get running(): readonly StreamTask[] {
    return this.#running
  }

  /** Running, restoring and standby. */
  get all(): readonly StreamTask[] {
    return [...this.active.values(), ...this.standby.values()]
  }

  get isRestoring(): boolean {
    return this.#running.length < this.active.size
  }

  readerOf(topic: string, partition: number): StreamTask | undefined {
    return this.#readerOf.get(partitionKey(topic, partition))
  }

  inputsOf = (task: StreamTask): readonly TopicPartition[] => {
    return inputsOf(task.taskId, this.#options.facts())
  }

  groupNameOf(task: StreamTask): CommitGroupName {
    return this.#subtopologies.get(Number(task.taskId.split('_')[0]))!.isAsync ? 'async' : 'main'
  }

  /**
   * Becomes what the group has assigned. What goes must have been committed. `removed` tells which partitions are not read
   * any more.
   */
  async become(active: readonly string[], standby: readonly string[], updater: StateUpdater): Promise<void> {
    const wanted = new Set(active)
    const copies = new Set(standby.filter((id) => !wanted.has(id)))
    // 1. What goes, or only stays as a copy.
    const demoted: StreamTask[] = []
    const leaving = [...this.active].filter(([id]) => !wanted.has(id))
    this.#stop(leaving.map(([, task]) => task))
    for (const [id, task] of leaving) {
      updater.remove(task)
      this.active.delete(id)
      if (copies.has(id)) {
        this.#resetCleanly(task)
        this.standby.set(id, task)
        demoted.push(task)
      } else {
        await this.#close(task)
      }
    }
    for (const [id, task] of this.standby) {
      if (wanted.has(id) || copies.has(id)) continue
      updater.remove(task)
      this.standby.delete(id)
      await this.#close(task)
    }
    // A pattern matches topics that it did not match before: the task begins again, and reads them too.
    const grown = [...this.active.values()].filter((task) => this.#running.includes(task) && this.#hasGrown(task))
    this.#stop(grown)
    for (const task of grown) this.#resetCleanly(task)
    updater.addActive(grown)
    // 2. What comes; a copy that was kept here goes on from where it is.
    const coming = active.filter((id) => !this.active.has(id))
    for (const id of coming) {
      this.active.set(id, this.standby.get(id) ?? this.#create(id))
      this.standby.delete(id)
    }
    updater.addActive(coming.map((id) => this.active.get(id)!))
    const fresh = [...copies].filter((id) => !this.standby.has(id))
    for (const id of fresh) this.standby.set(id, this.#create(id))
    updater.addStandby([...demoted, ...fresh.map((id) => this.standby.get(id)!)])
  }

  /** Its state is complete: it processes from now on. */
  run({ task, positions, committed }: RestoredTask): void {
    const inputs = new Map<string, InputPosition>()
    const numbers = new Map<string, number>()
    for (const [i, { topic, offset, leaderEpoch }] of positions.entries()) {
      const metadata = decodeOffsetMetadata(committed[i]!.metadata)
      inputs.set(topic, { offset, leaderEpoch, partitionTimeMs: metadata.partitionTimeMs })
      for (const [name, value] of metadata.numbers) numbers.set(name, Math.max(value, numbers.get(name) ?? value))
    }
    task.initialise(inputs, numbers)
    for (const [topic, position] of inputs) {
      if (!task.inputTopics.includes(topic)) task.openMatching(topic, position)
    }
    for (const { topic, partition } of positions) this.#readerOf.set(partitionKey(topic, partition), task)
    this.#options.reader.add(positions)
    this.#setRunning([...this.#running, task])
  }

  /** Back to the last commit: every running task gives up what it did since, and restores. */
  rewind(updater: StateUpdater): void {
    const running = this.#running
    this.#stop(running)
    for (const task of running) this.#resetDirty(task)
    updater.addActive([...this.active.values()])
    updater.addStandby([...this.standby.values()])
  }

  /** The group has gone on without this instance: nothing of what it did since the last commit is of use. */
  async lose(): Promise<void> {
    this.#stop(this.#running)
    for (const task of this.active.values()) {
      this.#resetDirty(task)
      await this.#close(task)
    }
    this.active.clear()
  }

  /** After the last commit. */
  async close(): Promise<void> {
    this.#stop(this.#running)
    const tasks = this.all
    this.active.clear()
    this.standby.clear()
    await closeAll(tasks.map((task) => () => this.#close(task)))
  }

  /** What runs and reads other topics than it should: to be committed before `become`. */
  get hasGrown(): boolean {
    return this.#running.some((task) => this.#hasGrown(task))
  }

  #hasGrown(task: StreamTask): boolean {
    return this.inputsOf(task).length !== [...task.queues].length
  }

  #stop(tasks: readonly StreamTask[]): void {
    const stopped = new Set(tasks)
    for (const [key, task] of this.#readerOf) if (stopped.has(task)) this.#readerOf.delete(key)
    for (const task of stopped) this.#options.reader.remove([...task.queues])
    this.#setRunning(this.#running.filter((task) => !stopped.has(task)))
  }

  #setRunning(tasks: readonly StreamTask[]): void {
    this.#running = [...tasks].sort((a, b) => subtopologyOf(a) - subtopologyOf(b) || a.partition - b.partition)
    for (const [name, group] of this.#options.groups) {
      group.tasks = this.#running.filter((task) => this.groupNameOf(task) === name)
    }
  }

  /** What it did is committed; its part of the record cache goes with the reset. */
  #resetCleanly(task: StreamTask): void {
    task.closeProcessors()
    task.reset()
  }

  /** Something has gone wrong already: what a processor says to its end is only logged. */
  #resetDirty(task: StreamTask): void {
    try {
      task.closeProcessors()
    } catch (error) {
      const { logger } = this.#options.config
      logger.warn(
        { event: 'processor.close-failed', task: task.taskId, error: String(error) },
        'a processor did not close',
      )
    }
    task.reset(this.#options.config.seams.dropsActive)
  }

  async #close(task: StreamTask): Promise<void> {
    try {
      this.#resetCleanly(task)
      await task.state.persistAll(yieldToLoop)
      task.state.checkpointIfDue()
    } finally {
      task.state.close()
    }
    this.#options.onClosed(task)
  }

  #create(taskId: string): StreamTask {
    const { config, statePath, outputOf, globalStore, wake } = this.#options
    const [id, partition] = taskId.split('_').map(Number) as [number, number]
    const { nodeNames, storeNames, isAsync } = this.#subtopologies.get(id)!
    return new StreamTask({
      applicationId: config.applicationId,
      taskId,
      partition,
      topology: config.topology,
      nodeNames,
      storeNames,
      stateDirectory: join(statePath, taskId),
      output: outputOf(isAsync ? 'async' : 'main', id),
      handlers: config.handlers,
      deadLetterTopic: config.deadLetterTopic,
      nowMs: () => config.clock.nowMs(),
      topicName: this.#topicName,
      globalStore,
      cache: this.#cache,
      hasExactCacheSizes: false,
      emitIntervalMs: config.emitIntervalMs,
      storeTimes: this.#options.storeTimes ?? undefined,
      wake,
      sleep: (delayMs, signal) => config.clock.sleep(delayMs, signal),
    })
  }
}

const subtopologyOf = (task: StreamTask): number => Number(task.taskId.split('_')[0])
