import type { BaseTable } from './base-table.ts'
import { aboveEveryKey, LayeredTable } from './layered-table.ts'
import type { StateStore } from './state-store.ts'
import type { KeyValueStoreSpec } from './store-spec.ts'
import { StoreCodec } from './value-codec.ts'

export interface ValueAndTimestamp<V> {
  readonly value: V
  readonly timestampMs: number
}

export interface RangeOptions {
  readonly reverse?: boolean
}

/**
 * Values by key, each with its event time, in the order of the keys' bytes. `null` as a value deletes. A returned value
 * is the caller's own copy unless its serde says that values are immutable.
 */
export class TimestampedKeyValueStore<K, V> implements StateStore {
  readonly spec: KeyValueStoreSpec
  readonly table: LayeredTable
  readonly #codec: StoreCodec<K, V>

  constructor(spec: KeyValueStoreSpec, base: BaseTable | null) {
    this.spec = spec
    this.#codec = new StoreCodec(spec)
    this.table = new LayeredTable(spec.name, base, (value) => this.#codec.encode(value as V))
  }

  get(key: K): ValueAndTimestamp<V> | null {
    const entry = this.table.find(this.#codec.keyString(key))
    return entry === undefined ? null : { value: this.#codec.decode(entry), timestampMs: entry.timestampMs }
  }

  put(key: K, value: V | null, timestampMs: number): void {
    this.table.set(this.#codec.keyString(key), this.#codec.entry(value, timestampMs))
  }

  delete(key: K, timestampMs: number): ValueAndTimestamp<V> | null {
    const old = this.get(key)
    this.put(key, null, timestampMs)
    return old
  }

  /** Entries with `from ≤ key ≤ to` by key bytes; `null` leaves an end open. */
  *range(from: K | null, to: K | null, options: RangeOptions = {}): Generator<[K, ValueAndTimestamp<V>]> {
    const low = from === null ? '' : this.#codec.keyString(from)
    const high = to === null ? aboveEveryKey : `${this.#codec.keyString(to)}\0`
    for (const [key, entry] of this.table.range(low, high, options.reverse)) {
      yield [this.#codec.readKey(key), { value: this.#codec.decode(entry), timestampMs: entry.timestampMs }]
    }
  }

  all(options: RangeOptions = {}): Generator<[K, ValueAndTimestamp<V>]> {
    return this.range(null, null, options)
  }

  /** A key as the store holds it: the record cache goes by the same. */
  keyString(key: K): string {
    return this.#codec.keyString(key)
  }

  restore(key: string, bytes: Buffer | null, timestampMs: number): void {
    this.table.restore(key, { bytes, decoded: undefined, timestampMs })
  }

  expire(): void {
    // Keeps everything.
  }

  firstLiveSegment(): number {
    return -1
  }
}

/** Values by key, without their event time: what the Processor API's key-value stores are. */
export class KeyValueStore<K, V> implements StateStore {
  readonly #inner: TimestampedKeyValueStore<K, V>
  readonly #nowMs: () => number

  /** `nowMs` is the time that a changelog record carries: that of the record being processed. */
  constructor(spec: KeyValueStoreSpec, base: BaseTable | null, nowMs: () => number) {
    this.#inner = new TimestampedKeyValueStore(spec, base)
    this.#nowMs = nowMs
  }

  get spec(): KeyValueStoreSpec {
    return this.#inner.spec
  }

  get table(): LayeredTable {
    return this.#inner.table
  }

  get(key: K): V | null {
    return this.#inner.get(key)?.value ?? null
  }

  put(key: K, value: V | null): void {
    this.#inner.put(key, value, this.#nowMs())
  }

  delete(key: K): V | null {
    return this.#inner.delete(key, this.#nowMs())?.value ?? null
  }

  *range(from: K | null, to: K | null, options: RangeOptions = {}): Generator<[K, V]> {
    for (const [key, { value }] of this.#inner.range(from, to, options)) yield [key, value]
  }

  all(options: RangeOptions = {}): Generator<[K, V]> {
    return this.range(null, null, options)
  }

  restore(key: string, bytes: Buffer | null, timestampMs: number): void {
    this.#inner.restore(key, bytes, timestampMs)
  }

  expire(): void {
    // Keeps everything.
  }

  firstLiveSegment(): number {
    return -1
  }
}
