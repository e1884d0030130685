import { ByteWriter } from '../common/byte-writer.ts'
import type { Headers, RecordContext } from '../common/record.ts'
import { contextSize } from './record-cache.ts'

/**
 * What a buffer keeps of a record (BufferValue): the value that was last emitted for its key, the change itself as bytes,
 * and the context of the record, under which it is emitted.
 */
export interface BufferValue {
  readonly prior: Buffer | null
  readonly old: Buffer | null
  readonly new: Buffer | null
  readonly context: RecordContext
}

const scratch = new ByteWriter(1024)

/**
 * `context ‖ prior ‖ old ‖ new ‖ bufferTime(8)`, each value with its length before it: −1 for null, and for `old` −2 for
 * "the same as prior" (reference §6.2).
 */
export function writeBufferValue(value: BufferValue, bufferTimeMs: number): Buffer {
  scratch.reset()
  writeContext(value.context)
  writeBytes(value.prior)
  if (value.old !== null && value.prior !== null && value.old.equals(value.prior)) scratch.writeInt32(-2)
  else writeBytes(value.old)
  writeBytes(value.new)
  writeTime(bufferTimeMs)
  return scratch.toBuffer()
}

export function readBufferValue(source: Buffer): { readonly value: BufferValue; readonly bufferTimeMs: number } {
  const reader = new Reader(source)
  const timestampMs = reader.int64()
  const offset = reader.int64()
  const topic = reader.bytes()!.toString()
  const partition = reader.int32()
  const headers: [string, Buffer | null][] = []
  for (let left = reader.int32(); left > 0; left--) headers.push([reader.bytes()!.toString(), reader.bytes()])
  const prior = reader.bytes()
  const oldLength = reader.int32()
  const old = oldLength === -2 ? prior : reader.take(oldLength)
  const newValue = reader.bytes()
  const context = { timestampMs, headers, topic: topic === '' ? null : topic, partition, offset }
  return { value: { prior, old, new: newValue, context }, bufferTimeMs: reader.int64() }
}

/** Bytes that Java's buffer counts for a record: its limit in bytes is in this measure. */
export function bufferValueSize({ prior, old, new: newValue, context }: BufferValue): number {
  const isSame = old !== null && prior !== null && old.equals(prior)
  return (prior?.length ?? 0) + (isSame ? 0 : (old?.length ?? 0)) + (newValue?.length ?? 0) + contextSize(context)
}

function writeContext({ timestampMs, offset, topic, partition, headers }: RecordContext): void {
  scratch.writeInt64(timestampMs)
  scratch.writeInt64(offset)
  writeText(topic ?? '')
  scratch.writeInt32(partition)
  writeHeaders(headers)
}

function writeHeaders(headers: Headers): void {
  scratch.writeInt32(headers.length)
  for (const [name, value] of headers) {
    writeText(name)
    writeBytes(value)
  }
}

/** The end of an unlimited window is Java's largest long. */
function writeTime(timeMs: number): void {
  if (Number.isFinite(timeMs)) return scratch.writeInt64(timeMs)
  scratch.writeInt32(0x7fffffff)
  scratch.writeInt32(-1)
}

function writeText(text: string): void {
  writeBytes(Buffer.from(text))
}

function writeBytes(bytes: Buffer | null): void {
  scratch.writeInt32(bytes === null ? -1 : bytes.length)
  if (bytes !== null) scratch.writeBytes(bytes)
}

class Reader {
  readonly #source: Buffer
  #at = 0

  constructor(source: Buffer) {
    this.#source = source
  }

  int32(): number {
    this.#at += 4
    return this.#source.readInt32BE(this.#at - 4)
  }

  int64(): number {
    this.#at += 8
    return Number(this.#source.readBigInt64BE(this.#at - 8))
  }

  bytes(): Buffer | null {
    return this.take(this.int32())
  }

  take(length: number): Buffer | null {
    if (length < 0) return null
    this.#at += length
    return this.#source.subarray(this.#at - length, this.#at)
  }
}
