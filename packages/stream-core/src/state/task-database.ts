import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { noteClosed, noteOpen } from './open-databases.ts'
import type { StoreNumbers } from './store-meta.ts'

/** Where a changelog partition stood when the rows beside it were written (D12). */
export interface ChangelogPosition {
  /** The next offset of the changelog that is not in the rows. */
  readonly offset: number
  readonly clusterId: string
  readonly topicId: string
  /** Wall clock of the write: state older than half a compacted topic's `delete.retention.ms` cannot be trusted. */
  readonly savedAtMs: number
  /** What lies right before it was aborted, and is not in the rows: no sign that they are ahead of the log. */
  readonly endsAborted?: boolean
}

const formatVersion = 3

/**
 * Pages that SQLite keeps of one task's file. Rows are written in the order of their keys, so that no page is asked for twice in a run; and
 * what is read again and again is in the read cache.
 */
const cacheKilobytes = 4000

const schema = `
CREATE TABLE IF NOT EXISTS changelog_positions (store TEXT PRIMARY KEY, offset INTEGER NOT NULL,
  cluster_id TEXT NOT NULL, topic_id TEXT NOT NULL, saved_at_ms INTEGER NOT NULL,
  ends_aborted INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_numbers (store TEXT PRIMARY KEY, observed_ms INTEGER NOT NULL,
  sequence INTEGER NOT NULL) WITHOUT ROWID`

/** The table of a store. `store_numbers` is taken; and SQLite's names do not know capitals. */
export const tableOf = (store: string): string => `${/^numbers$/i.test(store) ? 'state' : 'store'}_${store}`

/** A task's SQLite file: one table per store, and the changelog positions, which change in the same transaction. */
export class TaskDatabase {
  readonly database: Database.Database
  readonly path: string

  private constructor(path: string, database: Database.Database) {
    this.path = path
    this.database = database
  }

  /** Opens the file in `directory`, or makes it anew when it is missing, unreadable or of another format. */
  static open(directory: string): TaskDatabase {
    mkdirSync(directory, { recursive: true })
    const path = join(directory, 'state.db')
    try {
      return TaskDatabase.#openFile(path)
    } catch (error) {
      // State is a copy of the changelog: what cannot be opened is restored, not repaired.
      if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw error
      TaskDatabase.remove(directory)
      return TaskDatabase.#openFile(path)
    }
  }

  static remove(directory: string): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `state.db${suffix}`), { force: true })
  }

  static #openFile(path: string): TaskDatabase {
    const database = new Database(path, { timeout: 2000 })
    try {
      database.pragma('journal_mode = WAL')
      // The log is the truth: a power cut may cost the newest rows, which the changelog brings back, never consistency.
      database.pragma('synchronous = NORMAL')
      database.pragma('wal_autocheckpoint = 0')
      database.pragma(`cache_size = -${cacheKilobytes}`)
      const version = database.pragma('user_version', { simple: true }) as number
      if (version !== 0 && version !== formatVersion) throw new Error(`state format ${version}`)
      // Of its format it has all of it: nothing is written by opening it.
      if (version === 0) database.exec(`BEGIN; ${schema}; PRAGMA user_version = ${formatVersion}; COMMIT`)
    } catch (error) {
      database.close()
      throw error
    }
    noteOpen(path, database)
    return new TaskDatabase(path, database)
  }

  get fileBytes(): number {
    const sizes = ['', '-wal'].map((suffix) => statSync(`${this.path}${suffix}`, { throwIfNoEntry: false })?.size ?? 0)
    return sizes[0]! + sizes[1]!
  }

  positions(): Map<string, ChangelogPosition> {
    const rows = this.database.prepare('SELECT * FROM changelog_positions').all() as {
      store: string
      offset: number
      cluster_id: string
      topic_id: string
      saved_at_ms: number
      ends_aborted: number
    }[]
    return new Map(
      rows.map((row) => [
        row.store,
        {
          offset: row.offset,
          clusterId: row.cluster_id,
          topicId: row.topic_id,
          savedAtMs: row.saved_at_ms,
          endsAborted: row.ends_aborted === 1,
        },
      ]),
    )
  }

  /** Inside a transaction. */
  savePositions(positions: ReadonlyMap<string, ChangelogPosition>): void {
    const save = this.database.prepare('REPLACE INTO changelog_positions VALUES (?,?,?,?,?,?)')
    for (const [store, { offset, clusterId, topicId, savedAtMs, endsAborted = false }] of positions) {
      save.run(store, offset, clusterId, topicId, savedAtMs, endsAborted ? 1 : 0)
    }
  }

  numbers(store: string): StoreNumbers | undefined {
    const row = this.database.prepare('SELECT * FROM store_numbers WHERE store = ?').get(store) as
      | { observed_ms: number; sequence: number }
      | undefined
    return row && { observedStreamTimeMs: row.observed_ms, sequence: row.sequence }
  }

  /** Inside a transaction. */
  saveNumbers(store: string, { observedStreamTimeMs, sequence }: Readonly<StoreNumbers>): void {
    this.database.prepare('REPLACE INTO store_numbers VALUES (?,?,?)').run(store, observedStreamTimeMs, sequence)
  }

  /** Moves what the write-ahead log holds into the file; called when the loop is idle, for it blocks. */
  checkpoint(): void {
    this.database.pragma('wal_checkpoint(PASSIVE)')
  }

  close(): void {
    noteClosed(this.path, this.database)
    if (this.database.open) this.database.close()
  }
}
