import { isDue } from '../common/clock.ts'
import type { StreamsConfig } from './streams-config.ts'
import type { StreamTask } from './stream-task.ts'
import type { ThreadMetrics } from './thread-metrics.ts'
import { yieldToLoop } from './yield-to-loop.ts'

/**
 * More entries than these are not left waiting for the disk: each costs some hundred bytes, and a garbage collector that looks at
 * them. They are still enough for rows to be written in long runs.
 */
const waitingMax = 100_000

export interface StateWriterOptions {
  readonly config: StreamsConfig
  readonly tasks: () => readonly StreamTask[]
  readonly metrics: ThreadMetrics
}

/** Writes what is committed to the tasks' files: from time to time, or when much waits; records are processed meanwhile. */
export class StateWriter {
  readonly #options: StateWriterOptions
  #lastMs = 0
  #writing: Promise<void> | null = null
  /** A disk that is full is not asked again in each round. */
  #hasFailed = false

  constructor(options: StateWriterOptions) {
    this.#options = options
  }

  /** Resolves when nothing is being written. */
  get settled(): Promise<void> {
    return this.#writing ?? Promise.resolve()
  }

  /** After each round of the loop. */
  afterRound(nowMs: number, isIdle: boolean): void {
    const { config, tasks } = this.#options
    if (this.#writing !== null) return
    if (isDue(nowMs, this.#lastMs, config.persistIntervalMs) || (!this.#hasFailed && this.#waiting > waitingMax)) {
      this.#lastMs = nowMs
      this.#writing = this.#write().finally(() => (this.#writing = null))
    } else if (isIdle) {
      for (const task of tasks()) task.state.checkpointIfDue()
    }
  }

  /** Without rows of a restore, which take less, and are looked after there. */
  get #waiting(): number {
    let entries = 0
    for (const { state } of this.#options.tasks()) entries += state.frozenEntries - state.restoredRows
    return entries
  }

  async #write(): Promise<void> {
    const { config, tasks, metrics } = this.#options
    const { clock, logger } = config
    const startMs = clock.nowMs()
    try {
      for (const task of tasks()) await task.state.persist(yieldToLoop)
      this.#hasFailed = false
      metrics.persists.observe((clock.nowMs() - startMs) / 1000)
    } catch (error) {
      this.#hasFailed = true
      logger.error({ event: 'state.persist-failed', error: String(error) }, 'state could not be written to disk')
    }
  }
}
