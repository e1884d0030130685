import type { Serde, SerdeContext } from '../common/serde.ts'
import { ByteWriter } from '../common/byte-writer.ts'
import { noHeaders } from '../common/record.ts'
import { bytesEntry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { aboveEveryKey } from './layered-table.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { OuterJoinStoreSpec } from './store-spec.ts'
import { plainLayout } from './table-layout.ts'
import { keyText, unwritable, unwritableKey } from './value-codec.ts'
import { int64At, int64Text } from './window-key.ts'

/** A record of a stream-stream join that has found no match yet. */
export interface Unmatched<K> {
  readonly key: K
  readonly timestampMs: number
  readonly isLeft: boolean
  readonly value: unknown
  /** Where it is stored: what `remove` wants. */
  readonly stored: string
}

const scratch = new ByteWriter(1024)

/**
 * What waits for a match in a left or outer stream-stream join. Key `time(8) ‖ side(1: left 1, right 0) ‖ key`, value a
 * list of `side(1) ‖ value`, as Kafka's ListSerde writes it (reference §6.2): one key may wait several times.
 */
export class OuterJoinStore<K> extends StoreBase<OuterJoinStoreSpec> {
  readonly #key: Serde<K>
  readonly #left: Serde<unknown>
  readonly #right: Serde<unknown>
  readonly #keyContext: SerdeContext
  readonly #valueContext: SerdeContext

  constructor(spec: OuterJoinStoreSpec, parts: StoreParts) {
    super(spec, parts, { layout: plainLayout, encode: () => Buffer.alloc(0) })
    this.#key = spec.key as Serde<K>
    this.#left = spec.value
    this.#right = spec.otherValue
    this.#keyContext = { topic: spec.name, part: 'key', headers: noHeaders }
    this.#valueContext = { topic: spec.name, part: 'value', headers: noHeaders }
  }

  add(key: K, timestampMs: number, isLeft: boolean, value: unknown): void {
    const stored = this.#stored(key, timestampMs, isLeft)
    const item = this.#item(key, isLeft, value)
    const before = this.rows.find(stored)
    const items = before === undefined ? [] : readList(before.bytes!)
    this.#put(stored, writeList([...items, item]))
  }

  /** A match was found: what waited under this key, time and side does not any more. */
  removeMatched(key: K, timestampMs: number, isLeft: boolean): void {
    const stored = this.#stored(key, timestampMs, isLeft)
    if (this.rows.find(stored) !== undefined) this.#put(stored, null)
  }

  remove(stored: string): void {
    this.#put(stored, null)
  }

  /** Everything that waits: by time, right side before left, then by key bytes. */
  *all(): Generator<Unmatched<K>> {
    for (const [stored, entry] of this.rows.range('', aboveEveryKey)) {
      const timestampMs = int64At(stored, 0)
      const isLeft = stored.charCodeAt(8) === 1
      const keyBytes = Buffer.from(stored.slice(9), 'latin1')
      const serde = isLeft ? this.#left : this.#right
      for (const item of readList(entry.bytes!)) {
        yield {
          key: this.#key.read(keyBytes, 0, keyBytes.length, this.#keyContext),
          timestampMs,
          isLeft,
          value: serde.read(item, 1, item.length, this.#valueContext),
          stored,
        }
      }
    }
  }

  protected inner(): InnerStore {
    return plainInner(this.table)
  }

  #put(stored: string, bytes: Buffer | null): void {
    this.rows.put(stored, bytesEntry(bytes, this.host.recordContext.timestampMs))
  }

  #item(key: K, isLeft: boolean, value: unknown): Buffer {
    scratch.reset()
    scratch.writeUint8(isLeft ? 1 : 0)
    try {
      ;(isLeft ? this.#left : this.#right).write(value, scratch, this.#valueContext)
    } catch (error) {
      throw unwritable(this.spec.name, keyText(key), error)
    }
    return scratch.toBuffer()
  }

  #stored(key: K, timestampMs: number, isLeft: boolean): string {
    scratch.reset()
    try {
      this.#key.write(key, scratch, this.#keyContext)
    } catch (error) {
      throw unwritableKey(this.spec.name, error)
    }
    return int64Text(timestampMs) + (isLeft ? '\x01' : '\0') + scratch.toLatin1()
  }
}

/** ListSerde, variable size: flag 1 ‖ count(4) ‖ [length(4) ‖ bytes]…. */
function writeList(items: readonly Buffer[]): Buffer {
  scratch.reset()
  scratch.writeUint8(1)
  scratch.writeInt32(items.length)
  for (const item of items) {
    scratch.writeInt32(item.length)
    scratch.writeBytes(item)
  }
  return scratch.toBuffer()
}

function readList(bytes: Buffer): Buffer[] {
  const items: Buffer[] = []
  let at = 5
  for (let left = bytes.readInt32BE(1); left > 0; left--) {
    const length = bytes.readInt32BE(at)
    items.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return items
}
