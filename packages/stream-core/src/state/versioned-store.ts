import { noHeaders, type RecordContext } from '../common/record.ts'
import type { BaseTable } from './base-table.ts'
import { bytesEntry, type Entry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { SegmentValue } from './segment-value.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { VersionedStoreSpec } from './store-spec.ts'
import type { AppendChange } from './state-store.ts'
import { StoreCodec } from './value-codec.ts'
import { int64At, int64Text } from './window-key.ts'

/** A value and the time from which it held; `validToMs` null: it still holds. */
export interface VersionedRecord<V> {
  readonly value: V
  readonly timestampMs: number
  readonly validToMs: number | null
}

/** What a put did: it is the latest version, or holds until a later one, or came too late and was not put. */
export type PutOutcome =
  | { readonly kind: 'latest' }
  | { readonly kind: 'until'; readonly validToMs: number }
  | { readonly kind: 'dropped' }

const latest: PutOutcome = { kind: 'latest' }
const dropped: PutOutcome = { kind: 'dropped' }

/** Rows of the latest values sort below those of the segments; they never expire. */
const latestPrefix = '\0'
const segmentPrefix = '\x01'
const neverExpires = Number.MAX_SAFE_INTEGER

/** For `BaseTable` and the layers: where a stored key belongs. */
export const versionedLayout = {
  segmentOf: (key: string): number => (key.startsWith(latestPrefix) ? neverExpires : int64At(key, 1)),
  groupOf: null,
  timeOf: null,
}

/**
 * Every value a key had within the history retention (KIP-889; Kafka Streams' RocksDBVersionedStore): the latest value in
 * one row, older ones in a row per key and slice of the time until which they held. `timestampMs` is when a value begins to
 * hold. What is put later than the retention is dropped, and counted.
 */
export class VersionedKeyValueStore<K, V> extends StoreBase<VersionedStoreSpec> {
  readonly #codec: StoreCodec<K, V>
  /** Each change of this transaction, in order: a changelog of versions must not be thinned out. */
  readonly #changes: [key: string, value: Buffer | null, timestampMs: number][] = []

  /** @internal */
  constructor(spec: VersionedStoreSpec, parts: StoreParts & { base: BaseTable | null }) {
    const codec = new StoreCodec<K, V>(spec)
    super(spec, parts, { layout: versionedLayout, encode: (value) => codec.encode(value as V) })
    this.#codec = codec
  }

  /** Puts a value that holds from `timestampMs` on; null: from then on there is none. */
  put(key: K, value: V | null, timestampMs: number): PutOutcome {
    const stored = this.#codec.keyString(key)
    this.#codec.checkTime(key, timestampMs)
    const bytes = value === null ? null : this.#codec.encodePut(key, value)
    const outcome = this.#putBytes(stored, bytes, timestampMs)
    this.#changes.push([stored, bytes, timestampMs])
    return outcome
  }

  /** Ends what holds at `timestampMs`; returns it, or null if there is none or it came too late. */
  delete(key: K, timestampMs: number): VersionedRecord<V> | null {
    const stored = this.#codec.keyString(key)
    this.#changes.push([stored, null, timestampMs])
    if (timestampMs < this.#observed - this.spec.historyRetentionMs) {
      this.host.drop(this.spec.name, 'expired-version')
      return null
    }
    const old = this.get(key, timestampMs)
    this.#putBytes(stored, null, timestampMs)
    return old
  }

  /** The latest value; with `asOfMs`, the one that held then, as far as the history goes back. */
  get(key: K, asOfMs?: number): VersionedRecord<V> | null {
    const stored = this.#codec.keyString(key)
    const newest = this.rows.find(latestPrefix + stored)
    if (asOfMs === undefined) return newest === undefined ? null : this.#latestRecord(newest)
    if (newest !== undefined && newest.timestampMs <= asOfMs) return this.#latestRecord(newest)
    if (asOfMs < this.#observed - this.spec.historyRetentionMs) return null
    for (const { value } of this.#segmentsFrom(stored, this.#segmentId(asOfMs))) {
      if (value.nextMs <= asOfMs) return null
      if (value.minMs > asOfMs) continue
      const { bytes, validFromMs, validToMs } = value.find(asOfMs)
      return bytes === null ? null : this.#record(bytes, validFromMs, validToMs)
    }
    return null
  }

  /** Every version that the store still has, oldest first. */
  history(key: K): readonly VersionedRecord<V>[] {
    const stored = this.#codec.keyString(key)
    const records: VersionedRecord<V>[] = []
    for (const { value } of [...this.#segmentsFrom(stored, this.#firstLive)].reverse()) {
      for (const { bytes, validFromMs, validToMs } of value.versions()) {
        if (bytes !== null) records.push(this.#record(bytes, validFromMs, validToMs))
      }
    }
    const newest = this.rows.find(latestPrefix + stored)
    if (newest !== undefined) records.push(this.#latestRecord(newest))
    return records
  }

  /** @internal */
  override get hasChanges(): boolean {
    return this.#changes.length > 0
  }

  /** @internal */
  override changes(append: AppendChange): void {
    if (this.spec.logging === null) return
    for (const [key, value, timestampMs] of this.#changes) append(key, value, timestampMs, noHeaders)
  }

  /** @internal */
  override freeze(): void {
    super.freeze()
    this.#changes.length = 0
  }

  /** @internal */
  override rollBack(): void {
    super.rollBack()
    this.#changes.length = 0
  }

  /** @internal */
  override restore(key: string, bytes: Buffer | null, timestampMs: number, _headers: RecordContext['headers']): void {
    if (timestampMs < this.#observed - this.spec.historyRetentionMs) return
    this.#putBytes(key, bytes, timestampMs)
    super.freeze()
  }

  /** @internal */
  override firstLiveSegment(): number {
    return Math.max(0, this.#segmentId(this.meta.committed.observedStreamTimeMs - this.spec.historyRetentionMs))
  }

  /** @internal */
  protected inner(): InnerStore {
    return plainInner(this.table)
  }

  /** RocksDBVersionedStore#doPut. */
  #putBytes(key: string, bytes: Buffer | null, timestampMs: number): PutOutcome {
    if (timestampMs < this.#observed - this.spec.historyRetentionMs) {
      this.host.drop(this.spec.name, 'expired-version')
      return dropped
    }
    this.meta.observe(timestampMs)

    // 1. Newer than the latest value: that one moves into the segment of the time until which it held.
    const newest = this.rows.find(latestPrefix + key)
    let foundMs: number | null = null
    if (newest !== undefined) {
      if (timestampMs >= newest.timestampMs) {
        if (timestampMs > newest.timestampMs) {
          this.#insertAsLatest(key, timestampMs, newest.timestampMs, this.table.bytesOf(newest))
        }
        this.rows.put(latestPrefix + key, bytesEntry(bytes, timestampMs))
        return latest
      }
      foundMs = newest.timestampMs
    }

    // 2. Within what a segment covers.
    for (const { id, value } of this.#segmentsFrom(key, this.#segmentId(timestampMs))) {
      if (value.nextMs <= timestampMs) break
      if (value.minMs <= timestampMs) return this.#putIntoSegment(key, id, value, bytes, timestampMs)
      if (value.minMs < this.#observed - this.spec.historyRetentionMs) return dropped
      foundMs = value.minMs
    }

    // 3. Between two versions, or before all of them.
    return this.#putBeside(key, bytes, timestampMs, foundMs)
  }

  #putIntoSegment(key: string, id: number, value: SegmentValue, bytes: Buffer | null, timestampMs: number): PutOutcome {
    const found = value.find(timestampMs)
    const ownId = this.#segmentId(timestampMs)
    if (found.validFromMs === timestampMs) value.update(found.index, timestampMs, bytes)
    else if (ownId === id) value.insert(found.index, timestampMs, bytes)
    else {
      // The version that held until now ends earlier: it belongs into an older segment.
      this.#insertAsLatest(key, timestampMs, found.validFromMs, found.bytes)
      value.update(found.index, timestampMs, bytes)
    }
    this.#save(key, id, value)
    return { kind: 'until', validToMs: found.validToMs }
  }

  #putBeside(key: string, bytes: Buffer | null, timestampMs: number, foundMs: number | null): PutOutcome {
    if (foundMs === null) {
      if (bytes !== null) {
        this.rows.put(latestPrefix + key, bytesEntry(bytes, timestampMs))
        return latest
      }
      // A deletion of what is not there still ends what a later put may find before it.
      const id = this.#segmentId(timestampMs)
      if (id < this.#firstLive) return dropped
      const value = this.#segment(key, id)
      if (value === null) this.#save(key, id, SegmentValue.of(null, timestampMs, timestampMs))
      else if (value.nextMs !== timestampMs) {
        value.insertAsLatest(value.nextMs, timestampMs, null)
        this.#save(key, id, value)
      }
      return latest
    }
    const id = this.#segmentId(foundMs)
    if (id < this.#firstLive) return dropped
    const value = this.#segment(key, id)
    if (value === null) this.#save(key, id, SegmentValue.of(bytes, timestampMs, foundMs))
    else {
      if (value.nextMs <= timestampMs) value.insertAsLatest(timestampMs, foundMs, bytes)
      else value.insertAsEarliest(timestampMs, bytes)
      this.#save(key, id, value)
    }
    return { kind: 'until', validToMs: foundMs }
  }

  /** A version that held from `validFromMs` until `validToMs` goes into the segment of that end, if it is live. */
  #insertAsLatest(key: string, validToMs: number, validFromMs: number, bytes: Buffer | null): void {
    const id = this.#segmentId(validToMs)
    if (id < this.#firstLive) return
    const value = this.#segment(key, id)
    if (value === null) this.#save(key, id, SegmentValue.of(bytes, validFromMs, validToMs))
    else {
      value.insertAsLatest(validFromMs, validToMs, bytes)
      this.#save(key, id, value)
    }
  }

  get #observed(): number {
    return this.meta.active.observedStreamTimeMs
  }

  #segmentId(timeMs: number): number {
    return Math.trunc(timeMs / this.spec.segmentIntervalMs)
  }

  get #firstLive(): number {
    return this.#segmentId(this.#observed - this.spec.historyRetentionMs)
  }

  /** Live segments from `fromId` on that have the key, the newest first. */
  *#segmentsFrom(key: string, fromId: number): Generator<{ id: number; value: SegmentValue }> {
    const last = this.#segmentId(this.#observed)
    for (let id = last; id >= Math.max(fromId, this.#firstLive, 0); id--) {
      const value = this.#segment(key, id)
      if (value !== null) yield { id, value }
    }
  }

  #segment(key: string, id: number): SegmentValue | null {
    const entry = this.rows.find(segmentKey(key, id))
    return entry === undefined ? null : SegmentValue.parse(this.table.bytesOf(entry)!)
  }

  #save(key: string, id: number, value: SegmentValue): void {
    this.rows.put(segmentKey(key, id), bytesEntry(value.serialise(), value.nextMs))
  }

  #latestRecord(entry: Entry): VersionedRecord<V> {
    return { value: this.#codec.decode(entry), timestampMs: entry.timestampMs, validToMs: null }
  }

  #record(bytes: Buffer, timestampMs: number, validToMs: number): VersionedRecord<V> {
    return { value: this.#codec.decode(bytesEntry(bytes, timestampMs)), timestampMs, validToMs }
  }
}

const segmentKey = (key: string, id: number): string => segmentPrefix + int64Text(id) + key
