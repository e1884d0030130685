import { asciiWrite, latin1Slice, latin1Write, shortText, utf8Write } from './buffer-text.ts'

/**
 * A buffer that grows, with a write position. Serdes write into it, so that a record's bytes are made once and copied
 * once. Everything is big-endian, as in Kafka.
 */
export class ByteWriter {
  #bytes: Buffer
  #length = 0
  #view: Buffer
  /** What the view is one of. */
  #viewed: Buffer

  constructor(capacity = 256) {
    this.#bytes = this.#view = this.#viewed = Buffer.allocUnsafe(capacity)
  }

  /** The bytes behind the writer; only the first `length` are meaningful, and the next write may replace the buffer. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get length(): number {
    return this.#length
  }

  reset(): void {
    this.#length = 0
  }

  /** Cuts back to an earlier length, to take back what was written since. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Makes room for `size` more bytes and returns where they begin; the caller fills them through `bytes`. */
  reserve(size: number): number {
    const start = this.#length
    const needed = start + size
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, needed))
      this.#bytes.copy(grown, 0, 0, start)
      this.#bytes = grown
    }
    this.#length = needed
    return start
  }

  writeUint8(value: number): void {
    const at = this.reserve(1)
    this.#bytes[at] = value
  }

  writeInt32(value: number): void {
    const at = this.reserve(4)
    this.#bytes.writeInt32BE(value, at)
  }

  /** A whole number within ±(2^53 − 1) as eight bytes, without a BigInt. */
  writeInt64(value: number): void {
    const at = this.reserve(8)
    const high = Math.floor(value / 4294967296)
    this.#bytes.writeInt32BE(high, at)
    this.#bytes.writeUInt32BE(value - high * 4294967296, at + 4)
  }

  writeFloat64(value: number): void {
    const at = this.reserve(8)
    this.#bytes.writeDoubleBE(value, at)
  }

  writeBytes(source: Uint8Array): void {
    const at = this.reserve(source.length)
    this.#bytes.set(source, at)
  }

  /** The string's code units as one byte each; the caller knows that none is above 255. */
  writeLatin1(text: string): void {
    const at = this.reserve(text.length)
    latin1Write(this.#bytes, text, at)
  }

  writeUtf8(text: string): void {
    // Three bytes per UTF-16 unit is the worst case; asking first costs more than giving back what was not used.
    const worst = text.length * 3
    const at = this.reserve(worst)
    const written =
      text.length <= shortText && asciiWrite(this.#bytes, text, at)
        ? text.length
        : utf8Write(this.#bytes, text, at, worst)
    this.#length = at + written
  }

  /** A copy of what was written. */
  toBuffer(): Buffer {
    const copied = Buffer.allocUnsafe(this.#length)
    this.#bytes.copy(copied, 0, 0, this.#length)
    return copied
  }

  /** What was written, uncopied: good until the next write. Sizes repeat, so a Buffer need not be made each time. */
  view(): Buffer {
    if (this.#view.length !== this.#length || this.#viewed !== this.#bytes) {
      this.#viewed = this.#bytes
      this.#view = this.#bytes.subarray(0, this.#length)
    }
    return this.#view
  }

  /** What was written as a latin1 string: the engine's form of a key (D11). */
  toLatin1(start = 0): string {
    return latin1Slice(this.#bytes, start, this.#length)
  }
}

/** Reads an eight-byte signed integer; exact within ±(2^53 − 1). */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4294967296 + bytes.readUInt32BE(at + 4)
}
