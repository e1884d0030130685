import { BinaryHeap } from '../common/binary-heap.ts'
import { oneOf } from '../common/choice.ts'
import type { Cancellable, PunctuationType } from '../processor/processor-context.ts'

interface Schedule {
  readonly intervalMs: number
  readonly run: (timestampMs: number) => void
  /** Before this it is never due. */
  readonly startMs: number
  nextMs: number
  isCancelled: boolean
}

export interface PunctuationOptions {
  readonly intervalMs: number
  readonly type: PunctuationType
  /** The boundaries are this plus multiples of the interval; null: those of `type`. */
  readonly startMs: number | null
  /** Where the schedule's clock stands. */
  readonly nowMs: number
  readonly run: (timestampMs: number) => void
}

/**
 * The schedules of a task. Stream time: aligned to 0, first due as soon as stream time is known. Wall clock: first due an
 * interval from now. Intervals that were missed become one call with the current time (reference §4.2); what is due
 * together is called in the order of java.util.PriorityQueue, as in Kafka Streams.
 */
export class Punctuations {
  readonly #queues = {
    'stream-time': new BinaryHeap<Schedule>((a, b) => a.nextMs - b.nextMs),
    'wall-clock-time': new BinaryHeap<Schedule>((a, b) => a.nextMs - b.nextMs),
  }

  add({ intervalMs, type, startMs, nowMs, run }: PunctuationOptions): Cancellable {
    if (!Number.isSafeInteger(intervalMs) || intervalMs <= 0) {
      throw new RangeError(`a punctuation's interval must be a whole number of milliseconds above 0, got ${intervalMs}`)
    }
    if (startMs !== null && (!Number.isSafeInteger(startMs) || startMs < 0)) {
      throw new RangeError(`a punctuation's start must be a time in milliseconds, 0 or later, got ${startMs}`)
    }
    oneOf('type', type, ['stream-time', 'wall-clock-time'])
    const nextMs = startMs ?? (type === 'stream-time' ? 0 : nowMs + intervalMs)
    const schedule: Schedule = { intervalMs, run, startMs: startMs ?? 0, nextMs, isCancelled: false }
    if (startMs !== null && startMs < nowMs) advance(schedule, nowMs)
    this.#queues[type].push(schedule)
    return { cancel: () => void (schedule.isCancelled = true) }
  }

  #wallClockMs = -1

  /** Runs what is due at `timeMs`; true if anything ran. */
  punctuate(type: PunctuationType, timeMs: number): boolean {
    if (timeMs < 0) return false
    if (type === 'wall-clock-time') this.#noteWallClock(timeMs)
    const queue = this.#queues[type]
    let hasRun = false
    for (let next = queue.peek(); next !== undefined && next.nextMs <= timeMs; next = queue.peek()) {
      queue.pop()
      if (next.isCancelled) continue
      hasRun = true
      next.run(timeMs)
      // Read again: it may have been cancelled from inside the call.
      if (next.isCancelled as boolean) continue
      advance(next, timeMs)
      queue.push(next)
    }
    return hasRun
  }

  /** The clock may be set back: nobody is to wait until it is where it was. */
  #noteWallClock(timeMs: number): void {
    const isSetBack = timeMs < this.#wallClockMs
    this.#wallClockMs = timeMs
    if (!isSetBack) return
    const old = this.#queues['wall-clock-time']
    this.#queues['wall-clock-time'] = new BinaryHeap((a, b) => a.nextMs - b.nextMs)
    for (let next = old.pop(); next !== undefined; next = old.pop()) {
      const ahead = Math.ceil((next.nextMs - timeMs) / next.intervalMs) - 1
      if (ahead > 0) next.nextMs = Math.max(next.startMs, next.nextMs - ahead * next.intervalMs)
      this.#queues['wall-clock-time'].push(next)
    }
  }

  /** Wall-clock time of the next call, or Infinity. */
  nextWallClockMs(): number {
    return this.#queues['wall-clock-time'].peek()?.nextMs ?? Number.POSITIVE_INFINITY
  }
}

/** To the first boundary behind `timeMs`. */
function advance(schedule: Schedule, timeMs: number): void {
  const missed = Math.max(0, Math.floor((timeMs - schedule.nextMs) / schedule.intervalMs))
  schedule.nextMs += (missed + 1) * schedule.intervalMs
}
