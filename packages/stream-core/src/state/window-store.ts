import type { BaseTable, SegmentRange } from './base-table.ts'
import type { ValueAndTimestamp } from './key-value-store.ts'
import { aboveEveryKey, LayeredTable } from './layered-table.ts'
import type { StateStore } from './state-store.ts'
import { segmentIntervalMs, type WindowStoreSpec } from './store-spec.ts'
import { StoreCodec } from './value-codec.ts'
import { int64Text, keyPart, startPart, windowKey } from './window-key.ts'

/**
 * Values by key and window start. What is older than `retentionMs` behind the newest start is invisible at once, and
 * deleted a whole segment at a time (kafka-streams WindowStore; reference §2.3).
 */
export class TimestampedWindowStore<K, V> implements StateStore {
  readonly spec: WindowStoreSpec
  readonly table: LayeredTable
  readonly #codec: StoreCodec<K, V>
  readonly #segmentMs: number
  #observedStreamTimeMs = -1
  #expiredBelow = 0

  constructor(spec: WindowStoreSpec, base: BaseTable | null) {
    this.spec = spec
    this.#segmentMs = segmentIntervalMs(spec.retentionMs)
    this.#codec = new StoreCodec(spec)
    this.table = new LayeredTable(spec.name, base, (value) => this.#codec.encode(value as V))
  }

  /** For `BaseTable`: the segment of a stored key. */
  static segmentOf(retentionMs: number): (key: string) => number {
    const segmentMs = segmentIntervalMs(retentionMs)
    return (key) => Math.floor(startPart(key) / segmentMs)
  }

  fetch(key: K, startMs: number): ValueAndTimestamp<V> | null {
    if (startMs < this.#oldestVisibleMs()) return null
    const entry = this.table.find(windowKey(this.#codec.keyString(key), startMs))
    return entry === undefined ? null : { value: this.#codec.decode(entry), timestampMs: entry.timestampMs }
  }

  /** Returns false, and writes nothing, when the window's segment has expired: the caller counts the drop. */
  put(key: K, value: V | null, startMs: number, timestampMs: number): boolean {
    if (startMs > this.#observedStreamTimeMs) this.#observedStreamTimeMs = startMs
    if (Math.floor(startMs / this.#segmentMs) < this.firstLiveSegment()) return false
    this.table.set(windowKey(this.#codec.keyString(key), startMs), this.#codec.entry(value, timestampMs))
    return true
  }

  /** Windows of one key with `fromMs ≤ start ≤ toMs`, by start. */
  *fetchRange(key: K, fromMs: number, toMs: number): Generator<[startMs: number, ValueAndTimestamp<V>]> {
    const from = Math.max(fromMs, this.#oldestVisibleMs(), 0)
    if (from > toMs) return
    const prefix = this.#codec.keyString(key)
    const segments = { first: Math.floor(from / this.#segmentMs), last: Math.floor(toMs / this.#segmentMs) }
    const length = prefix.length + 12
    for (const [stored, entry] of this.table.range(
      prefix + int64Text(from),
      `${prefix}${int64Text(toMs)}\xff\xff\xff\xff\xff`,
      false,
      segments,
    )) {
      // Keys of other lengths may lie between those of this one.
      if (stored.length !== length) continue
      const startMs = startPart(stored)
      if (startMs < from || startMs > toMs) continue
      yield [startMs, { value: this.#codec.decode(entry), timestampMs: entry.timestampMs }]
    }
  }

  /** Everything that is visible, ordered by key bytes, then start. */
  *all(): Generator<[K, startMs: number, ValueAndTimestamp<V>]> {
    const oldest = this.#oldestVisibleMs()
    const segments: SegmentRange = { first: this.firstLiveSegment(), last: Number.MAX_SAFE_INTEGER }
    for (const [stored, entry] of this.table.range('', aboveEveryKey, false, segments)) {
      const startMs = startPart(stored)
      if (startMs < oldest) continue
      const value = { value: this.#codec.decode(entry), timestampMs: entry.timestampMs }
      yield [this.#codec.readKey(keyPart(stored)), startMs, value]
    }
  }

  /** A key as the store holds it: the record cache goes by the same. */
  keyString(key: K): string {
    return this.#codec.keyString(key)
  }

  restore(key: string, bytes: Buffer | null, timestampMs: number): void {
    const startMs = startPart(key)
    if (startMs > this.#observedStreamTimeMs) this.#observedStreamTimeMs = startMs
    if (Math.floor(startMs / this.#segmentMs) < this.firstLiveSegment()) return
    this.table.restore(key, { bytes, decoded: undefined, timestampMs })
  }

  expire(): void {
    const live = this.firstLiveSegment()
    if (live <= this.#expiredBelow) return
    this.#expiredBelow = live
    this.table.forget((key) => Math.floor(startPart(key) / this.#segmentMs) < live)
  }

  firstLiveSegment(): number {
    return Math.max(0, Math.floor((this.#observedStreamTimeMs - this.spec.retentionMs) / this.#segmentMs))
  }

  #oldestVisibleMs(): number {
    return this.#observedStreamTimeMs - this.spec.retentionMs + 1
  }
}
