import { ByteWriter } from '../common/byte-writer.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import { shown } from '../common/shown.ts'
import type { Serde, SerdeContext } from '../common/serde.ts'
import { bytesEntry, type Entry } from './entry.ts'
import type { StoreSpec } from './store-spec.ts'

/** One writer for all stores: serialising is synchronous, and what it holds is copied out at once. */
const scratch = new ByteWriter(1024)

/** Equal to no key, `undefined` included, which a serde has to refuse. */
const noKey = Symbol('no key')

/** A store's keys and values to bytes and back, with the topic context a serde may want. */
export class StoreCodec<K, V> {
  readonly #key: Serde<K>
  readonly #value: Serde<V>
  readonly #keyContext: SerdeContext
  readonly #valueContext: SerdeContext
  readonly #sharesDecoded: boolean
  readonly #check: Serde<V>['check']
  readonly #name: string
  readonly #isBuffer: boolean
  /** The last key and its bytes: most reads are followed by a write of the same key. */
  #lastKey: unknown = noKey
  #lastKeyText = ''

  constructor(spec: StoreSpec) {
    this.#key = spec.key as unknown as Serde<K>
    this.#value = spec.value as unknown as Serde<V>
    this.#keyContext = { topic: spec.name, part: 'key', headers: noHeaders }
    this.#valueContext = { topic: spec.name, part: 'value', headers: noHeaders }
    this.#sharesDecoded = spec.value.immutable === true
    this.#check = this.#value.check
    this.#name = spec.name
    this.#isBuffer = spec.kind === 'suppressBuffer' || spec.kind === 'graceBuffer'
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
    text ??= this.#writtenKey(key)
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

  /**
   * An entry to write: immutable values wait for their bytes until somebody needs them. What their serde would refuse is
   * refused here, where the processor that puts it is in sight.
   */
  entry(key: K, value: V | null, timestampMs: number, headers: Headers = noHeaders): Entry {
    if (value === null) return bytesEntry(null, timestampMs, headers)
    // It would delete the row because somebody forgot a return.
    if (value === undefined) throw unwritable(this.#name, keyText(key), new TypeError(undefinedValue))
    this.checkTime(key, timestampMs)
    // A text with half a surrogate pair is another one once it has been bytes.
    const isFaithful = typeof value !== 'string' || value.isWellFormed()
    if (!this.#sharesDecoded || !isFaithful) return bytesEntry(this.encodePut(key, value), timestampMs, headers)
    if (this.#check !== undefined) this.#checked(key, value)
    return { bytes: undefined, decoded: value, timestampMs, headers }
  }

  /** Throws for what is no time of a value. */
  checkTime(key: K, timestampMs: number): void {
    if (!Number.isSafeInteger(timestampMs)) throw this.#wrongTime(key, timestampMs)
  }

  /** The bytes of a value that is put under a key. */
  encodePut(key: K, value: V): Buffer {
    if (value === undefined) throw unwritable(this.#name, keyText(key), new TypeError(undefinedValue))
    try {
      return this.encode(value)
    } catch (error) {
      throw unwritable(this.#name, keyText(key), error)
    }
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

  #writtenKey(key: K): string {
    scratch.reset()
    try {
      this.#key.write(key, scratch, this.#keyContext)
    } catch (error) {
      // Java's buffers, other than its stores, let it through as it is.
      if (this.#isBuffer) throw error
      throw unwritableKey(this.#name, error)
    }
    return scratch.toLatin1()
  }

  #checked(key: K, value: V): void {
    try {
      this.#check!(value)
    } catch (error) {
      throw unwritable(this.#name, keyText(key), error)
    }
  }

  #wrongTime(key: K, timestampMs: unknown): RangeError {
    return new RangeError(
      `the time of a value that was put into the store "${this.#name}" under the key ${keyText(key)} must be a whole number ` +
        `of milliseconds, got ${shown(timestampMs)}`,
    )
  }
}

const undefinedValue = 'it is undefined (a return that was forgotten?); null deletes'

/** The error for a value that its serde refuses: no error of ours, so that the processor's name is put before it. */
export const unwritable = (store: string, key: string, cause: unknown): TypeError =>
  new TypeError(
    `a value that was put into the store "${store}" under the key ${key} cannot be written: ${(cause as Error).message}`,
    { cause },
  )

/** The error of a store that is given a key its serde refuses. */
export const unwritableKey = (store: string, cause: unknown): TypeError =>
  new TypeError(`the store "${store}" cannot have a key such as this: ${(cause as Error).message}`, { cause })

export const keyText = (key: unknown): string => (typeof key === 'string' ? JSON.stringify(key) : shown(key))
