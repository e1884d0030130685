import type { FetchedPartition, LogReader } from '../broker/broker.ts'
import { partitionKey } from '../common/record.ts'
import { type Clock, isDue, monotonicMs } from '../common/clock.ts'
import type { CommitGroup } from './commit-group.ts'
import type { ThreadMetrics } from './thread-metrics.ts'
import { yieldToLoop } from './yield-to-loop.ts'
import type { StreamTask } from './stream-task.ts'
import type { TaskManager } from './task-manager.ts'
import type { TimeAlignment } from './time-alignment.ts'

/** Longest time records are processed before timers, sockets and heartbeats get their turn. */
const sliceMs = 15
/** A partition with this many fetches waiting is not fetched again until it has caught up. */
const bufferedFetchesMax = 2
const pollWaitMs = 100

export interface ProcessingLoopOptions {
  readonly tasks: TaskManager
  readonly reader: LogReader
  readonly groups: readonly CommitGroup[]
  readonly alignment: TimeAlignment
  readonly clock: Clock
  readonly commitIntervalMs: number
  readonly metrics: ThreadMetrics
  /** Records of transactions that are open are not to be read, and so do not count as lag. */
  readonly readsCommitted: boolean
  readonly isPaused: () => boolean
  /** Called before each round: what was noted meanwhile is acted upon here, and nowhere else. */
  readonly beforeRound: () => Promise<void>
  /** Called after each round, for what has its own rhythm; must not take long. */
  readonly afterRound: (isIdle: boolean) => Promise<void>
}

/**
 * The loop of an instance (D10): what the group decided → poll → fill queues → process, lowest event time first, in slices
 * → punctuate → commit when due → yield. Nothing happens inside a callback from outside.
 */
export class ProcessingLoop {
  readonly #options: ProcessingLoopOptions
  /** Partitions that have enough waiting. */
  readonly #full = new Set<string>()
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

  /** Commits what is not committed: before tasks are handed over, and at the end. */
  async commit(): Promise<void> {
    // Those that wait for no call first: what they did is not to wait either.
    for (const group of [...this.#options.groups].sort((a, b) => a.pendingCalls - b.pendingCalls)) {
      if (group.isDirty || group.pendingCalls > 0) await this.#commit(group)
    }
  }

  async #run(): Promise<void> {
    const { tasks, reader, groups, isPaused, beforeRound, afterRound, clock, metrics } = this.#options
    let lastPollMs = -1
    while (!this.#isStopping) {
      await beforeRound()
      const startMs = clock.nowMs()
      if (lastPollMs >= 0) metrics.pollIntervals.observe(Math.max(0, startMs - lastPollMs) / 1000)
      const fetched = await reader.poll(this.#waitMs())
      const polledMs = clock.nowMs()
      lastPollMs = polledMs
      for (const partition of fetched) this.#take(partition)
      metrics.busyMs.poll += polledMs - startMs
      if (!isPaused()) {
        this.#processSlice()
        const processedMs = clock.nowMs()
        for (const task of tasks.running) this.#punctuate(task)
        const punctuatedMs = clock.nowMs()
        metrics.busyMs.process += processedMs - polledMs
        metrics.busyMs.punctuate += punctuatedMs - processedMs
      }
      this.#balance()
      for (const group of groups) {
        group.sendEarly()
        if (!this.#isCommitDue(group)) continue
        // A slow call keeps its own group waiting, and nobody else.
        if (group.pendingCalls > 0) group.stopIntake()
        else await this.#commit(group)
      }
      metrics.roll(clock.nowMs())
      await afterRound(fetched.length === 0)
      await yieldToLoop()
    }
    await this.commit()
  }

  async #commit(group: CommitGroup): Promise<void> {
    const { clock, metrics } = this.#options
    const startMs = clock.nowMs()
    try {
      await group.commit()
    } catch (error) {
      metrics.commitFailures++
      throw error
    }
    const durationMs = clock.nowMs() - startMs
    metrics.busyMs.commit += durationMs
    metrics.commitsOf(group.name).observe(durationMs / 1000)
  }

  #take({ topic, partition, records, highWatermark, lastStableOffset }: FetchedPartition): void {
    const { tasks, metrics, readsCommitted } = this.#options
    const task = tasks.readerOf(topic, partition)
    if (task === undefined) return
    metrics.ends.set(partitionKey(topic, partition), readsCommitted ? lastStableOffset : highWatermark)
    task.add(topic, records)
  }

