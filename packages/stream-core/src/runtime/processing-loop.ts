import type { LogReader } from '../broker/broker.ts'
import { partitionKey } from '../common/record.ts'
import type { Clock } from '../common/clock.ts'
import type { CommitGroup } from './commit-group.ts'
import { yieldToLoop } from './restorer.ts'
import type { TaskSet } from './task-set.ts'

/** Longest time records are processed before timers, sockets and heartbeats get their turn. */
const sliceMs = 15
/** A partition with this many fetches waiting is not fetched again until it has caught up. */
const bufferedFetchesMax = 2
const pollWaitMs = 100

export interface ProcessingLoopOptions {
  readonly tasks: TaskSet
  readonly reader: LogReader
  readonly groups: readonly CommitGroup[]
  readonly clock: Clock
  readonly commitIntervalMs: number
  /** Called after each round, for what has its own rhythm; must not take long. */
  readonly afterRound: (isIdle: boolean) => Promise<void>
}

/**
 * The loop of an instance (D10): poll → fill queues → process, lowest event time first, in slices → punctuate → commit
 * when due → yield. Nothing happens inside a callback from outside.
 */
export class ProcessingLoop {
  readonly #options: ProcessingLoopOptions
  readonly #paused = new Set<string>()
  #isStopping = false

  constructor(options: ProcessingLoopOptions) {
    this.#options = options
  }

  /** Makes `run` commit and return after the record under way; asynchronous calls get a bounded time to end. */
  stop(): void {
    this.#isStopping = true
    for (const group of this.#options.groups) group.beginClose()
    this.#options.reader.wakeup()
  }

  /** Runs until stopped; rejects with what broke it. Nothing is committed after a rejection. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } finally {
      for (const group of this.#options.groups) group.endClose()
    }
  }

  async #run(): Promise<void> {
    const { tasks, reader, groups, afterRound } = this.#options
    while (!this.#isStopping) {
      const fetched = await reader.poll(this.#waitMs())
      for (const { topic, partition, records } of fetched) tasks.readerOf(topic, partition).add(topic, records)
      this.#process()
      this.#balance()
      for (const task of tasks.tasks) task.punctuate('wall-clock-time')
      for (const group of groups) {
        if (!this.#isCommitDue(group)) continue
        // A slow call keeps its own group waiting, and nobody else.
        if (group.pendingCalls > 0) group.stopIntake()
        else await group.commit()
      }
      await afterRound(fetched.length === 0)
      await yieldToLoop()
    }
    // Those that wait for no call first: what they did is not to wait either.
    for (const group of [...groups].sort((a, b) => a.pendingCalls - b.pendingCalls)) {
      if (group.isDirty || group.pendingCalls > 0) await group.commit()
    }
  }

  #process(): void {
    const { tasks, clock } = this.#options
    const endMs = clock.nowMs() + sliceMs
    let isProgressing = true
    while (isProgressing) {
      isProgressing = false
      for (const task of tasks.tasks) {
        if (task.completeAsync()) isProgressing = true
        // The clock is asked once for many records: asking costs more than some records do.
        for (let i = 0; i < 64 && task.processNext(); i++) {
          isProgressing = true
          task.punctuate('stream-time')
        }
        if (clock.nowMs() >= endMs) return
      }
    }
  }

  /** Pauses partitions that have enough waiting and resumes those that ran dry. */
  #balance(): void {
    const { tasks, reader } = this.#options
    for (const task of tasks.tasks) {
      for (const queue of task.queues) {
        const key = partitionKey(queue.topic, queue.partition)
        if (queue.bufferedFetches >= bufferedFetchesMax && !this.#paused.has(key)) {
          this.#paused.add(key)
          reader.pause(queue)
        } else if (queue.bufferedFetches < bufferedFetchesMax && this.#paused.delete(key)) {
          reader.resume(queue)
        }
      }
    }
  }

  #isCommitDue(group: CommitGroup): boolean {
    const { clock, commitIntervalMs } = this.#options
    if (group.isCommitRequested) return true
    if (!group.isDirty && group.pendingCalls === 0) return false
    return clock.nowMs() - group.lastCommitMs >= commitIntervalMs
  }

  /** How long to wait for records: not at all while some are waiting, else until the next thing that is due. */
  #waitMs(): number {
    const { tasks, groups, clock, commitIntervalMs } = this.#options
    const nowMs = clock.nowMs()
    let waitMs = pollWaitMs
    for (const task of tasks.tasks) {
      if (task.hasRecords) return 0
      waitMs = Math.min(waitMs, task.nextWallClockMs() - nowMs)
    }
    for (const group of groups) {
      // While calls are waited for, their end wakes the loop.
      if (group.isDirty && group.pendingCalls === 0) {
        waitMs = Math.min(waitMs, group.lastCommitMs + commitIntervalMs - nowMs)
      }
    }
    return Math.max(0, waitMs)
  }
}
