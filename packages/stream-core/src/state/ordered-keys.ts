/**
 * Keys in byte order, sorted when a range is first asked for. Stores whose hot ranges lie within one key (windows and
 * sessions of a key) also keep the keys of each group sorted as they come, from the first such range on: it costs its own length.
 */
export class OrderedKeys {
  readonly #groupOf: ((key: string) => string) | null
  readonly #keys: { keys(): Iterable<string> }
  /** Made when a range within a group is first asked for. */
  #groups: Map<string, string[]> | null = null
  #sorted: readonly string[] | null = null

  /** `keys` is asked for all keys when they are to be sorted: whoever holds the entries holds the keys. */
  constructor(keys: { keys(): Iterable<string> }, groupOf: ((key: string) => string) | null) {
    this.#keys = keys
    this.#groupOf = groupOf
  }

  /** A key that was not there before. */
  added(key: string): void {
    this.#sorted = null
    if (this.#groups !== null) addToGroup(this.#groups, this.#groupOf!(key), key)
  }

  removed(key: string): void {
    this.#sorted = null
    if (this.#groups === null) return
    const name = this.#groupOf!(key)
    const group = this.#groups.get(name)
    if (group === undefined) return
    const at = lowerBound(group, key)
    if (group[at] === key) group.splice(at, 1)
    if (group.length === 0) this.#groups.delete(name)
  }

  cleared(): void {
    this.#sorted = null
    this.#groups?.clear()
  }

  /** All keys in byte order. The array is a snapshot: later writes do not change it. */
  all(): readonly string[] {
    return (this.#sorted ??= [...this.#keys.keys()].sort(byBytes))
  }

  /** Keys with `from ≤ key < to`; `group` names the one group they all belong to, if they do. A snapshot. */
  between(from: string, to: string, group: string | null): readonly string[] {
    const keys = group === null || this.#groupOf === null ? this.all() : this.#keysOf(group)
    return keys.slice(lowerBound(keys, from), lowerBound(keys, to))
  }

  #keysOf(group: string): readonly string[] {
    if (this.#groups === null) {
      this.#groups = new Map()
      for (const key of this.#keys.keys()) addToGroup(this.#groups, this.#groupOf!(key), key)
    }
    return this.#groups.get(group) ?? []
  }
}

function addToGroup(groups: Map<string, string[]>, name: string, key: string): void {
  const group = groups.get(name)
  if (group === undefined) groups.set(name, [key])
  // Time moves forward: the new key is usually the last of its group.
  else if (group[group.length - 1]! < key) group.push(key)
  else group.splice(lowerBound(group, key), 0, key)
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
