import type { Entry } from './entry.ts'

/**
 * One layer of a store: a Map whose keys are sorted when a range is first asked for, and again after new keys came.
 * Point reads and writes cost what a Map costs.
 */
export class OrderedLayer {
  readonly entries = new Map<string, Entry>()
  #sorted: string[] | null = null

  get size(): number {
    return this.entries.size
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key)
  }

  set(key: string, entry: Entry): void {
    if (this.#sorted !== null && !this.entries.has(key)) this.#sorted = null
    this.entries.set(key, entry)
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.#sorted = null
  }

  /** All keys in byte order. The array is a snapshot: later writes do not change it. */
  sortedKeys(): readonly string[] {
    return (this.#sorted ??= [...this.entries.keys()].sort(byBytes))
  }
}

/** Latin1 strings compare by `<` as their bytes do. */
const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Index of the first key that is not below `bound`. */
export function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
