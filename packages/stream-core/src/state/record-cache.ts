interface CachedValue<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestampMs: number
}

/**
 * Kafka Streams' record cache (`caching`): holds updates back until the commit and forwards only the last of each key, in
 * the order of their last update. It decides when results are forwarded, nothing else: state itself is in the store's
 * layers. Keys are the store's key strings.
 */
export class RecordCache<K, V> {
  readonly #dirty = new Map<string, CachedValue<K, V>>()

  get(keyString: string): CachedValue<K, V> | undefined {
    return this.#dirty.get(keyString)
  }

  put(keyString: string, key: K, value: V | null, timestampMs: number): void {
    // Out and in again: a key's place is that of its last update.
    this.#dirty.delete(keyString)
    this.#dirty.set(keyString, { key, value, timestampMs })
  }

  get size(): number {
    return this.#dirty.size
  }

  /** Hands over every held update, oldest first, and forgets it. */
  flush(forward: (update: CachedValue<K, V>) => void): void {
    if (this.#dirty.size === 0) return
    const updates = [...this.#dirty.values()]
    this.#dirty.clear()
    for (const update of updates) forward(update)
  }
}
