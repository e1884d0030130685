import { systemClock } from '../common/clock.ts'
import { StreamsError } from '../common/errors.ts'
import type { SleepPurpose } from '../processor/processor-context.ts'
import type { StreamTask } from '../runtime/stream-task.ts'

/** What a timer of Node.js takes. */
const longestTimerMs = 2 ** 31 - 1

interface Sleeper {
  readonly atMs: number
  readonly finish: () => void
}

/** Waits of asynchronous operators in a test: nothing waits for a retry, and a timeout comes when the test moves the clock. */
export class VirtualSleeps {
  readonly #nowMs: () => number
  readonly #sleepers = new Set<Sleeper>()
  /** Waits that have begun so far: as long as it grows, calls are tried. */
  #begun = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  sleep(delayMs: number, signal: AbortSignal, purpose: SleepPurpose): Promise<void> {
    this.#begun++
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const sleeper: Sleeper = {
        atMs: this.#nowMs() + delayMs,
        finish: (): void => {
          this.#sleepers.delete(sleeper)
          signal.removeEventListener('abort', sleeper.finish)
          resolve()
        },
      }
      signal.addEventListener('abort', sleeper.finish, { once: true })
      if (purpose === 'retry') setImmediate(sleeper.finish)
      else this.#sleepers.add(sleeper)
    })
  }

  /** The clock has moved. */
  wakeDue(): void {
    for (const sleeper of this.#sleepers) if (sleeper.atMs <= this.#nowMs()) sleeper.finish()
  }

  /** Waits for the end of a call; rejects when for that long, by the clock of the machine, none was even tried again. */
  async patiently(callEnded: Promise<void>, patienceMs: number, tasks: readonly StreamTask[]): Promise<void> {
    const ended = callEnded.then(() => true)
    for (;;) {
      const begun = this.#begun
      const isOver = new AbortController()
      const waited = systemClock.sleep(Math.min(patienceMs, longestTimerMs), isOver.signal).then(() => false)
      const hasEnded = await Promise.race([ended, waited])
      isOver.abort()
      if (hasEnded) return
      if (this.#begun === begun) throw this.#inVain(patienceMs, tasks)
    }
  }

  #inVain(patienceMs: number, tasks: readonly StreamTask[]): StreamsError {
    const counts = new Map<string, number>()
    for (const { callsUnderWay } of tasks) {
      for (const [name, count] of callsUnderWay) counts.set(name, (counts.get(name) ?? 0) + count)
    }
    const calls = [...counts].map(([name, count]) => `${count} of "${name}"`).join(', ')
    const nextInMs = Math.min(...[...this.#sleepers].map(({ atMs }) => atMs)) - this.#nowMs()
    return new StreamsError(
      'ILLEGAL_STATE',
      `for ${patienceMs} ms no asynchronous call has ended; under way: ${calls}. Their timeouts come with the clock of the ` +
        `driver: advanceWallClockTime(${nextInMs}) lets the next one come. For calls that really take longer, give drain() ` +
        'more patienceMs',
    )
  }
}
