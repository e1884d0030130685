import { ByteWriter } from '../common/byte-writer.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import type { Serde, SerdeContext } from '../common/serde.ts'
import { bytesEntry, type Entry } from './entry.ts'
import type { StoreSpec } from './store-spec.ts'

/** One writer for all stores: serialising is synchronous, and what it holds is copied out at once. */
const scratch = new ByteWriter(1024)

/** A store's keys and values to bytes and back, with the topic context a serde may want. */
export class StoreCodec<K, V> {
  readonly #key: Serde<K>
  readonly #value: Serde<V>
  readonly #keyContext: SerdeContext
  readonly #valueContext: SerdeContext
  readonly #sharesDecoded: boolean
  /** The last key and its bytes: most reads are followed by a write of the same key. */
  #lastKey: unknown = undefined
  #lastKeyText = ''

  constructor(spec: StoreSpec) {
    this.#key = spec.key as unknown as Serde<K>
    this.#value = spec.value as unknown as Serde<V>
    this.#keyContext = { topic: spec.name, part: 'key', headers: noHeaders }
    this.#valueContext = { topic: spec.name, part: 'value', headers: noHeaders }
    this.#sharesDecoded = spec.value.immutable === true
  }

  /** Decoded values may be shared: nobody changes them. */
  get sharesValues(): boolean {
    return this.#sharesDecoded
  }

  /** The key's bytes as the engine holds them. */
  keyString(key: K): string {
    // An object may have been changed since: only what cannot change is remembered.
    if (Object.is(key, this.#lastKey) && typeof key !== 'object') return this.#lastKeyText
    let text = this.#key.toLatin1?.(key) ?? null
    if (text === null) {
      scratch.reset()
      this.#key.write(key, scratch, this.#keyContext)
      text = scratch.toLatin1()
    }
    this.#lastKey = key
    this.#lastKeyText = text
    return text
  }

  readKey(text: string): K {
    const key = this.#key.fromLatin1?.(text) ?? null
    if (key !== null) return key
    const bytes = Buffer.from(text, 'latin1')
    return this.#key.read(bytes, 0, bytes.length, this.#keyContext)
  }

  /** The value's bytes, which are good until the next value is encoded by anybody. */
  encodePassing(value: V): Buffer {
    scratch.reset()
    this.#value.write(value, scratch, this.#valueContext)
    return scratch.view()
  }

  encode(value: V): Buffer {
    scratch.reset()
    this.#value.write(value, scratch, this.#valueContext)
    return scratch.toBuffer()
  }

  /** An entry to write: immutable values wait for their bytes until somebody needs them. */
  entry(value: V | null, timestampMs: number, headers: Headers = noHeaders): Entry {
    if (value === null || value === undefined) return bytesEntry(null, timestampMs, headers)
    // A text with half a surrogate pair is another one once it has been bytes.
    const isFaithful = typeof value !== 'string' || value.isWellFormed()
    if (this.#sharesDecoded && isFaithful) return { bytes: undefined, decoded: value, timestampMs, headers }
    return bytesEntry(this.encode(value), timestampMs, headers)
  }

  /** The entry's value: shared where nobody can change it, else a copy of one's own. */
  decode(entry: Entry): V {
    if (entry.decoded !== undefined && this.#sharesDecoded) return entry.decoded as V
    const { bytes } = entry as { readonly bytes: Buffer | null }
    // Only the test driver shows deletions (CachingStore), which are nobody's value.
    if (bytes === null) return null as V
    const value = this.#value.read(bytes, 0, bytes.length, this.#valueContext)
    if (this.#sharesDecoded) entry.decoded = value
    return value
  }
}
