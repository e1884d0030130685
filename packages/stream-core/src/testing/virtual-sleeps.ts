import type { SleepPurpose } from '../processor/processor-context.ts'

interface Sleeper {
  readonly atMs: number
  readonly finish: () => void
}

/** Waits of asynchronous operators in a test: nothing waits for a retry, and a timeout comes when the test moves the clock. */
export class VirtualSleeps {
  readonly #nowMs: () => number
  readonly #sleepers = new Set<Sleeper>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  sleep(delayMs: number, signal: AbortSignal, purpose: SleepPurpose): Promise<void> {
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
}
