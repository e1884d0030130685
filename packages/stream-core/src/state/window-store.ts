import { ProcessingError } from '../common/errors.ts'
import type { RecordContext } from '../common/record.ts'
import { shown } from '../common/shown.ts'
import type { Windowed } from '../common/windowed.ts'
import { timeFirstWalk, windowWalk } from './cache-walk.ts'
import type { Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import type { ValueAndTimestamp } from './key-value-store.ts'
import { Segments } from './segments.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import { segmentIntervalMs, type WindowStoreSpec } from './store-spec.ts'
import { StoreCodec } from './value-codec.ts'
import { windowKey, windowKeyPart, windowStart } from './window-key.ts'
import { allWindows, type WindowRange, WindowRowsInner, windowsOfKey } from './window-rows.ts'
import type { AppendChange } from './state-store.ts'

export interface WindowReadOptions {
  /** Latest window first, highest key first. */
  readonly reverse?: boolean
}

/** Told of the updates that a record cache hands on. */
export type WindowChangeListener<K, V> = (
  key: Windowed<K>,
  newValue: ValueAndTimestamp<V> | null,
  oldValue: ValueAndTimestamp<V> | null,
  context: RecordContext,
) => void

/** For `BaseTable` and the layers: where a stored key belongs. */
export const windowLayout = (retentionMs: number) => {
  const intervalMs = segmentIntervalMs(retentionMs)
  const segmentOf = (key: string): number => Math.trunc(windowStart(key) / intervalMs)
  return { segmentOf, groupOf: windowKeyPart, timeOf: windowStart }
}

/** What both kinds of window stores do: rows by key and window start, forgotten as they expire. */
abstract class WindowRows<K, V> extends StoreBase<WindowStoreSpec> {
  protected readonly codec: StoreCodec<K, V>
  readonly #segments: Segments
  /** Of a store that keeps duplicates: each of its changes, in order. */
  readonly #changes: [key: string, entry: Entry][] = []
  #changeSequence = 0

  constructor(spec: WindowStoreSpec, parts: StoreParts) {
    const codec = new StoreCodec<K, V>(spec)
    const layout = windowLayout(spec.retentionMs)
    const intervalMs = segmentIntervalMs(spec.retentionMs)
    super(spec, parts, {
      layout,
      encode: (value) => codec.encodePassing(value as V),
      valueOverhead: spec.timestamped ? 8 : 0,
      // Keys of Java's stores for emit-final begin with a byte that says so (PrefixedWindowKeySchemas).
      keyOverhead: spec.emitFinal ? 9 : 8,
      walk: spec.emitFinal ? timeFirstWalk(intervalMs) : windowWalk(layout.segmentOf, intervalMs),
    })
    this.codec = codec
    this.#segments = new Segments(spec.retentionMs, this.meta)
  }

  override get hasChanges(): boolean {
    return super.hasChanges || this.#changes.length > 0
  }

  override changes(append: AppendChange): void {
    if (!this.spec.retainDuplicates) return super.changes(append)
    if (this.spec.logging === null) return
    for (const [key, entry] of this.#changes)
      append(key, this.table.passingBytesOf(entry), entry.timestampMs, entry.headers)
  }

  override freeze(): void {
    super.freeze()
    this.#changes.length = 0
  }

  override rollBack(): void {
    super.rollBack()
    this.#changes.length = 0
    this.#changeSequence = this.meta.active.sequence
  }

  override restore(key: string, bytes: Buffer | null, timestampMs: number, headers: RecordContext['headers']): void {
    const startMs = windowStart(key)
    if (this.spec.retainDuplicates) this.#sawSequence(key)
    // A deletion did nothing to a store that keeps duplicates: its time must not expire rows now, either.
    const didNothing = this.spec.retainDuplicates && bytes === null
    if (!didNothing) this.meta.observe(startMs)
    this.meta.freeze()
    if (!didNothing && this.#segments.isLive(startMs)) super.restore(key, bytes, timestampMs, headers)
  }

  override firstLiveSegment(): number {
    return Math.max(0, this.#segments.firstCommittedLive)
  }

  protected inner(): InnerStore {
    const refuse = (key: string, entry: Entry): void => this.refuse(key, entry)
    const rows = new WindowRowsInner(this.table, this.meta, this.#segments, this.spec.emitFinal, refuse)
    return this.#hasEmptyWindows && this.isCached ? withoutPuts(rows) : rows
  }

  protected findEntry(key: K, startMs: number): Entry | undefined {
    return this.rows.find(windowKey(this.codec.keyString(key), startMs))
  }

  protected putEntry(key: K, startMs: number, entry: Entry): void {
    const prefix = this.codec.keyString(key)
    if (!Number.isSafeInteger(startMs) || startMs < 0) throw this.#wrongStart(startMs)
    if (!this.spec.retainDuplicates) {
      this.rows.put(windowKey(prefix, startMs), entry)
      return
    }
    this.#changeSequence = (this.#changeSequence + 1) & 0x7fffffff
    this.#changes.push([windowKey(prefix, startMs, this.#changeSequence), entry])
    // A store that keeps duplicates deletes nothing; its changelog, numbered by itself, has the deletion all the same.
    if (entry.bytes !== null) this.rows.put(windowKey(prefix, startMs, this.meta.nextSequence()), entry)
  }

  protected *entriesOfKey(key: K, range: WindowRange): Generator<[startMs: number, Entry]> {
    for (const [stored, entry] of windowsOfKey(this.rows, this.codec.keyString(key), range)) {
      yield [windowStart(stored), entry]
    }
  }

  protected *entries(from: K | null, to: K | null, range: WindowRange): Generator<[Windowed<K>, Entry]> {
    const keyFrom = from === null ? null : this.codec.keyString(from)
    const keyTo = to === null ? null : this.codec.keyString(to)
    for (const [stored, entry] of allWindows(this.rows, keyFrom, keyTo, range)) {
      if (this.#hasEmptyWindows) throw emptyWindow()
      yield [this.windowed(stored), entry]
    }
  }

  protected windowed(stored: string): Windowed<K> {
    const start = windowStart(stored)
    return { key: this.codec.readKey(windowKeyPart(stored)), window: { start, end: start + this.spec.windowSizeMs } }
  }

  /** Java cannot name windows that end where they start: not when it reads those of all keys, nor when a cache hands them on. */
  get #hasEmptyWindows(): boolean {
    return this.spec.windowSizeMs === 0 && this.hasJavaRules
  }

  #wrongStart(startMs: unknown): RangeError {
    return new RangeError(
      `the start of a window in the store "${this.spec.name}" must be a whole number of milliseconds, 0 or later, got ${shown(startMs)}`,
    )
  }

  #sawSequence(key: string): void {
    const sequence = Buffer.from(key.slice(-4), 'latin1').readInt32BE()
    if (sequence > this.meta.active.sequence) this.meta.active.sequence = sequence
    this.#changeSequence = this.meta.active.sequence
  }
}

/**
 * Values by key and window start, each with its event time. What is older than `retentionMs` behind the newest start is
 * invisible at once, and deleted a whole slice of time at a time (reference §2.3).
 */
export class TimestampedWindowStore<K, V> extends WindowRows<K, V> {
  fetch(key: K, startMs: number): ValueAndTimestamp<V> | null {
    const entry = this.findEntry(key, startMs)
    return entry === undefined ? null : this.#decode(entry)
  }

  /** Puts a value, or deletes with null. A window that has expired is left alone, and counted. */
  put(key: K, value: V | null, startMs: number, timestampMs: number): void {
    const time = value === null || value === undefined ? this.host.recordContext.timestampMs : timestampMs
    this.putEntry(key, startMs, this.codec.entry(key, value, time))
  }

  /** Windows of one key with `fromMs ≤ start ≤ toMs`, by start. */
  *fetchRange(
    key: K,
    fromMs: number,
    toMs: number,
    { reverse = false }: WindowReadOptions = {},
  ): Generator<[startMs: number, ValueAndTimestamp<V>]> {
    for (const [startMs, entry] of this.entriesOfKey(key, { fromMs, toMs, reverse })) {
      yield [startMs, this.#decode(entry)]
    }
  }

  /** Windows of the keys between two, both included; `null` leaves an end open. */
  *fetchKeys(
    from: K | null,
    to: K | null,
    fromMs: number,
    toMs: number,
    { reverse = false }: WindowReadOptions = {},
  ): Generator<[Windowed<K>, ValueAndTimestamp<V>]> {
    for (const [key, entry] of this.entries(from, to, { fromMs, toMs, reverse })) yield [key, this.#decode(entry)]
  }

  /** Windows of all keys with `fromMs ≤ start ≤ toMs`. */
  fetchAll(
    fromMs: number,
    toMs: number,
    options: WindowReadOptions = {},
  ): Generator<[Windowed<K>, ValueAndTimestamp<V>]> {
    return this.fetchKeys(null, null, fromMs, toMs, options)
  }

  all(options: WindowReadOptions = {}): Generator<[Windowed<K>, ValueAndTimestamp<V>]> {
    return this.fetchKeys(null, null, 0, Number.POSITIVE_INFINITY, options)
  }

  /** @internal For operators: true if the record cache forwards changes, through the listener. */
  onChange(listener: WindowChangeListener<K, V>, sendsOldValues: boolean): boolean {
    return this.listen((stored, newEntry, oldEntry, context) => {
      listener(this.windowed(stored), newEntry && this.#decode(newEntry), oldEntry && this.#decode(oldEntry), context)
    }, sendsOldValues)
  }

  /** @internal */
  get sharesValues(): boolean {
    return this.codec.sharesValues
  }

  #decode(entry: Entry): ValueAndTimestamp<V> {
    if (entry.bytes === null) return null as unknown as ValueAndTimestamp<V>
    return { value: this.codec.decode(entry), timestampMs: entry.timestampMs }
  }
}

/** Values by key and window start, without event times; one with `retainDuplicates` keeps every value that was put. */
export class WindowStore<K, V> extends WindowRows<K, V> {
  fetch(key: K, startMs: number): V | null {
    const entry = this.findEntry(key, startMs)
    return entry === undefined ? null : this.codec.decode(entry)
  }

  put(key: K, value: V | null, startMs: number): void {
    const { timestampMs, headers } = this.host.recordContext
    this.putEntry(key, startMs, this.codec.entry(key, value, timestampMs, this.spec.logsHeaders ? headers : undefined))
  }

  /** Windows of one key with `fromMs ≤ start ≤ toMs`, by start. */
  *fetchRange(
    key: K,
    fromMs: number,
    toMs: number,
    { reverse = false }: WindowReadOptions = {},
  ): Generator<[startMs: number, V]> {
    for (const [startMs, entry] of this.entriesOfKey(key, { fromMs, toMs, reverse })) {
      yield [startMs, this.codec.decode(entry)]
    }
  }

  /** Windows of the keys between two, both included; `null` leaves an end open. */
  *fetchKeys(
    from: K | null,
    to: K | null,
    fromMs: number,
    toMs: number,
    { reverse = false }: WindowReadOptions = {},
  ): Generator<[Windowed<K>, V]> {
    for (const [key, entry] of this.entries(from, to, { fromMs, toMs, reverse })) {
      yield [key, this.codec.decode(entry)]
    }
  }

  /** Windows of all keys with `fromMs ≤ start ≤ toMs`. */
  fetchAll(fromMs: number, toMs: number, options: WindowReadOptions = {}): Generator<[Windowed<K>, V]> {
    return this.fetchKeys(null, null, fromMs, toMs, options)
  }

  all(options: WindowReadOptions = {}): Generator<[Windowed<K>, V]> {
    return this.fetchKeys(null, null, 0, Number.POSITIVE_INFINITY, options)
  }
}

const emptyWindow = (): ProcessingError => new ProcessingError('', 'Window endMs must be greater than window startMs.')

const withoutPuts = (rows: InnerStore): InnerStore => ({
  find: (key) => rows.find(key),
  range: (from, to, options) => rows.range(from, to, options),
  put() {
    throw emptyWindow()
  },
})
