import { bytesEntry, type Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import { aboveEveryKey, type TableRange } from './layered-table.ts'
import type { StoreHost } from './store-host.ts'

/**
 * Rows of a store that keeps only the keys used last (MemoryNavigableLRUCache). It lies below the record cache, which goes on
 * answering for keys that were dropped here; a range is no use of what it shows.
 */
export class LruRows implements InnerStore {
  readonly #inner: InnerStore
  readonly #maxEntries: number
  readonly #host: StoreHost
  /** All keys, the one used longest ago first. */
  #recent: Set<string> | null = null

  constructor(inner: InnerStore, maxEntries: number, host: StoreHost) {
    this.#inner = inner
    this.#maxEntries = maxEntries
    this.#host = host
  }

  find(key: string): Entry | undefined {
    const entry = this.#inner.find(key)
    if (entry !== undefined) this.#use(key)
    return entry
  }

  put(key: string, entry: Entry): void {
    const recent = this.#recentKeys()
    this.#inner.put(key, entry)
    if (entry.bytes === null) {
      recent.delete(key)
      return
    }
    this.#use(key)
    while (recent.size > this.#maxEntries) {
      const [eldest] = recent as unknown as [string]
      recent.delete(eldest)
      this.#inner.put(eldest, bytesEntry(null, this.#host.recordContext.timestampMs))
    }
  }

  range(from: string, to: string, options?: TableRange): Iterable<[string, Entry]> {
    return this.#inner.range(from, to, options)
  }

  #use(key: string): void {
    const recent = this.#recentKeys()
    recent.delete(key)
    recent.add(key)
  }

  #recentKeys(): Set<string> {
    if (this.#recent === null) {
      this.#recent = new Set()
      for (const [key] of this.#inner.range('', aboveEveryKey)) this.#recent.add(key)
    }
    return this.#recent
  }
}
