import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { ConfigError, StreamsError } from '../common/errors.ts'
import { noteClosed, noteOpen } from '../state/open-databases.ts'
import { TaskDatabase } from '../state/task-database.ts'

/** Besides the folders of tasks. */
const cleaned: ReadonlySet<string> = new Set(['global', 'topology.json', 'topology.json.new'])

/**
 * The folder of an application's state on this machine, for one process at a time: `<stateDir>/<applicationId>/<taskId>`.
 * The lock is a SQLite file held exclusively, so that it ends with the process however that ends.
 */
export class StateDirectory {
  readonly path: string
  /**
   * Who this instance is, over restarts: its member of the group and its transactions have this name, so that one that was
   * killed takes its place again at once, and ends what it left open.
   */
  readonly processId: string
  readonly #lock: Database.Database

  constructor(stateDir: string, applicationId: string) {
    this.path = join(stateDir, applicationId)
    try {
      mkdirSync(this.path, { recursive: true })
    } catch (error) {
      throw new ConfigError('stateDir', `the state folder ${this.path} cannot be made: ${(error as Error).message}`)
    }
    this.#lock = this.#open()
    try {
      this.processId = this.#processId()
    } catch (error) {
      this.close()
      throw this.#unusable(error)
    }
  }

  /** Tasks of which there is state here, owned or not. */
  taskIds(): string[] {
    return readdirSync(this.path).filter(
      (name) => /^\d+_\d+$/.test(name) && existsSync(join(this.path, name, 'state.db')),
    )
  }

  /** Sum of the changelog offsets the state of some stores stands for. Opens the task's file: not for tasks that are open here. */
  offsetsOf(taskId: string, isCounted: (store: string) => boolean): number {
    const file = TaskDatabase.open(this.task(taskId))
    try {
      return [...file.positions()].reduce((sum, [store, { offset }]) => sum + (isCounted(store) ? offset : 0), 0)
    } finally {
      file.close()
    }
  }

  /** Deletes the state of all tasks, for a restore from the changelogs. */
  removeAll(): void {
    for (const id of this.taskIds()) rmSync(this.task(id), { recursive: true, force: true })
  }

  /**
   * Deletes everything that the application has on this disk, unless another process runs on it. Who the instance is stays: it is no
   * state, and a restart is to take its place again.
   */
  static clean(stateDir: string, applicationId: string): void {
    if (!existsSync(join(stateDir, applicationId))) return
    const directory = new StateDirectory(stateDir, applicationId)
    try {
      for (const name of readdirSync(directory.path)) {
        if (/^\d+_\d+$/.test(name) || cleaned.has(name)) {
          rmSync(join(directory.path, name), { recursive: true, force: true })
        }
      }
    } finally {
      directory.close()
    }
  }

  /** Deletes the state of a task if nothing was written to it for so long; true if it is gone. */
  removeIfOlder(taskId: string, nowMs: number, ageMs: number): boolean {
    const files = readdirSync(this.task(taskId)).map((name) => statSync(join(this.task(taskId), name)).mtimeMs)
    if (nowMs - Math.max(0, ...files) < ageMs) return false
    rmSync(this.task(taskId), { recursive: true, force: true })
    return true
  }

  task(taskId: string): string {
    return join(this.path, taskId)
  }

  /** Where the global stores are. */
  get global(): string {
    return join(this.path, 'global')
  }

  close(): void {
    noteClosed(join(this.path, 'lock.db'), this.#lock)
    if (this.#lock.open) this.#lock.close()
  }

  #unusable(error: unknown): ConfigError {
    return new ConfigError('stateDir', `the state folder ${this.path} cannot be used: ${(error as Error).message}`)
  }

  #processId(): string {
    const path = join(this.path, 'process-id')
    if (existsSync(path)) {
      const id = readFileSync(path, 'utf8').trim()
      if (/^[0-9a-f-]{36}$/.test(id)) return id
    }
    const id = randomUUID()
    writeFileSync(`${path}.new`, id)
    renameSync(`${path}.new`, path)
    return id
  }

  #open(): Database.Database {
    const path = join(this.path, 'lock.db')
    let lock: Database.Database | null = null
    try {
      lock = new Database(path, { timeout: 2000 })
      lock.pragma('locking_mode = EXCLUSIVE')
      lock.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (held INTEGER); COMMIT')
      noteOpen(path, lock)
      return lock
    } catch (error) {
      lock?.close()
      // A disk that is full, or may only be read: nobody is to look for another process.
      if ((error as { readonly code?: unknown }).code !== 'SQLITE_BUSY') throw this.#unusable(error)
      throw new StreamsError(
        'LOG_LOCKED',
        `the state folder ${this.path} is held by another process: give each instance its own stateDir`,
        { cause: error },
      )
    }
  }
}
