import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ConfigError, StreamsError } from '../common/errors.ts'

/**
 * The folder of an application's state on this machine, for one process at a time: `<stateDir>/<applicationId>/<taskId>`.
 * The lock is a SQLite file held exclusively, so that it ends with the process however that ends.
 */
export class StateDirectory {
  readonly path: string
  readonly #lock: Database.Database

  constructor(stateDir: string, applicationId: string) {
    this.path = join(stateDir, applicationId)
    try {
      mkdirSync(this.path, { recursive: true })
    } catch (error) {
      throw new ConfigError('stateDir', `the state folder ${this.path} cannot be made: ${(error as Error).message}`)
    }
    this.#lock = this.#open()
  }

  task(taskId: string): string {
    return join(this.path, taskId)
  }

  close(): void {
    this.#lock.close()
  }

  #open(): Database.Database {
    const lock = new Database(join(this.path, 'lock.db'), { timeout: 2000 })
    try {
      lock.pragma('locking_mode = EXCLUSIVE')
      lock.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (held INTEGER); COMMIT')
      return lock
    } catch (error) {
      lock.close()
      throw new StreamsError(
        'LOG_LOCKED',
        `the state folder ${this.path} is held by another process: give each instance its own stateDir`,
        { cause: error },
      )
    }
  }
}