  /** Of the time it takes, what is asked for is one record's share. */
  #processSlice(): void {
    const { tasks, clock, metrics } = this.#options
    const before = processedBy(tasks.running)
    const startMs = monotonicMs(clock)
    this.#process()
    const records = processedBy(tasks.running) - before
    if (records > 0) metrics.processing.observe((monotonicMs(clock) - startMs) / 1000 / records)
  }

  #process(): void {
    const { tasks, clock, alignment, metrics } = this.#options
    const startMs = clock.nowMs()
    // Of each slice, how old its first record was when the clock was asked next.
    let sampled: StreamTask | null = null
    let sampledMs = 0
    const isInTime = (): boolean => {
      const nowMs = clock.nowMs()
      if (sampled !== null) metrics.noteLatency(sampled, sampledMs, nowMs)
      sampled = null
      return !isDue(nowMs, startMs, sliceMs)
    }
    for (const task of tasks.running) task.completeAsync()
    let unasked = 0
    const step = (task: StreamTask, untilMs: number): boolean => {
      const timeMs = task.nextTimeMs
      const before = unasked
      // The clock is asked once for many records: asking costs more than some records do.
      for (; unasked < 64 && task.nextTimeMs <= untilMs && task.processNext(); unasked++) task.punctuate('stream-time')
      if (sampled === null && unasked > before) {
        sampled = task
        sampledMs = timeMs
      }
      if (unasked++ < 64) return true
      unasked = 0
      return isInTime()
    }
    for (let isProgressing = true; isProgressing && isInTime();) {
      isProgressing = alignment.run(tasks.running, step)
      for (const task of tasks.running) if (task.completeAsync()) isProgressing = true
    }
  }

  #punctuate(task: StreamTask): void {
    const { clock, metrics } = this.#options
    const startMs = monotonicMs(clock)
    if (task.punctuate('wall-clock-time')) metrics.punctuations.observe((monotonicMs(clock) - startMs) / 1000)
  }

  /** Pauses partitions that have enough waiting and resumes those that ran dry. */
  #balance(): void {
    const { tasks, reader } = this.#options
    for (const task of tasks.running) {
      for (const queue of task.queues) {
        const key = partitionKey(queue.topic, queue.partition)
        if (queue.bufferedFetches >= bufferedFetchesMax && !this.#full.has(key)) {
          this.#full.add(key)
          reader.pause(queue)
        } else if (queue.bufferedFetches < bufferedFetchesMax && this.#full.delete(key)) {
          reader.resume(queue)
        }
      }
    }
  }

  #isCommitDue(group: CommitGroup): boolean {
    const { clock, commitIntervalMs } = this.#options
    if (group.isCommitRequested) return true
    if (!group.isDirty && group.pendingCalls === 0) return false
    return isDue(clock.nowMs(), group.lastCommitMs, commitIntervalMs)
  }

  /** How long to wait for records: not at all while some are waiting, else until the next thing that is due. */
  #waitMs(): number {
    const { tasks, groups, clock, commitIntervalMs, alignment, isPaused } = this.#options
    const nowMs = clock.nowMs()
    let waitMs = pollWaitMs
    for (const task of isPaused() ? [] : tasks.running) {
      if (task.hasRecords && !alignment.isWaiting) return 0
      waitMs = Math.min(waitMs, task.nextWallClockMs() - nowMs)
    }
    // Those that wait for a partition of theirs may not wait for ever.
    if (alignment.isWaiting) waitMs = Math.min(waitMs, 5)
    for (const group of groups) {
      waitMs = Math.min(waitMs, group.nextSendMs - nowMs)
      // While calls are waited for, their end wakes the loop.
      if (group.isDirty && group.pendingCalls === 0) {
        waitMs = Math.min(waitMs, group.lastCommitMs + commitIntervalMs - nowMs)
      }
    }
    return Math.max(0, waitMs)
  }
}

function processedBy(tasks: readonly StreamTask[]): number {
  let records = 0
  for (const { metrics } of tasks) records += metrics.recordsProcessed
  return records
}
