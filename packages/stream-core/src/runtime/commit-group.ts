import type { Admin, CommittedOffset, LogProducer } from '../broker/broker.ts'
import type { ChangelogPosition } from '../state/task-database.ts'
import { encodeOffsetMetadata } from './offset-metadata.ts'
import type { StreamTask } from './stream-task.ts'

/**
 * The commit (D12). Its unit is the commit group: all tasks that share one producer. The steps are those of
 * docs/internals/exactly-once.md, by number; crash tests stop before and after each of them.
 */
export const commitSteps = [
  'stop intake',
  'flush caches',
  'append changelogs',
  'commit in the log',
  'freeze the layers',
  'resume',
] as const
export type CommitStep = (typeof commitSteps)[number]

export interface CommitGroupOptions {
  readonly groupId: string
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly admin: Admin
  readonly clusterId: string
  /** Topic id of a changelog. */
  readonly topicId: (topic: string) => string
  /** The topic a store is restored from; undefined: none. */
  readonly changelogTopic: (store: string) => string | undefined
  readonly nowMs: () => number
  /** Resolves when an asynchronous call has ended since it was called. */
  readonly nextWake: () => Promise<void>
  /** Called around each step: where a crash test kills the process. */
  readonly onStep?: ((step: CommitStep, phase: 'before' | 'after') => void) | undefined
}

export class CommitGroup {
  readonly tasks: readonly StreamTask[]
  readonly #options: CommitGroupOptions
  readonly #producer: LogProducer
  /** When the last commit ended; 0: there was none. */
  lastCommitMs = 0

  constructor(tasks: readonly StreamTask[], producer: LogProducer, options: CommitGroupOptions) {
    this.tasks = tasks
    this.#producer = producer
    this.#options = options
  }

  get isDirty(): boolean {
    return this.tasks.some((task) => task.isDirty)
  }

  get isCommitRequested(): boolean {
    return this.tasks.some((task) => task.isCommitRequested)
  }

  /** Asynchronous calls under way: a commit has to wait for them, for their records count as processed. */
  get pendingCalls(): number {
    return this.tasks.reduce((sum, task) => sum + task.pendingCalls, 0)
  }

  /** No record is taken until the next commit is done: the calls under way come to an end. */
  stopIntake(): void {
    for (const task of this.tasks) task.isIntakeStopped = true
  }

  /**
   * Commits what all tasks did since the last time. On a rejection nothing was frozen and the outcome may be unknown:
   * the caller drops the active layers, asks the log what is committed and replays it, and never decides from memory.
   */
  async commit(): Promise<void> {
    const { onStep } = this.#options
    const step = async (name: CommitStep, run: () => void | Promise<void>): Promise<void> => {
      onStep?.(name, 'before')
      await run()
      onStep?.(name, 'after')
    }
    const dirty = this.tasks.filter((task) => task.isDirty || task.pendingCalls > 0)
    let offsets: readonly CommittedOffset[] = []

    // 1. No record is taken from here on.
    await step('stop intake', () => this.stopIntake())

    // 2. Asynchronous calls end, and results that the caches held back are forwarded, in topological order; what is
    // forwarded may make calls again.
    await step('flush caches', async () => {
      for (const task of dirty) {
        do {
          await this.#drain(task)
          task.flushCaches()
        } while (task.pendingCalls > 0)
      }
      offsets = dirty.flatMap(offsetsOf)
    })

    // 3. The changelog gets the last value of every key that was written.
    await step('append changelogs', async () => {
      for (const task of dirty) this.#appendChangelogs(task)
      if (this.#options.guarantee === 'at-least-once') await this.#producer.flush()
    })

    // 4. Output, changelogs and input positions become visible together (exactly-once), or output before positions.
    await step('commit in the log', async () => {
      if (this.#options.guarantee === 'exactly-once') {
        await this.#producer.sendOffsets(this.#options.groupId, offsets)
        await this.#producer.commit()
      } else {
        await this.#producer.commitOffsets(this.#options.groupId, offsets)
      }
    })

    // 5. What was written is part of the committed state, with the changelog positions it stands for.
    const positions = await Promise.all(dirty.map((task) => this.#changelogPositions(task)))
    await step('freeze the layers', () => {
      for (const [i, task] of dirty.entries()) task.state.freeze(positions[i]!)
    })

    // 6. The loop goes on.
    await step('resume', () => {
      for (const task of this.tasks) task.isIntakeStopped = false
      for (const task of dirty) task.markCommitted()
      this.lastCommitMs = this.#options.nowMs()
    })
  }

  /** Each call ends by itself: by its result, its failure or its timeout. */
  async #drain(task: StreamTask): Promise<void> {
    task.completeAsync()
    while (task.pendingCalls > 0) {
      await this.#options.nextWake()
      task.completeAsync()
    }
  }

  #appendChangelogs(task: StreamTask): void {
    for (const store of task.state.stores.values()) {
      const topic = this.#options.changelogTopic(store.spec.name)
      if (store.spec.logging === null || topic === undefined) continue
      store.changes((key, value, timestampMs, headers) => {
        this.#producer.append(topic, task.partition, key, value, timestampMs ?? this.#options.nowMs(), headers)
      })
    }
  }

  async #changelogPositions(task: StreamTask): Promise<Map<string, ChangelogPosition>> {
    const { admin, clusterId, topicId, changelogTopic, nowMs } = this.#options
    const positions = new Map<string, ChangelogPosition>()
    for (const store of task.state.stores.values()) {
      const topic = changelogTopic(store.spec.name)
      if (topic === undefined || !store.hasChanges) continue
      if (store.spec.logging === null) {
        // The topic it is restored from is an input: the state stands for what was read of it.
        const input = [...task.queues].find((queue) => queue.topic === topic)
        if (input === undefined) continue
        const at = { offset: input.committable, clusterId, topicId: topicId(topic), savedAtMs: nowMs() }
        positions.set(store.spec.name, at)
        continue
      }
      let offset = this.#producer.nextOffset(topic, task.partition)
      if (offset < 0) [offset = 0] = await admin.listOffsets([{ topic, partition: task.partition }], 'latest')
      positions.set(store.spec.name, { offset, clusterId, topicId: topicId(topic), savedAtMs: nowMs() })
    }
    return positions
  }
}

function offsetsOf(task: StreamTask): CommittedOffset[] {
  return [...task.queues].map((queue) => ({
    topic: queue.topic,
    partition: queue.partition,
    offset: queue.committable,
    metadata: encodeOffsetMetadata({ partitionTimeMs: queue.partitionTimeMs, numbers: task.committedNumbers }),
  }))
}
