/** Keys that can be looked at byte by byte. */
export interface SortedKeys {
  readonly length: number
  keyLength(place: number): number
  keyByte(place: number, at: number): number
  compareKeys(one: number, two: number): number
}

/** Strings of bytes (latin1). */
export class StringKeys implements SortedKeys {
  readonly #keys: readonly string[]

  constructor(keys: readonly string[]) {
    this.#keys = keys
  }

  get length(): number {
    return this.#keys.length
  }

  keyLength(place: number): number {
    return this.#keys[place]!.length
  }

  keyByte(place: number, at: number): number {
    return this.#keys[place]!.charCodeAt(at)
  }

  compareKeys(one: number, two: number): number {
    const [first, second] = [this.#keys[one]!, this.#keys[two]!]
    return first < second ? -1 : first > second ? 1 : 0
  }
}

/** So few are compared with each other. */
const fewKeys = 16

/**
 * Keys in byte order, sorted without comparing most of them: what tells keys apart is packed into the upper bits of a
 * number and their order into the lower ones, and numbers are sorted natively, about eight times faster than strings.
 * Returns their places in order; a key that is there more than once has its places in their own order.
 */
export function sortedPlaces(keys: SortedKeys): Float64Array {
  const places = new Float64Array(keys.length)
  for (let i = 0; i < places.length; i++) places[i] = i
  sort(keys, places)
  return places
}

/** Places in ascending order. Keys that one number cannot tell apart are sorted by what follows in them. */
function sort(keys: SortedKeys, places: Float64Array): void {
  if (places.length <= fewKeys) {
    places.sort((one, two) => keys.compareKeys(one, two) || one - two)
    return
  }
  const beginning = commonBeginning(keys, places)
  if (beginning.isAll) return
  const { ranks, base } = ranksOfBytes(keys, places, beginning.length)
  const orderBits = Math.ceil(Math.log2(places.length + 1))
  const orderFactor = 2 ** orderBits
  const end = beginning.length + Math.max(1, Math.floor((53 - orderBits) / Math.log2(base)))
  const unsorted = Float64Array.from(places)
  for (let i = 0; i < places.length; i++) {
    const place = unsorted[i]!
    const length = keys.keyLength(place)
    let code = 0
    for (let at = beginning.length; at < end; at++) {
      code = code * base + (at < length ? ranks[keys.keyByte(place, at)]! : 0)
    }
    places[i] = code * orderFactor + i
  }
  places.sort()
  let start = 0
  let code = -1
  for (let i = 0; i < places.length; i++) {
    const packed = places[i]!
    const its = Math.floor(packed / orderFactor)
    places[i] = unsorted[packed - its * orderFactor]!
    if (its === code) continue
    if (i - start > 1) sort(keys, places.subarray(start, i))
    start = i
    code = its
  }
  if (places.length - start > 1) sort(keys, places.subarray(start))
}

/** How many bytes all of them begin with; `isAll`: they are the same key. */
function commonBeginning(keys: SortedKeys, places: Float64Array): { readonly length: number; readonly isAll: boolean } {
  const first = places[0]!
  let common = keys.keyLength(first)
  let longest = common
  for (let i = 1; i < places.length; i++) {
    const place = places[i]!
    const length = keys.keyLength(place)
    longest = Math.max(longest, length)
    const most = Math.min(common, length)
    let same = 0
    while (same < most && keys.keyByte(place, same) === keys.keyByte(first, same)) same++
    common = same
  }
  return { length: common, isAll: common === longest }
}

/** A number from 1 up for each byte that occurs, in order; 0 is the end of a key. Few different bytes pack more of them. */
function ranksOfBytes(
  keys: SortedKeys,
  places: Float64Array,
  from: number,
): { readonly ranks: Uint16Array; readonly base: number } {
  const ranks = new Uint16Array(256)
  for (const place of places) {
    const length = keys.keyLength(place)
    for (let at = from; at < length; at++) ranks[keys.keyByte(place, at)] = 1
  }
  let base = 1
  for (let byte = 0; byte < 256; byte++) if (ranks[byte] === 1) ranks[byte] = base++
  return { ranks, base: Math.max(2, base) }
}
