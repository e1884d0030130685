import type { Cancellable, PunctuationType } from '../processor/processor-context.ts'

interface Schedule {
  readonly intervalMs: number
  readonly type: PunctuationType
  readonly run: (timestampMs: number) => void
  nextMs: number
  isCancelled: boolean
}

/**
 * The schedules of a task. Stream time: aligned to 0, first due as soon as stream time is known. Wall clock: first due an
 * interval from now. Intervals that were missed become one call with the current time (reference §4.2).
 */
export class Punctuations {
  readonly #schedules: Schedule[] = []

  add(intervalMs: number, type: PunctuationType, nowMs: number, run: (timestampMs: number) => void): Cancellable {
    if (!Number.isSafeInteger(intervalMs) || intervalMs <= 0) {
      throw new RangeError(`a punctuation's interval must be a whole number of milliseconds above 0, got ${intervalMs}`)
    }
    const nextMs = type === 'stream-time' ? 0 : nowMs + intervalMs
    const schedule: Schedule = { intervalMs, type, run, nextMs, isCancelled: false }
    this.#schedules.push(schedule)
    return { cancel: () => void (schedule.isCancelled = true) }
  }

  /** Runs what is due at `timeMs`; true if anything ran. */
  punctuate(type: PunctuationType, timeMs: number): boolean {
    let hasRun = false
    if (timeMs < 0) return false
    for (let i = 0; i < this.#schedules.length; i++) {
      const schedule = this.#schedules[i]!
      if (schedule.isCancelled) {
        this.#schedules.splice(i--, 1)
        continue
      }
      if (schedule.type !== type || timeMs < schedule.nextMs) continue
      const missed = Math.floor((timeMs - schedule.nextMs) / schedule.intervalMs)
      schedule.nextMs += (missed + 1) * schedule.intervalMs
      schedule.run(timeMs)
      hasRun = true
    }
    return hasRun
  }

  /** Wall-clock time of the next call, or Infinity. */
  nextWallClockMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { type, nextMs, isCancelled } of this.#schedules) {
      if (type === 'wall-clock-time' && !isCancelled && nextMs < next) next = nextMs
    }
    return next
  }
}
