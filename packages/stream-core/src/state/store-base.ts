import { SerdeError, StreamsError } from '../common/errors.ts'
import { type JavaRules, javaRules } from '../common/java-rules.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { Headers } from '../common/record.ts'
import type { BaseTable } from './base-table.ts'
import { type CacheWalk, plainWalk } from './cache-walk.ts'
import { CachingStore, type FlushListener } from './caching-store.ts'
import { bytesEntry, type Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import { type Isolation, LayeredTable } from './layered-table.ts'
import type { AppendChange, StateStore } from './state-store.ts'
import type { StoreHost } from './store-host.ts'
import { StoreMeta } from './store-meta.ts'
import type { StoreSpec } from './store-spec.ts'
import type { TableLayout } from './table-layout.ts'
import { TableView } from './table-view.ts'

export interface StoreParts {
  /** The rows on disk; null for a store in memory. */
  readonly base: BaseTable | null
  readonly host: StoreHost
  /** Of a view: the store whose rows it reads. */
  readonly view?: StoreView
}

export interface StoreView {
  readonly of: StateStore
  readonly isolation: Isolation
}

export interface BaseOptions {
  readonly layout: TableLayout
  /** Bytes of a value; they need not outlive the next call. */
  readonly encode: (value: unknown) => Buffer
  /** Bytes that Java's cache counts beside the value's own. */
  readonly valueOverhead?: number
  readonly keyOverhead?: number
  readonly keepsReads?: boolean
  /** A restore takes a record's key and value as they are, and looks at neither. Default: it does not. */
  readonly restoresRows?: boolean
  /** How ranges go through the record cache, where not by the keys' bytes. */
  readonly walk?: CacheWalk
}

/** What all kinds of stores share: the layers, the record cache above them, the changelog beside them. */
export abstract class StoreBase<S extends StoreSpec> implements StateStore {
  readonly spec: S
  readonly table: LayeredTable
  readonly meta: StoreMeta
  protected readonly host: StoreHost
  readonly #options: BaseOptions
  readonly #view: StoreView | null
  #rows: InnerStore | null = null
  #caching: CachingStore | null = null
  #expiredBelow = 0
  /** Changelog records of puts that the store refused, which Java logs all the same. */
  readonly #refused = new Map<string, Entry>()

  protected constructor(spec: S, { base, host, view }: StoreParts, options: BaseOptions) {
    this.spec = spec
    this.host = host
    this.#options = options
    this.#view = view ?? null
    if (view === undefined) {
      this.meta = new StoreMeta()
      this.table = new LayeredTable(spec.name, base, options.encode, options.layout)
    } else {
      this.meta = view.isolation === 'read_committed' ? view.of.meta.committedView : view.of.meta
      this.table = new TableView(view.of.table, view.isolation, options.encode)
    }
  }

  /** The rows below the record cache: what a subclass makes of its table. */
  protected abstract inner(): InnerStore

  /** Where reads and writes of the typed face go. */
  protected get rows(): InnerStore {
    return this.#view === null ? (this.#rows ??= this.#openRows()) : this.#viewedRows(this.#view)
  }

  protected get isCached(): boolean {
    return this.spec.caching && this.host.cache !== null
  }

  /** Java's faults are copied: what a scenario of the conformance suite asks for. */
  protected get hasJavaRules(): boolean {
    return (this.spec as JavaRules)[javaRules] === true
  }

  /** True if updates are forwarded by flushes of the cache from now on. */
  protected listen(listener: FlushListener, sendsOldValues: boolean): boolean {
    if (this.rows !== this.#caching) return false
    this.#caching.setFlushListener(listener, sendsOldValues)
    return true
  }

  flushCache(): void {
    this.#caching?.flush()
  }

  get hasChanges(): boolean {
    return this.table.activeEntries.size > 0 || this.#refused.size > 0
  }

  changes(append: AppendChange): void {
    if (this.spec.logging === null) return
    for (const [key, entry] of this.table.activeEntries) {
      append(key, this.#bytesOf(key, entry), entry.timestampMs, entry.headers)
    }
    for (const [key, entry] of this.#refused) append(key, this.#bytesOf(key, entry), entry.timestampMs, entry.headers)
  }

  /** Values become bytes at the commit, when the processor that put them is out of sight. */
  #bytesOf(key: string, entry: Entry): Buffer | null {
    try {
      return this.table.passingBytesOf(entry)
    } catch (error) {
      const text = JSON.stringify(Buffer.from(key, 'latin1').toString())
      throw new SerdeError(
        'value',
        `a value that was put into the store "${this.spec.name}" under the key ${text} cannot be written: ${(error as Error).message}`,
        { cause: error },
      )
    }
  }

  freeze(): void {
    this.table.freeze()
    this.meta.freeze()
    this.#refused.clear()
    this.#forgetExpired()
  }

  rollBack(): void {
    this.table.dropActive()
    this.meta.rollBack()
    this.#refused.clear()
    this.#caching?.clear()
    // Processors are made anew after an abort, and register their listeners again.
    this.#rows = this.#caching = null
  }

  restore(key: string, bytes: Buffer | null, timestampMs: number, _headers: Headers): void {
    this.table.restore(key, bytesEntry(bytes, timestampMs))
  }

  restoreRow(record: RecordBatchReader): boolean {
    return this.#options.restoresRows === true && this.table.restoreRow(record)
  }

  firstLiveSegment(): number {
    return -1
  }

  /** A put that came too late: counted, and in the changelog. */
  protected refuse(key: string, entry: Entry): void {
    this.#refused.set(key, entry)
    this.host.drop(this.spec.name, 'expired-window')
  }

  #forgetExpired(): void {
    const { segmentOf } = this.#options.layout
    const live = this.firstLiveSegment()
    if (segmentOf === null || live <= this.#expiredBelow) return
    this.#expiredBelow = live
    this.table.forget((key) => segmentOf(key) < live)
  }

  /** A global store is written by its own processor only. */
  #guarded(inner: InnerStore, why: string): InnerStore {
    return {
      find: (key) => inner.find(key),
      range: (from, to, options) => inner.range(from, to, options),
      put: (key, entry) => {
        if (!this.host.isReadOnly) return inner.put(key, entry)
        throw new StreamsError(
          'ILLEGAL_STATE',
          `the ${this.#view === null ? 'global ' : ''}store "${this.spec.name}" can only be read here: ${why}`,
        )
      },
    }
  }

  /** What the record cache holds is not committed; the store forgets its cache when it is rolled back. */
  #viewedRows({ of, isolation }: StoreView): InnerStore {
    const inner = (this.#rows ??= this.inner())
    const caching = isolation === 'read_committed' ? null : (of as StoreBase<S>).#caching
    return this.#guarded(caching === null ? inner : caching.peeking(inner), 'a query only reads')
  }

  #openRows(): InnerStore {
    const inner = this.inner()
    const rows = this.isCached ? this.#cached(inner) : inner
    return this.host.isGlobal ? this.#guarded(rows, 'write to its topic instead') : rows
  }

  #cached(inner: InnerStore): CachingStore {
    const { layout, valueOverhead = 0, keyOverhead = 0, keepsReads = false, walk = plainWalk } = this.#options
    this.#caching = new CachingStore(inner, {
      host: this.host,
      groupOf: layout.groupOf,
      keyOverhead,
      keepsReads,
      walk,
      bytesOf: (entry) => {
        if (entry.bytes === null) return 0
        if (entry.bytes !== undefined) return entry.bytes.length + valueOverhead
        const { table, host } = this
        return (host.hasExactCacheSizes ? table.passingBytesOf(entry)!.length : table.averageBytes) + valueOverhead
      },
    })
    return this.#caching
  }
}
