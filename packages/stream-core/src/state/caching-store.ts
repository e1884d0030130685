import type { RecordContext } from '../common/record.ts'
import { CacheCursor } from './cache-cursor.ts'
import type { CacheScan, CacheWalk } from './cache-walk.ts'
import type { Entry } from './entry.ts'
import type { InnerStore, RowRange } from './inner-store.ts'
import { type CachedUpdate, StoreCache } from './record-cache.ts'
import type { StoreHost } from './store-host.ts'

/** Told of each update that a cache hands on: `oldEntry` only if old values were asked for. */
export type FlushListener = (
  key: string,
  newEntry: Entry | null,
  oldEntry: Entry | null,
  context: RecordContext,
) => void

export interface CachingOptions {
  readonly host: StoreHost
  readonly groupOf: ((key: string) => string) | null
  readonly keyOverhead: number
  /** Bytes that a value takes in Java's cache. */
  readonly bytesOf: (entry: Entry) => number
  /** A read from below is kept, as in Java's key-value stores: it counts for what is evicted next. */
  readonly keepsReads: boolean
  readonly walk: CacheWalk
}

/**
 * A store behind the record cache (CachingKeyValueStore, CachingWindowStore, CachingSessionStore): reads see what the
 * cache holds, writes reach the store when the cache hands them on, and then are forwarded.
 */
export class CachingStore implements InnerStore {
  readonly #inner: InnerStore
  readonly #options: CachingOptions
  readonly #cache: StoreCache
  #listener: FlushListener | null = null
  #sendsOldValues = false
  /** Latest time that was put, where sizes are exact: reads back in time begin at its slice. */
  #observedMs = 0

  constructor(inner: InnerStore, options: CachingOptions) {
    this.#inner = inner
    this.#options = options
    const { host, keyOverhead, groupOf, bytesOf } = options
    this.#cache = new StoreCache(host.cache!, keyOverhead, groupOf, bytesOf, (updates) => this.#handOn(updates))
  }

  setFlushListener(listener: FlushListener, sendsOldValues: boolean): void {
    this.#listener = listener
    this.#sendsOldValues = sendsOldValues
  }

  find(key: string): Entry | undefined {
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached.bytes === null ? undefined : cached
    const entry = this.#inner.find(key)
    if (entry !== undefined && this.#options.keepsReads) this.#cache.put(key, entry, cleanContext, false)
    return entry
  }

  put(key: string, entry: Entry): void {
    const { host, walk } = this.#options
    this.#cache.put(key, entry, host.recordContext, true)
    if (host.hasExactCacheSizes) this.#observedMs = Math.max(this.#observedMs, walk.timeOf(key))
  }

  /** The cache is looked at first, as in Java (AbstractMergedSortedCacheStoreIterator): also for what the store shows next. */
  range(from: string, to: string, options: RowRange = {}): Iterable<[string, Entry]> {
    const { reverse = false, group = null } = options
    const cursor = this.#cursor(from, to, options)
    const range = this.#inner.range(from, to, options)
    // Within a key readers write while they read: what the cache hands on meanwhile is not to be seen.
    const below = group === null ? range : Array.from(range)
    return reverse && this.#options.host.hasExactCacheSizes
      ? this.#mergedAsJavas(cursor, below, options.scan ?? null)
      : this.#merged(cursor, below, reverse)
  }

  *#merged(cursor: CacheCursor, below: Iterable<[string, Entry]>, reverse: boolean): Generator<[string, Entry]> {
    const { compare } = this.#options.walk
    for (const row of below) {
      let key = cursor.peekKey()
      while (key !== null && (reverse ? compare(key, row[0]) > 0 : compare(key, row[0]) < 0)) {
        const entry = cursor.take()
        if (entry.bytes !== null) yield [key, entry]
        key = cursor.peekKey()
      }
      if (key !== row[0]) {
        yield row
        continue
      }
      const entry = cursor.take()
      if (entry.bytes !== null) yield [key, entry]
    }
    for (let key = cursor.peekKey(); key !== null; key = cursor.peekKey()) {
      const entry = cursor.take()
      if (entry.bytes !== null) yield [key, entry]
    }
  }

