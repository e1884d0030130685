import type { CacheScan, CacheWalk } from './cache-walk.ts'
import type { Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import type { StoreCache } from './record-cache.ts'

interface CursorOptions {
  readonly reverse: boolean
  readonly walk: CacheWalk
  /** null: all keys are wanted. */
  readonly scan: CacheScan | null
  /** Where evicted entries are found; null: nowhere. */
  readonly below: InnerStore | null
}

/**
 * A walk over entries of the record cache, one ahead of what has been taken (MemoryLRUCacheBytesIterator). Each entry that it
 * comes by counts as used. What it has reached, it shows; what is evicted before the walk reaches it is in the store by then:
 * Java passes it over, so the test driver does, and nobody else.
 */
export class CacheCursor {
  readonly #cache: Pick<StoreCache, 'get'>
  readonly #keys: readonly string[]
  readonly #walk: CacheWalk
  readonly #scan: CacheScan | null
  readonly #below: InnerStore | null
  readonly #step: 1 | -1
  #at: number
  #entry: Entry | null = null
  #key = ''

  /** `keys` in ascending order. */
  constructor(cache: Pick<StoreCache, 'get'>, keys: readonly string[], { reverse, walk, scan, below }: CursorOptions) {
    this.#cache = cache
    this.#keys = keys
    this.#walk = walk
    this.#scan = scan
    this.#below = below
    this.#step = reverse ? -1 : 1
    this.#at = reverse ? keys.length - 1 : 0
  }

  /** The key of the next entry; null at the end. */
  peekKey(): string | null {
    while (this.#entry === null && this.#at >= 0 && this.#at < this.#keys.length) {
      const key = this.#keys[this.#at]!
      this.#at += this.#step
      const entry = this.#cache.get(key) ?? this.#below?.find(key)
      if (entry === undefined || (this.#scan !== null && !this.#walk.isWanted(key, this.#scan))) continue
      this.#key = key
      this.#entry = entry
    }
    return this.#entry === null ? null : this.#key
  }

  /** Of the entry whose key was shown. */
  get isAtDeletion(): boolean {
    return this.#entry!.bytes === null
  }

  /** Takes the entry whose key was shown. */
  take(): Entry {
    const entry = this.#entry!
    this.#entry = null
    return entry
  }
}
