import type { LogReader } from '../broker/broker.ts'
import type { Clock } from '../common/clock.ts'
import type { Logger } from '../common/logger.ts'
import type { RecordQueue } from './record-queue.ts'
import type { StreamTask } from './stream-task.ts'

/** A partition that has more and brings nothing for so long is left behind: others cannot wait for a broker that is gone. */
const patienceMs = 30_000

export interface TimeAlignmentOptions {
  readonly reader: LogReader
  readonly clock: Clock
  readonly logger: Logger
  /** How far a task may be ahead of the slowest partition that has more; Infinity: it never waits. */
  readonly maxTimeSkewMs: number
  /** How long a task waits for a partition of its own that has no more; −1: also not for one that has. */
  readonly maxTaskIdleMs: number
}

interface Seat {
  readonly task: StreamTask
  /** Event time below which nothing more comes from it, as far as is known; Infinity: it has nothing. */
  boundMs: number
  isReady: boolean
}

/**
 * Decides whose turn it is, so that event time stays together while an application catches up (D17; the idea of watermark
 * alignment). Partitions are fetched unevenly: without this, the records of one that is read ahead would make those of the
 * others late behind the next repartition topic. A partition at its end is never waited for.
 *
 * Within a task (Kafka Streams' `max.task.idle.ms`, KIP-695): a partition that has more to read is waited for before a
 * record of another is taken.
 */
export class TimeAlignment {
  readonly #options: TimeAlignmentOptions
  #seats: Seat[] = []
  #tasks: readonly StreamTask[] = []
  readonly #idleSince = new Map<StreamTask, number>()
  readonly #emptySince = new Map<RecordQueue, number>()
  /** Some task has records and waits. */
  isWaiting = false

  constructor(options: TimeAlignmentOptions) {
    this.#options = options
  }

  /** Runs `process` on tasks in turn, until none is ready, or `process` returns false. */
  run(tasks: readonly StreamTask[], process: (task: StreamTask, untilMs: number) => boolean): boolean {
    if (tasks !== this.#tasks) this.#seat(tasks)
    this.isWaiting = false
    const nowMs = this.#options.clock.nowMs()
    for (const seat of this.#seats) this.#look(seat, nowMs)
    let hasRun = false
    for (;;) {
      // The task that is furthest behind, and the one after it: up to there the first may run without a look at the others.
      let next: Seat | null = null
      let lowestMs = Infinity
      let secondMs = Infinity
      for (let i = 0; i < this.#seats.length; i++) {
        const seat = this.#seats[i]!
        if (seat.boundMs < lowestMs) {
          secondMs = lowestMs
          lowestMs = seat.boundMs
          next = seat
        } else if (seat.boundMs < secondMs) {
          secondMs = seat.boundMs
        }
      }
      if (next !== null && !next.isReady) {
        // It waits for its partitions: others go on as far as they may be ahead of it.
        next = this.#firstReady(lowestMs + this.#options.maxTimeSkewMs)
        secondMs = lowestMs
      }
      if (next === null) {
        this.isWaiting = this.#seats.some(({ isReady }) => isReady)
        return hasRun
      }
      hasRun = true
      if (!process(next.task, secondMs + this.#options.maxTimeSkewMs)) return hasRun
      this.#look(next, nowMs)
    }
  }

  #firstReady(limitMs: number): Seat | null {
    let first: Seat | null = null
    for (const seat of this.#seats) {
      if (seat.isReady && seat.boundMs <= limitMs && (first === null || seat.boundMs < first.boundMs)) first = seat
    }
    return first
  }

  #seat(tasks: readonly StreamTask[]): void {
    this.#tasks = tasks
    this.#seats = tasks.map((task) => ({ task, boundMs: Infinity, isReady: false }))
    this.#idleSince.clear()
    this.#emptySince.clear()
  }

  #look(seat: Seat, nowMs: number): void {
    const { task } = seat
    let boundMs = Infinity
    let isEmpty = false
    let isMissing = false
    const { queueList } = task
    for (let i = 0; i < queueList.length; i++) {
      const queue = queueList[i]!
      if (queue.head !== null) {
        if (queue.head.timestampMs < boundMs) boundMs = queue.head.timestampMs
      } else if (this.#hasMore(queue, nowMs)) {
        isMissing = true
        if (queue.partitionTimeMs < boundMs) boundMs = queue.partitionTimeMs
      } else {
        isEmpty = true
      }
    }
    seat.boundMs = boundMs
    seat.isReady = task.hasRecords && this.#mayGo(task, isMissing, isEmpty, nowMs)
    // Its asynchronous calls hold it back, and not its partitions: nobody else waits for them.
    if (!task.hasRecords && !isMissing) seat.boundMs = Infinity
  }

  #mayGo(task: StreamTask, isMissing: boolean, isEmpty: boolean, nowMs: number): boolean {
    const { maxTaskIdleMs } = this.#options
    if (maxTaskIdleMs < 0 || (!isMissing && (!isEmpty || maxTaskIdleMs === 0))) {
      this.#idleSince.delete(task)
      return true
    }
    if (isMissing) return false
    const since = this.#idleSince.get(task)
    if (since === undefined || nowMs < since) this.#idleSince.set(task, nowMs)
    return since !== undefined && nowMs - since >= maxTaskIdleMs
  }

  /** The log has records of the partition that have not come yet, or has not been heard. */
  #hasMore(queue: RecordQueue, nowMs: number): boolean {
    if (this.#options.reader.remaining(queue) === 0) {
      this.#emptySince.delete(queue)
      return false
    }
    const since = this.#emptySince.get(queue)
    if (since === undefined || nowMs < since) this.#emptySince.set(queue, nowMs)
    if (since === undefined || nowMs - since < patienceMs) return true
    if (nowMs - since < patienceMs * 2) {
      const { topic, partition } = queue
      this.#options.logger.warn(
        { event: 'alignment.left-behind', topic, partition },
        'a partition has brought nothing for long: others go on without it',
      )
      this.#emptySince.set(queue, -Infinity)
    }
    return false
  }
}
