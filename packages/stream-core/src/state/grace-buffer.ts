import { BinaryHeap } from '../common/binary-heap.ts'
import { type Headers, noHeaders, type RecordContext } from '../common/record.ts'
import { readBufferValue, writeBufferValue } from './buffer-value.ts'
import { bytesEntry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { aboveEveryKey } from './layered-table.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { BufferStoreSpec } from './store-spec.ts'
import type { AppendChange } from './state-store.ts'
import { plainLayout } from './table-layout.ts'
import { StoreCodec } from './value-codec.ts'
import { int32Text, int64At, int64Text } from './window-key.ts'

export interface BufferedRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly context: RecordContext
}

/**
 * The buffer of a stream-table join with grace (RocksDBTimeOrderedKeyValueBuffer): records wait until the newest one is
 * `graceMs` ahead, and leave by time, key bytes and arrival. Keys are `00 ‖ time(8) ‖ key ‖ sequence(4)`.
 */
export class GraceBuffer<K, V> extends StoreBase<BufferStoreSpec> {
  readonly #codec: StoreCodec<K, V>
  #waiting: BinaryHeap<string> | null = null

  constructor(spec: BufferStoreSpec, parts: StoreParts) {
    const codec = new StoreCodec<K, V>(spec)
    super(spec, parts, { layout: plainLayout, encode: (value) => codec.encode(value as V) })
    this.#codec = codec
  }

  /** null: it was not used yet, and would have to be read. */
  get recordCount(): number | null {
    return this.#waiting?.size ?? null
  }

  /** False, and nothing buffered, for a record that is later than the grace: it has to be joined at once. */
  put(key: K, value: V, context: RecordContext): boolean {
    const { timestampMs } = context
    if (this.meta.active.observedStreamTimeMs - this.spec.graceMs > timestampMs) return false
    const sequence = this.meta.nextSequence()
    const stored = `\0${int64Text(timestampMs)}${this.#codec.keyString(key)}${int32Text(sequence)}`
    const bytes = writeBufferValue({ prior: null, old: null, new: this.#codec.encode(value), context }, 0)
    // Not before: one that no serde can write is not there, and must not make others late.
    this.meta.observe(timestampMs)
    // Before the row is there: a heap that has to be read anew would hold it already.
    const heap = this.#heap()
    this.rows.put(stored, bytesEntry(bytes, -1))
    heap.push(stored)
    return true
  }

  /** Hands over what has waited long enough. */
  evictDue(emit: (record: BufferedRecord<K, V>) => void): void {
    const heap = this.#heap()
    const untilMs = this.meta.active.observedStreamTimeMs - this.spec.graceMs
    for (let stored = heap.peek(); stored !== undefined && int64At(stored, 1) <= untilMs; stored = heap.peek()) {
      const { value } = readBufferValue(this.rows.find(stored)!.bytes!)
      emit({
        key: this.#codec.readKey(stored.slice(9, -4)),
        value: this.#codec.decode(bytesEntry(value.new, -1)),
        context: value.context,
      })
      heap.pop()
      this.rows.put(stored, bytesEntry(null, -1))
    }
  }

  override changes(append: AppendChange): void {
    if (this.spec.logging === null) return
    for (const [key, { bytes }] of this.table.activeEntries) append(key, bytes ?? null, null, noHeaders)
  }

  override rollBack(): void {
    super.rollBack()
    this.#waiting = null
  }

  override restore(key: string, bytes: Buffer | null, timestampMs: number, headers: Headers): void {
    super.restore(key, bytes, timestampMs, headers)
    this.meta.observe(int64At(key, 1))
    const sequence = Buffer.from(key.slice(-4), 'latin1').readInt32BE()
    if (sequence > this.meta.active.sequence) this.meta.active.sequence = sequence
    this.meta.freeze()
    this.#waiting = null
  }

  protected inner(): InnerStore {
    return plainInner(this.table)
  }

  #heap(): BinaryHeap<string> {
    if (this.#waiting !== null) return this.#waiting
    this.#waiting = new BinaryHeap((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    for (const [key] of this.table.range('', aboveEveryKey)) this.#waiting.push(key)
    return this.#waiting
  }
}
