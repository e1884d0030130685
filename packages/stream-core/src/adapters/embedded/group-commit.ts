import type { Database } from 'better-sqlite3'
import { BrokerError } from '../../common/errors.ts'

interface Waiter {
  readonly apply: () => void
  readonly fail: (error: BrokerError) => void
}

/**
 * One SQLite transaction per turn of the event loop: everything written during a turn becomes durable with one sync to
 * disk, and is acknowledged only then.
 */
export class GroupCommit {
  readonly #database: Database
  readonly #onFailure: () => void
  #waiters: Waiter[] = []
  #scheduled: NodeJS.Immediate | null = null

  constructor(database: Database, onFailure: () => void) {
    this.#database = database
    this.#onFailure = onFailure
  }

  /** Runs `write` inside the turn's transaction. The promise resolves when it is on disk; `apply` runs just before. */
  run(write: () => void, apply: () => void = () => undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#scheduled === null) {
        this.#database.exec('BEGIN')
        this.#scheduled = setImmediate(() => this.flush())
      }
      try {
        write()
      } catch (error) {
        // Part of it may have been written: nothing of this turn can be kept.
        this.#waiters.push({ apply, fail: reject })
        this.#rollback(error)
        return
      }
      this.#waiters.push({
        apply: () => {
          apply()
          resolve()
        },
        fail: reject,
      })
    })
  }

  /** Commits what this turn has written, now. */
  flush(): void {
    if (this.#scheduled === null) return
    try {
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#rollback(error)
      return
    }
    const waiters = this.#take()
    for (const waiter of waiters) waiter.apply()
  }

  #rollback(cause: unknown): void {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    const waiters = this.#take()
    this.#onFailure()
    const error = new BrokerError('BROKER_REFUSED', `the log could not be written: ${(cause as Error).message}`, {
      retryable: true,
      cause,
    })
    for (const waiter of waiters) waiter.fail(error)
  }

  #take(): Waiter[] {
    if (this.#scheduled !== null) clearImmediate(this.#scheduled)
    this.#scheduled = null
    const waiters = this.#waiters
    this.#waiters = []
    return waiters
  }
}
