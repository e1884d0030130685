import { BaseTable } from './base-table.ts'
import { layoutOf, openStore } from './open-store.ts'
import type { PersistRun } from './persist-run.ts'
import type { StateStore } from './state-store.ts'
import type { StoreHost } from './store-host.ts'
import type { StoreSpec } from './store-spec.ts'
import type { StoreTimes } from './store-times.ts'
import { type ChangelogPosition, tableOf, TaskDatabase } from './task-database.ts'

const rowsPerSlice = 2000
const keysPerSlice = 5000

export interface TaskStateOptions {
  /** Folder of the task's file; null keeps everything in memory (test driver). */
  readonly directory: string | null
  /** In the order in which their caches are flushed. */
  readonly stores: readonly StoreSpec[]
  readonly host: StoreHost
  /** Default: calls of the stores are not timed. */
  readonly storeTimes?: StoreTimes | undefined
}

/**
 * All stores of one task and the file below them. The commit protocol calls `freeze` or `dropActive`; `persist` writes
 * what is frozen to disk in slices, together with the changelog positions it stands for.
 */
export class TaskState {
  readonly #options: TaskStateOptions
  #database: TaskDatabase | null = null
  readonly #stores = new Map<string, StateStore>()
  /** By store: where the changelog stands for what is frozen. */
  #frozenPositions = new Map<string, ChangelogPosition>()
  #persisting: Promise<void> | null = null
  #isCheckpointDue = false
  #isClosed = false

  constructor(options: TaskStateOptions) {
    this.#options = options
    this.#open()
  }

  get stores(): ReadonlyMap<string, StateStore> {
    return this.#stores
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Where a restore of a store has to begin: null when nothing of it is here. */
  position(store: string): ChangelogPosition | null {
    return this.#frozenPositions.get(store) ?? null
  }

  /** Something was written that is not frozen. */
  get hasChanges(): boolean {
    for (const store of this.#stores.values()) if (store.hasChanges) return true
    return false
  }

  /** Entries that wait for the disk. */
  get frozenEntries(): number {
    let count = 0
    for (const store of this.#stores.values()) if (!store.spec.inMemory) count += store.table.frozenEntries
    return count
  }

  /** How many of these were restored and are rows, which take little, */
  get restoredRows(): number {
    let rows = 0
    for (const store of this.#stores.values()) rows += store.table.restoredRows
    return rows
  }

  /** and how much. */
  get restoredBytes(): number {
    let bytes = 0
    for (const store of this.#stores.values()) bytes += store.table.restoredBytes
    return bytes
  }

  /** Rows read from disk, for benchmarks and tests: a new key should cause none. */
  get reads(): number {
    let reads = 0
    for (const base of this.#bases.values()) reads += base.reads
    return reads
  }

  /** Size of the file on disk, with what it has not taken over yet; 0 where there is none. */
  get fileBytes(): number {
    return this.#database?.fileBytes ?? 0
  }

  /** The transaction is committed in the log up to these positions. */
  freeze(positions: ReadonlyMap<string, ChangelogPosition>): void {
    for (const store of this.#stores.values()) store.freeze()
    this.setPositions(positions)
  }

  /** While restoring: what was read up to here is part of the committed state. */
  setPositions(positions: ReadonlyMap<string, ChangelogPosition>): void {
    for (const [store, position] of positions) this.#frozenPositions.set(store, position)
  }

  /** The transaction is aborted. */
  dropActive(): void {
    for (const store of this.#stores.values()) store.rollBack()
  }

  /**
   * Writes the frozen layers to disk, in one SQLite transaction and in slices: `pause` is awaited between them so that
   * processing goes on. What is committed meanwhile waits for the next time.
   */
  persist(pause: () => Promise<void>): Promise<void> {
    this.#persisting ??= this.#persist(pause).finally(() => (this.#persisting = null))
    return this.#persisting
  }

  /** The same, and after that nothing is left in memory: before the task is given up. */
  async persistAll(pause: () => Promise<void>): Promise<void> {
    await this.#persisting
    await this.persist(pause)
  }

  async #persist(pause: () => Promise<void>): Promise<void> {
    const file = this.#database
    if (file === null || this.frozenEntries === 0) return
    const runs: PersistRun[] = []
    for (const store of this.#stores.values()) runs.push(...store.table.beginPersist())
    const positions = new Map(this.#frozenPositions)
    const expired = [...this.#stores.values()].filter((store) => store.firstLiveSegment() > 0 && this.#bases.has(store))
    try {
      file.database.exec('BEGIN')
      for (const run of runs) while (!run.write(rowsPerSlice)) await pause()
      for (const store of expired) this.#bases.get(store)!.expire(store.firstLiveSegment())
      for (const store of this.#bases.keys()) file.saveNumbers(store.spec.name, store.meta.committed)
      file.savePositions(this.#persistent(positions))
      file.database.exec('COMMIT')
      for (const run of runs) run.table.endPersist()
      this.#isCheckpointDue ||= runs.length > 0
    } catch (error) {
      if (file.database.inTransaction) file.database.exec('ROLLBACK')
      for (const run of runs) run.table.cancelPersist()
      throw error
    }
  }

  /** Moves the write-ahead log into the file, if something was written since; for the loop's idle time. */
  checkpointIfDue(): void {
    // Not while rows are being put: SQLite would refuse it.
    if (!this.#isCheckpointDue || this.#database?.database.inTransaction === true) return
    this.#isCheckpointDue = false
    this.#database?.checkpoint()
  }

  /**
   * Reads some keys of the rows that were there when the file was opened, so that new keys need no read from disk; true when
   * nothing is left to read. For the loop's idle time.
   */
  learnKeys(): boolean {
    for (const base of this.#bases.values()) if (!base.learnKeys(keysPerSlice)) return false
    return true
  }

  /** Deletes all state, on disk too, for a restore from the beginning. */
  async wipe(): Promise<void> {
    await this.#persisting
    if (this.#isClosed) return
    this.#database?.close()
    if (this.#options.directory !== null) TaskDatabase.remove(this.#options.directory)
    this.#open()
  }

  close(): void {
    this.#isClosed = true
    this.#database?.close()
    this.#database = null
  }

  readonly #bases = new Map<StateStore, BaseTable>()

  #open(): void {
    this.#stores.clear()
    this.#bases.clear()
    const { directory, stores, host } = this.#options
    this.#database = directory === null ? null : TaskDatabase.open(directory)
    this.#frozenPositions = this.#database?.positions() ?? new Map()
    for (const spec of stores) {
      const base =
        this.#database === null || spec.inMemory
          ? null
          : new BaseTable(this.#database.database, tableOf(spec.name), layoutOf(spec))
      const store = openStore(spec, base, host)
      const numbers = base === null ? undefined : this.#database?.numbers(spec.name)
      if (numbers !== undefined) store.meta.load(numbers)
      this.#stores.set(spec.name, store)
      this.#options.storeTimes?.watch(store)
      if (base) this.#bases.set(store, base)
      if (base === null) this.#frozenPositions.delete(spec.name)
    }
  }

  #persistent(positions: Map<string, ChangelogPosition>): Map<string, ChangelogPosition> {
    for (const store of this.#stores.values()) if (store.spec.inMemory) positions.delete(store.spec.name)
    return positions
  }
}
