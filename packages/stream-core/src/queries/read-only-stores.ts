import type { Windowed } from '../common/windowed.ts'
import type { RangeOptions, ValueAndTimestamp } from '../state/key-value-store.ts'
import type { VersionedRecord } from '../state/versioned-store.ts'
import type { WindowReadOptions } from '../state/window-store.ts'

/**
 * What queries see of a key-value store, over the partitions that are here. Entries come in the order of their keys' bytes,
 * across partitions too. Every call, and every step of a loop over entries, throws a StoreNotAvailableError if what it
 * needs is not here, or not any more.
 */
export interface ReadOnlyKeyValueStore<K, V> {
  get(key: K): V | null
  /** Entries with `from ≤ key ≤ to` by key bytes; `null` leaves an end open. */
  range(from: K | null, to: K | null, options?: RangeOptions): Iterable<[K, V]>
  all(options?: RangeOptions): Iterable<[K, V]>
  /** Entries whose key bytes begin with these bytes, or with this text in UTF-8. */
  prefixScan(prefix: string | Uint8Array, options?: RangeOptions): Iterable<[K, V]>
  /** Number of keys, at least about. It looks at all of them. */
  approximateNumEntries(): number
}

/** What queries see of a window store; windows of several partitions come partition by partition. */
export interface ReadOnlyWindowStore<K, V> {
  fetch(key: K, startMs: number): V | null
  /** Windows of one key with `fromMs ≤ start ≤ toMs`, by start. */
  fetchRange(key: K, fromMs: number, toMs: number, options?: WindowReadOptions): Iterable<[startMs: number, V]>
  /** Windows of the keys between two, both included; `null` leaves an end open. */
  fetchKeys(
    from: K | null,
    to: K | null,
    fromMs: number,
    toMs: number,
    options?: WindowReadOptions,
  ): Iterable<[Windowed<K>, V]>
  /** Windows of all keys with `fromMs ≤ start ≤ toMs`. */
  fetchAll(fromMs: number, toMs: number, options?: WindowReadOptions): Iterable<[Windowed<K>, V]>
  all(options?: WindowReadOptions): Iterable<[Windowed<K>, V]>
}

/** What queries see of a session store; sessions of several partitions come partition by partition. */
export interface ReadOnlySessionStore<K, V> {
  /** The value of exactly this session. */
  fetchSession(key: K, startMs: number, endMs: number): V | null
  /** Sessions of a key that end at `earliestEndMs` or later and begin at `latestStartMs` or earlier, by end and start. */
  findSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
    options?: WindowReadOptions,
  ): Iterable<[Windowed<K>, V]>
  /** All sessions of a key. */
  fetch(key: K, options?: WindowReadOptions): Iterable<[Windowed<K>, V]>
  /** Sessions of the keys between two, both included; `null` leaves an end open. */
  fetchKeys(from: K | null, to: K | null, options?: WindowReadOptions): Iterable<[Windowed<K>, V]>
  all(options?: WindowReadOptions): Iterable<[Windowed<K>, V]>
}

/** What queries see of a versioned store. */
export interface ReadOnlyVersionedStore<K, V> {
  /** The latest value; with `asOfMs`, the one that held then, as far as the history goes back. */
  get(key: K, asOfMs?: number): VersionedRecord<V> | null
  /** Every version that the store still has, oldest first. */
  history(key: K): readonly VersionedRecord<V>[]
}

/** By kind of query: what `Streams.store` gives. The timestamped kinds give each value with its event time. */
export interface ReadOnlyStores<K, V> {
  readonly keyValue: ReadOnlyKeyValueStore<K, V>
  readonly timestampedKeyValue: ReadOnlyKeyValueStore<K, ValueAndTimestamp<V>>
  readonly window: ReadOnlyWindowStore<K, V>
  readonly timestampedWindow: ReadOnlyWindowStore<K, ValueAndTimestamp<V>>
  readonly session: ReadOnlySessionStore<K, V>
  readonly versioned: ReadOnlyVersionedStore<K, V>
}

export type QueryKind = keyof ReadOnlyStores<unknown, unknown>
