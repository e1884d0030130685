import type { Clock } from '../../src/index.ts'

interface Sleeper {
  readonly atMs: number
  readonly number: number
  readonly wake: () => void
}

export const startMs = 1_700_000_000_000

/** Time that moves only when the simulation says so; whoever sleeps is woken in the order of time, and of coming. */
export class SimClock implements Clock {
  #nowMs = startMs
  #sleepers: Sleeper[] = []
  #count = 0

  nowMs(): number {
    return this.#nowMs
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const sleeper: Sleeper = { atMs: this.#nowMs + Math.max(0, delayMs), number: this.#count++, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
          resolve()
        },
        { once: true },
      )
    })
  }

  advance(byMs: number): void {
    this.#nowMs += byMs
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs)
    if (due.length === 0) return
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#nowMs)
    for (const { wake } of due.sort((a, b) => a.atMs - b.atMs || a.number - b.number)) wake()
  }
}
