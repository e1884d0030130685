/** Bits per key and probes per key: about one wrong "maybe" in a hundred. */
const bitsPerKey = 10
const probes = 4
const firstCapacity = 1 << 14
const growth = 4

/** One Bloom filter of a fixed size. */
class Layer {
  readonly capacity: number
  count = 0
  readonly #words: Uint32Array
  readonly #mask: number

  constructor(capacity: number) {
    this.capacity = capacity
    let bits = 1024
    while (bits < capacity * bitsPerKey) bits *= 2
    this.#words = new Uint32Array(bits / 32)
    this.#mask = bits - 1
  }

  add(one: number, two: number): void {
    let at = one
    for (let i = 0; i < probes; i++) {
      const bit = at & this.#mask
      this.#words[bit >>> 5]! |= 1 << (bit & 31)
      at = (at + two) | 0
    }
    this.count++
  }

  mayHave(one: number, two: number): boolean {
    let at = one
    for (let i = 0; i < probes; i++) {
      const bit = at & this.#mask
      if ((this.#words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
      at = (at + two) | 0
    }
    return true
  }
}

/**
 * Says of a key that it is certainly not in a table, or that it may be: spares a new key its read from disk (D11). Grows by
 * adding layers, each four times the size of the one before; about 13 bits per key in all.
 */
export class KeyFilter {
  readonly #layers: Layer[] = []

  add(key: string): void {
    const one = hash(key)
    const two = second(one)
    if (this.#mayHave(one, two)) return
    let last = this.#layers[this.#layers.length - 1]
    if (last === undefined || last.count >= last.capacity) {
      last = new Layer(last === undefined ? firstCapacity : last.capacity * growth)
      this.#layers.push(last)
    }
    last.add(one, two)
  }

  mayHave(key: string): boolean {
    const one = hash(key)
    return this.#mayHave(one, second(one))
  }

  #mayHave(one: number, two: number): boolean {
    for (let i = this.#layers.length - 1; i >= 0; i--) if (this.#layers[i]!.mayHave(one, two)) return true
    return false
  }
}

/** Murmur3's mixing over the key's code units. */
function hash(key: string): number {
  let h = key.length
  for (let i = 0; i < key.length; i++) {
    h = Math.imul(h ^ key.charCodeAt(i), 0x5bd1e995)
    h ^= h >>> 15
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

/** A second hash that depends on the first, odd so that the probes differ. */
function second(one: number): number {
  const h = Math.imul(one ^ (one >>> 16), 0x7feb352d)
  return (h ^ (h >>> 15)) | 1
}