  /**
   * Backwards, for the test driver: Java passes over deletions by the order of forward reads. So one that comes before the
   * store's next row is shown (its value is null), and one that comes after it no longer hides its row.
   */
  *#mergedAsJavas(
    cursor: CacheCursor,
    below: Iterable<[string, Entry]>,
    scan: CacheScan | null,
  ): Generator<[string, Entry]> {
    const { compare } = this.#options.walk
    const rows = this.#wanted(below, scan)
    let row = rows.next()
    for (;;) {
      let key = cursor.peekKey()
      while (key !== null && cursor.isAtDeletion) {
        const order = row.done === true ? -1 : compare(key, row.value[0])
        if (order > 0) break
        if (order === 0) row = rows.next()
        cursor.take()
        key = cursor.peekKey()
      }
      const order = row.done === true ? 1 : key === null ? -1 : compare(key, row.value[0])
      if (key !== null && order >= 0) {
        if (order === 0) row = rows.next()
        yield [key, cursor.take()]
      } else if (row.done !== true) {
        yield row.value
        row = rows.next()
      } else {
        return
      }
    }
  }

  *#wanted(rows: Iterable<[string, Entry]>, scan: CacheScan | null): Generator<[string, Entry]> {
    for (const row of rows) if (scan === null || this.#options.walk.isWanted(row[0], scan)) yield row
  }

  /** Reads of queries, with `inner` below. They leave no trace: what counts as used is evicted later, and forwarded later. */
  peeking(inner: InnerStore): InnerStore {
    const cache = this.#cache
    const { walk } = this.#options
    return {
      find(key) {
        const cached = cache.peek(key)
        if (cached === undefined) return inner.find(key)
        return cached.bytes === null ? undefined : cached
      },
      range: (from, to, options = {}) => {
        const { reverse = false, group = null, scan = null } = options
        const isOrdered = scan === null || group !== null
        const keys = isOrdered ? cache.keysBetween(from, to, group) : [...cache.keys()].sort(walk.compare)
        const at = { get: (key: string) => cache.peek(key) }
        const cursor = new CacheCursor(at, keys, { reverse, walk, scan: isOrdered ? null : scan, below: inner })
        return this.#merged(cursor, inner.range(from, to, options), reverse)
      },
      put: () => undefined,
    }
  }

  flush(): void {
    this.#cache.flush()
  }

  clear(): void {
    this.#cache.clear()
  }

  #cursor(from: string, to: string, { reverse = false, group = null, scan }: RowRange): CacheCursor {
    const { walk, host } = this.#options
    const options = { reverse, walk, scan: scan ?? null, below: host.hasExactCacheSizes ? null : this.#inner }
    // Reads of a single key are the hot ones. What more they would come by is left out in production, whose byte sizes are
    // estimates anyway.
    if (scan === undefined || (group !== null && !host.hasExactCacheSizes)) {
      return new CacheCursor(this.#cache, this.#cache.keysBetween(from, to, group), { ...options, scan: null })
    }
    // The slice at which a read back in time begins is walked through even if it lies before what is asked for.
    const visited = reverse && this.#observedMs < scan.fromMs ? { ...scan, fromMs: this.#observedMs } : scan
    if (group !== null && !walk.leavesKey) {
      const low = reverse ? walk.sliceStart(group, visited) : from
      const keys = this.#cache.keysBetween(low, to, group).filter((key) => !walk.isPassedOver(key, scan))
      return new CacheCursor(this.#cache, keys, options)
    }
    const keys = this.#cache.keys().filter((key) => walk.isVisited(key, visited))
    keys.sort(walk.compare)
    const end = reverse
      ? keys.findLastIndex((key) => walk.isBeyond(key, scan))
      : keys.findIndex((key) => walk.isBeyond(key, scan))
    const walked = end === -1 ? keys : reverse ? keys.slice(end) : keys.slice(0, end + 1)
    return new CacheCursor(this.#cache, walked, options)
  }

  #handOn(updates: readonly CachedUpdate[]): void {
    const { host } = this.#options
    const outer = host.recordContext
    try {
      for (const { key, entry, context } of updates) {
        const isDeletion = entry.bytes === null
        host.recordContext = context
        if (this.#listener === null) {
          this.#inner.put(key, entry)
          continue
        }
        const old = isDeletion || this.#sendsOldValues ? this.#inner.find(key) : undefined
        // Came and went between two flushes: nobody has to hear of it.
        if (isDeletion && old === undefined) continue
        this.#inner.put(key, entry)
        this.#listener(key, isDeletion ? null : entry, this.#sendsOldValues ? (old ?? null) : null, context)
      }
    } finally {
      host.recordContext = outer
    }
  }
}

const cleanContext: RecordContext = { timestampMs: -1, headers: [], topic: '', partition: -1, offset: -1 }
