import type { RecordContext } from '../common/record.ts'
import type { Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import type { TableRange } from './layered-table.ts'
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
  readonly compare: (a: string, b: string) => number
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
    this.#cache.put(key, entry, this.#options.host.recordContext, true)
  }

  *range(from: string, to: string, options: TableRange = {}): Generator<[string, Entry]> {
    const { reverse = false, group = null } = options
    const keys = this.#cache.keysBetween(from, to, group)
    const cached = [...keys].sort(this.#options.compare)
    if (reverse) cached.reverse()
    let at = 0
    const isBefore = (a: string, b: string): boolean =>
      reverse ? this.#options.compare(a, b) > 0 : this.#options.compare(a, b) < 0
    for (const [key, entry] of this.#inner.range(from, to, options)) {
      while (at < cached.length && isBefore(cached[at]!, key)) yield* this.#held(cached[at++]!)
      if (cached[at] === key) yield* this.#held(cached[at++]!)
      else yield [key, entry]
    }
    while (at < cached.length) yield* this.#held(cached[at++]!)
  }

  flush(): void {
    this.#cache.flush()
  }

  clear(): void {
    this.#cache.clear()
  }

  *#held(key: string): Generator<[string, Entry]> {
    const entry = this.#cache.peek(key)
    if (entry === undefined) {
      // Evicted since the keys were listed: it is in the store now.
      const below = this.#inner.find(key)
      if (below !== undefined) yield [key, below]
    } else if (entry.bytes !== null) {
      yield [key, entry]
    }
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
