import { BinaryHeap } from '../common/binary-heap.ts'
import { type Headers, noHeaders, type RecordContext } from '../common/record.ts'
import { type BufferValue, bufferValueSize, readBufferValue, writeBufferValue } from './buffer-value.ts'
import { bytesEntry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { aboveEveryKey } from './layered-table.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { BufferStoreSpec } from './store-spec.ts'
import type { AppendChange } from './state-store.ts'
import { plainLayout } from './table-layout.ts'
import { StoreCodec } from './value-codec.ts'

export interface BufferedChange<K, V> {
  readonly key: K
  readonly newValue: V | null
  readonly oldValue: V | null
  readonly context: RecordContext
}

interface Place {
  readonly timeMs: number
  readonly key: string
}

const valueHeaders: Headers = [['v', Buffer.from([3])]]

/**
 * The buffer of `suppress` (InMemoryTimeOrderedKeyValueChangeBuffer): the latest change of each key, ordered by the time of
 * the first one. In memory, restored from its changelog, which gets each key that changed once per commit.
 */
export class SuppressBuffer<K, V> extends StoreBase<BufferStoreSpec> {
  readonly #codec: StoreCodec<K, V>
  #index: Map<string, { readonly place: Place; value: BufferValue }> | null = null
  readonly #places = new BinaryHeap<Place>(
    (a, b) => a.timeMs - b.timeMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  )
  #sizeBytes = 0

  constructor(spec: BufferStoreSpec, parts: StoreParts) {
    const codec = new StoreCodec<K, V>(spec)
    super(spec, { ...parts, base: null }, { layout: plainLayout, encode: (value) => codec.encode(value as V) })
    this.#codec = codec
  }

  get recordCount(): number {
    return this.#buffered().size
  }

  /** In Java's measure. */
  get sizeBytes(): number {
    this.#buffered()
    return this.#sizeBytes
  }

  /** Time of the entry that leaves first; Infinity if there is none. */
  get minTimeMs(): number {
    this.#buffered()
    return this.#places.peek()?.timeMs ?? Number.POSITIVE_INFINITY
  }

  /** Buffers a change. A key that is buffered already keeps its place, and what was last emitted of it. */
  put(timeMs: number, key: K, newValue: V | null, oldValue: V | null, context: RecordContext): void {
    const buffered = this.#buffered()
    const stored = this.#codec.keyString(key)
    const old = this.#encode(oldValue)
    const known = buffered.get(stored)
    const value: BufferValue = { prior: known ? known.value.prior : old, old, new: this.#encode(newValue), context }
    this.#sizeBytes += 8 + stored.length + bufferValueSize(value)
    if (known === undefined) {
      const place = { timeMs, key: stored }
      buffered.set(stored, { place, value })
      this.#places.push(place)
    } else {
      this.#sizeBytes -= 8 + stored.length + bufferValueSize(known.value)
      known.value = value
    }
    this.#write(stored, value, known?.place.timeMs ?? timeMs)
  }

  /** Hands over entries, the earliest first, while `isDue` says so. */
  evictWhile(isDue: () => boolean, emit: (change: BufferedChange<K, V>) => void): void {
    const buffered = this.#buffered()
    for (let place = this.#places.peek(); place !== undefined && isDue(); place = this.#places.peek()) {
      const { value } = buffered.get(place.key)!
      emit({
        key: this.#codec.readKey(place.key),
        newValue: this.#decode(value.new),
        oldValue: this.#decode(value.old),
        context: value.context,
      })
      this.#places.pop()
      buffered.delete(place.key)
      this.#sizeBytes -= 8 + place.key.length + bufferValueSize(value)
      this.rows.put(place.key, bytesEntry(null, -1))
    }
  }

  /** What was last emitted of a key that is buffered now; undefined if it is not. */
  priorValue(key: K): V | null | undefined {
    const known = this.#buffered().get(this.#codec.keyString(key))
    return known === undefined ? undefined : this.#decode(known.value.prior)
  }

  override changes(append: AppendChange): void {
    if (this.spec.logging === null) return
    for (const [key, { bytes }] of this.table.activeEntries) {
      append(key, bytes ?? null, null, bytes === null ? noHeaders : valueHeaders)
    }
  }

  override rollBack(): void {
    super.rollBack()
    this.#index = null
  }

  override restore(key: string, bytes: Buffer | null, timestampMs: number, headers: Headers): void {
    super.restore(key, bytes, timestampMs, headers)
    this.#index = null
  }

  protected inner(): InnerStore {
    return plainInner(this.table)
  }

  /** The entries in memory, read from the table when they are first needed. */
  #buffered(): Map<string, { readonly place: Place; value: BufferValue }> {
    if (this.#index !== null) return this.#index
    this.#index = new Map()
    this.#places.clear()
    this.#sizeBytes = 0
    for (const [key, entry] of this.table.range('', aboveEveryKey)) {
      const { value, bufferTimeMs } = readBufferValue(entry.bytes!)
      const place = { timeMs: bufferTimeMs, key }
      this.#index.set(key, { place, value })
      this.#places.push(place)
      this.#sizeBytes += 8 + key.length + bufferValueSize(value)
    }
    return this.#index
  }

  #write(key: string, value: BufferValue, timeMs: number): void {
    this.rows.put(key, bytesEntry(writeBufferValue(value, timeMs), -1))
  }

  #encode(value: V | null): Buffer | null {
    return value === null || value === undefined ? null : this.#codec.encode(value)
  }

  #decode(bytes: Buffer | null): V | null {
    return bytes === null ? null : this.#codec.decode(bytesEntry(bytes, -1))
  }
}
