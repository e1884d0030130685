import type { RecordContext } from '../common/record.ts'
import type { Entry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { aboveEveryKey } from './layered-table.ts'
import { LruRows } from './lru-rows.ts'
import { incremented } from './next-key.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { KeyValueStoreSpec } from './store-spec.ts'
import { plainLayout } from './table-layout.ts'
import { StoreCodec } from './value-codec.ts'

export interface ValueAndTimestamp<V> {
  readonly value: V
  readonly timestampMs: number
}

export interface RangeOptions {
  /** Highest key first. */
  readonly reverse?: boolean
}

/** Told of the updates that a record cache hands on; null is a deletion, or an old value nobody asked for. */
export type ChangeListener<K, V> = (
  key: K,
  newValue: ValueAndTimestamp<V> | null,
  oldValue: ValueAndTimestamp<V> | null,
  context: RecordContext,
) => void

/** What both kinds of key-value stores do: rows by key, in the order of the keys' bytes. */
abstract class KeyValueRows<K, V> extends StoreBase<KeyValueStoreSpec> {
  protected readonly codec: StoreCodec<K, V>

  /** @internal */
  constructor(spec: KeyValueStoreSpec, parts: StoreParts) {
    const codec = new StoreCodec<K, V>(spec)
    super(spec, parts, {
      layout: plainLayout,
      encode: (value) => codec.encodePassing(value as V),
      valueOverhead: spec.timestamped ? 8 : 0,
      keepsReads: true,
      restoresRows: true,
    })
    this.codec = codec
  }

  /** Number of keys, at least about. */
  approximateNumEntries(): number {
    let count = 0
    for (const _entry of this.table.range('', aboveEveryKey)) count++
    return count
  }

  protected inner(): InnerStore {
    const rows = plainInner(this.table)
    return this.spec.maxEntries === null ? rows : new LruRows(rows, this.spec.maxEntries, this.host)
  }

  protected findEntry(key: string): Entry | undefined {
    return this.rows.find(key)
  }

  protected putEntry(key: string, entry: Entry): void {
    this.rows.put(key, entry)
  }

  protected *entries(from: K | null, to: K | null, { reverse = false }: RangeOptions): Generator<[K, Entry]> {
    const low = from === null ? '' : this.codec.keyString(from)
    const high = to === null ? aboveEveryKey : `${this.codec.keyString(to)}\0`
    if (low > high) return
    for (const [key, entry] of this.rows.range(low, high, { reverse })) yield [this.codec.readKey(key), entry]
  }

  protected *entriesWithPrefix(prefix: string | Uint8Array, { reverse = false }: RangeOptions): Generator<[K, Entry]> {
    const low = Buffer.from(prefix as string).toString('latin1')
    // Java seeks the key that follows the prefix: for an empty one there is none, and only its store on disk needs none.
    if (low === '' && this.hasJavaRules && (this.spec.inMemory || this.isCached))
      throw new RangeError('an empty prefix')
    for (const [key, entry] of this.rows.range(low, incremented(low), { reverse }))
      yield [this.codec.readKey(key), entry]
  }
}

/**
 * Values by key, each with its event time, in the order of the keys' bytes. `null` as a value deletes. A returned value
 * is the caller's own copy unless its serde says that values are immutable.
 */
export class TimestampedKeyValueStore<K, V> extends KeyValueRows<K, V> {
  get(key: K): ValueAndTimestamp<V> | null {
    const entry = this.findEntry(this.codec.keyString(key))
    return entry === undefined ? null : this.#decode(entry)
  }

  put(key: K, value: V | null, timestampMs: number): void {
    // A deletion has no time of its own: its changelog record carries that of the record being processed.
    const time = value === null || value === undefined ? this.host.recordContext.timestampMs : timestampMs
    this.putEntry(this.codec.keyString(key), this.codec.entry(key, value, time))
  }

  /** Puts unless the key has a value; returns that value, or null if it put. */
  putIfAbsent(key: K, value: V | null, timestampMs: number): ValueAndTimestamp<V> | null {
    const old = this.get(key)
    if (old === null) this.put(key, value, timestampMs)
    return old
  }

  delete(key: K): ValueAndTimestamp<V> | null {
    const old = this.get(key)
    this.put(key, null, -1)
    return old
  }

  /** Entries with `from ≤ key ≤ to` by key bytes; `null` leaves an end open. */
  *range(from: K | null, to: K | null, options: RangeOptions = {}): Generator<[K, ValueAndTimestamp<V>]> {
    for (const [key, entry] of this.entries(from, to, options)) yield [key, this.#decode(entry)]
  }

  all(options: RangeOptions = {}): Generator<[K, ValueAndTimestamp<V>]> {
    return this.range(null, null, options)
  }

  /** Entries whose key bytes begin with these bytes, or with this text in UTF-8. */
  *prefixScan(prefix: string | Uint8Array, options: RangeOptions = {}): Generator<[K, ValueAndTimestamp<V>]> {
    for (const [key, entry] of this.entriesWithPrefix(prefix, options)) yield [key, this.#decode(entry)]
  }

  /** @internal For operators: true if the record cache forwards changes, through the listener. */
  onChange(listener: ChangeListener<K, V>, sendsOldValues: boolean): boolean {
    return this.listen((key, newEntry, oldEntry, context) => {
      listener(this.codec.readKey(key), newEntry && this.#decode(newEntry), oldEntry && this.#decode(oldEntry), context)
    }, sendsOldValues)
  }

  /** @internal True if nobody can change a returned value. */
  get sharesValues(): boolean {
    return this.codec.sharesValues
  }

  #decode(entry: Entry): ValueAndTimestamp<V> {
    if (entry.bytes === null) return null as unknown as ValueAndTimestamp<V>
    return { value: this.codec.decode(entry), timestampMs: entry.timestampMs }
  }
}

/** Values by key, without their event time: what the Processor API's key-value stores are. */
export class KeyValueStore<K, V> extends KeyValueRows<K, V> {
  get(key: K): V | null {
    const entry = this.findEntry(this.codec.keyString(key))
    return entry === undefined ? null : this.codec.decode(entry)
  }

  put(key: K, value: V | null): void {
    this.putEntry(this.codec.keyString(key), this.codec.entry(key, value, this.host.recordContext.timestampMs))
  }

  /** Puts unless the key has a value; returns that value, or null if it put. */
  putIfAbsent(key: K, value: V | null): V | null {
    const old = this.get(key)
    if (old === null) this.put(key, value)
    return old
  }

  delete(key: K): V | null {
    const old = this.get(key)
    this.put(key, null)
    return old
  }

  /** Entries with `from ≤ key ≤ to` by key bytes; `null` leaves an end open. */
  *range(from: K | null, to: K | null, options: RangeOptions = {}): Generator<[K, V]> {
    for (const [key, entry] of this.entries(from, to, options)) yield [key, this.codec.decode(entry)]
  }

  all(options: RangeOptions = {}): Generator<[K, V]> {
    return this.range(null, null, options)
  }

  /** Entries whose key bytes begin with these bytes, or with this text in UTF-8. */
  *prefixScan(prefix: string | Uint8Array, options: RangeOptions = {}): Generator<[K, V]> {
    for (const [key, entry] of this.entriesWithPrefix(prefix, options)) yield [key, this.codec.decode(entry)]
  }
}
