/** More new keys than these, and than a part of the others, are taken in among them. */
const freshMin = 1024
const freshPart = 16

/**
 * Keys in byte order, sorted when a range is first asked for. What comes later is kept beside them, sorted, and taken in when it is
 * much: a range between two writes costs what it shows, and not all the keys there are. Stores whose hot ranges lie within one
 * key (windows and sessions of a key) also keep the keys of each group sorted as they come, from the first such range on: it
 * costs its own length.
 */
export class OrderedKeys {
  readonly #groupOf: ((key: string) => string) | null
  readonly #keys: ReadonlyMap<string, unknown>
  /** Made when a range within a group is first asked for. */
  #groups: Map<string, string[]> | null = null
  /** null: no range was asked for yet. Keys that were removed since are still in it. */
  #sorted: readonly string[] | null = null
  /** Keys that came since, sorted, */
  #fresh: string[] = []
  /** and those that came since the last range, as they came. */
  #latest: string[] = []
  #removed = 0

  /** Whoever holds the entries holds the keys: `keys` has them all. */
  constructor(keys: ReadonlyMap<string, unknown>, groupOf: ((key: string) => string) | null) {
    this.#keys = keys
    this.#groupOf = groupOf
  }

  /** A key that was not there before. */
  added(key: string): void {
    if (this.#sorted !== null) this.#latest.push(key)
    if (this.#groups !== null) addToGroup(this.#groups, this.#groupOf!(key), key)
  }

  removed(key: string): void {
    if (this.#sorted !== null) this.#removed++
    if (this.#groups === null) return
    const name = this.#groupOf!(key)
    const group = this.#groups.get(name)
    if (group === undefined) return
    const at = lowerBound(group, key)
    if (group[at] === key) group.splice(at, 1)
    if (group.length === 0) this.#groups.delete(name)
  }

  cleared(): void {
    this.#begin(null)
    this.#groups?.clear()
  }

  /** All keys in byte order. The array is a snapshot: later writes do not change it. */
  all(): readonly string[] {
    this.#sort()
    if (this.#fresh.length > 0 || this.#removed > 0) this.#takeIn()
    return this.#sorted!
  }

  /** Keys with `from ≤ key < to`; `group` names the one group they all belong to, if they do. A snapshot. */
  between(from: string, to: string, group: string | null): readonly string[] {
    if (group !== null && this.#groupOf !== null) return slice(this.#keysOf(group), from, to)
    this.#sort()
    const found = slice(this.#sorted!, from, to)
    const fresh = this.#fresh.length === 0 ? noKeys : slice(this.#fresh, from, to)
    return this.#live(fresh.length === 0 ? found : merged(found, fresh))
  }

  #begin(sorted: readonly string[] | null): void {
    this.#sorted = sorted
    this.#fresh = []
    this.#latest = []
    this.#removed = 0
  }

  #sort(): void {
    if (this.#sorted === null) return this.#begin([...this.#keys.keys()].sort(byBytes))
    if (this.#latest.length > 0) {
      // A few are put into their places; many are sorted with the others.
      if (this.#latest.length <= 8) for (const key of this.#latest) insert(this.#fresh, key)
      else this.#fresh = merged(this.#fresh, this.#latest.sort(byBytes))
      this.#latest = []
    }
    const much = Math.max(freshMin, this.#sorted.length / freshPart)
    if (this.#fresh.length > much || this.#removed > much) this.#takeIn()
  }

  #takeIn(): void {
    this.#begin(this.#live(merged(this.#sorted!, this.#fresh)))
  }

  /** Without those that were removed. */
  #live(keys: readonly string[]): readonly string[] {
    return this.#removed === 0 ? keys : keys.filter((key) => this.#keys.has(key))
  }

  #keysOf(group: string): readonly string[] {
    if (this.#groups === null) {
      this.#groups = new Map()
      for (const key of this.#keys.keys()) addToGroup(this.#groups, this.#groupOf!(key), key)
    }
    return this.#groups.get(group) ?? noKeys
  }
}

const noKeys: readonly string[] = []

const slice = (keys: readonly string[], from: string, to: string): readonly string[] =>
  keys.slice(lowerBound(keys, from), lowerBound(keys, to))

function insert(keys: string[], key: string): void {
  const at = lowerBound(keys, key)
  if (keys[at] !== key) keys.splice(at, 0, key)
}

/** Both are sorted; a key that was removed and came again is in both, and is there once. */
function merged(one: readonly string[], two: readonly string[]): string[] {
  const keys: string[] = []
  let at = 0
  for (const key of one) {
    while (at < two.length && two[at]! < key) push(keys, two[at++]!)
    push(keys, key)
  }
  while (at < two.length) push(keys, two[at++]!)
  return keys
}

function push(keys: string[], key: string): void {
  if (keys.length === 0 || keys[keys.length - 1] !== key) keys.push(key)
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
