import type { EngineContext } from '../processor/processor-context.ts'

/**
 * When results that are emitted on window close are looked for (KIP-825; reference §2.6): on each record, but at most once
 * per `emitIntervalMs` of wall-clock time, and only if the close time has passed the last emission. An attempt that finds
 * nothing uses the interval up, too. The last close time is kept with the committed offsets, so that a restart neither
 * repeats nor skips.
 */
export class EmitFinal {
  readonly #context: EngineContext
  readonly #name: string
  #nextAttemptMs = 0
  /** Close time of the last emission; −1 before the first. */
  lastCloseMs: number

  constructor(context: EngineContext, storeName: string) {
    this.#context = context
    this.#name = storeName
    this.lastCloseMs = context.committedNumber(storeName) ?? -1
  }

  isDue(closeTimeMs: number): boolean {
    const nowMs = this.#context.currentSystemTimeMs()
    if (nowMs < this.#nextAttemptMs) return false
    this.#nextAttemptMs = nowMs + this.#context.emitIntervalMs
    return this.lastCloseMs === -1 || this.lastCloseMs < closeTimeMs
  }

  emitted(closeTimeMs: number): void {
    this.lastCloseMs = closeTimeMs
    this.#context.setCommittedNumber(this.#name, closeTimeMs)
  }
}
