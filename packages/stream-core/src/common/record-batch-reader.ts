import { utf8Slice } from './buffer-text.ts'
import { readInt64 } from './byte-writer.ts'
import { type Compression, compressionNames, nodeCompression } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { BrokerError } from './errors.ts'
import { at, attribute, batchHeaderBytes } from './record-batch.ts'
import { type Headers, noHeaders } from './record.ts'

export interface RecordBatchReaderOptions {
  /** Records below this offset are skipped: a fetch may begin inside a batch. */
  readonly fromOffset: number
  readonly isolation: 'read_committed' | 'read_uncommitted'
  /** Aborted transactions that touch these bytes, as a fetch response names them. */
  readonly abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[]
  readonly codecs?: Compression
  /** For messages: whose bytes these are. */
  readonly where?: string
}

/**
 * A cursor over the record batches of one partition (D7). `next()` moves to a record and fills the public fields, which
 * stay valid until the next call; nothing is allocated per record. Checksums are verified before a batch is used.
 *
 * Transactions are filtered as the Java client does: before a batch, every aborted transaction that begins at or below
 * the batch's last offset puts its producer on the list of aborted ones; batches of those producers are skipped; an
 * ABORT marker takes the producer off the list. A marker may have been emptied by compaction: then it says nothing.
 */
export class RecordBatchReader {
  /** The buffer that `keyStart` … `valueEnd` index. */
  bytes: Buffer
  offset = -1
  timestampMs = -1
  /** −1: the key is null. */
  keyStart = -1
  keyEnd = -1
  /** −1: the value is null. */
  valueStart = -1
  valueEnd = -1
  leaderEpoch = -1

  /** Offset of the next record that `next` may return: where to go on reading after these bytes are used up. */
  position: number
  /** Between the offsets that were read some are missing, or records of batches: compaction has taken something out. */
  hasGaps = false
  /** What lies at the first offset that was asked for was aborted, or says that something was. */
  isStartAborted = false
  /** The same of the batch that was read last. */
  isEndAborted = false

  readonly #input: Buffer
  readonly #inputEnd: number
  readonly #options: RecordBatchReaderOptions
  readonly #aborted: readonly { readonly producerId: number; readonly firstOffset: number }[]
  readonly #abortedProducers = new Set<number>()
  #abortedNext = 0
  #inputAt: number
  #recordsLeft = 0
  #recordAt = 0
  #headersAt = 0
  #baseOffset = 0
  #baseTimestampMs = 0
  #appendTimeMs = -1
  #positionAfterBatch = -1

  constructor(input: Buffer, start: number, end: number, options: RecordBatchReaderOptions) {
    this.bytes = this.#input = input
    this.#inputAt = start
    this.#inputEnd = end
    this.#options = options
    this.position = options.fromOffset
    this.#aborted =
      options.abortedTransactions && options.abortedTransactions.length > 0
        ? [...options.abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset)
        : []
  }

  /** Moves to the next record; false when the bytes are used up (`position` then says where to read on). */
  next(): boolean {
    for (;;) {
      while (this.#recordsLeft > 0) {
        this.#recordsLeft--
        this.#readRecord()
        if (this.offset < this.position) continue
        this.position = this.offset + 1
        return true
      }
      if (this.#positionAfterBatch > this.position) this.position = this.#positionAfterBatch
      if (!this.#nextBatch()) return false
    }
  }

  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }

  /** The current record's headers, with copied values. */
  headers(): Headers {
    const restore = this.#recordAt
    this.#recordAt = this.#headersAt
    const count = this.#varint()
    if (count <= 0) {
      this.#recordAt = restore
      return noHeaders
    }
    const headers: [string, Buffer | null][] = []
    for (let i = 0; i < count; i++) {
      const nameBytes = this.#varint()
      const name = utf8Slice(this.bytes, this.#recordAt, this.#recordAt + nameBytes)
      this.#recordAt += nameBytes
      const valueBytes = this.#varint()
      if (valueBytes < 0) {
        headers.push([name, null])
      } else {
        headers.push([name, Buffer.from(this.bytes.subarray(this.#recordAt, this.#recordAt + valueBytes))])
        this.#recordAt += valueBytes
      }
    }
    this.#recordAt = restore
    return headers
  }

  #readRecord(): void {
    const size = this.#varint()
    const end = this.#recordAt + size
    this.#recordAt++ // attributes, unused
    const timestampDelta = this.#varint()
    this.timestampMs = this.#appendTimeMs >= 0 ? this.#appendTimeMs : this.#baseTimestampMs + timestampDelta
    this.offset = this.#baseOffset + this.#varint()
    const keyBytes = this.#varint()
    if (keyBytes < 0) {
      this.keyStart = -1
    } else {
      this.keyStart = this.#recordAt
      this.keyEnd = this.#recordAt += keyBytes
    }
    const valueBytes = this.#varint()
    if (valueBytes < 0) {
      this.valueStart = -1
    } else {
      this.valueStart = this.#recordAt
      this.valueEnd = this.#recordAt += valueBytes
    }
    this.#headersAt = this.#recordAt
    this.#recordAt = end
  }

  #nextBatch(): boolean {
    const input = this.#input
    const start = this.#inputAt
    if (start + batchHeaderBytes > this.#inputEnd) return false
    const end = start + 12 + input.readInt32BE(start + at.batchLength)
    if (end > this.#inputEnd) return false // a fetch may cut the last batch short
    const baseOffset = readInt64(input, start)
    if (input[start + at.magic] !== 2) {
      throw this.#corrupt(baseOffset, `magic ${input[start + at.magic]} where 2 is expected`)
    }
    this.#inputAt = end
    const lastOffset = baseOffset + input.readInt32BE(start + at.lastOffsetDelta)
    const recordCount = input.readInt32BE(start + at.recordCount)
    if (baseOffset > this.position || recordCount <= lastOffset - baseOffset) this.hasGaps = true
    this.#positionAfterBatch = lastOffset + 1
    this.isEndAborted = false
    this.leaderEpoch = input.readInt32BE(start + at.partitionLeaderEpoch)
    if (lastOffset < this.position) return true
    if (crc32c(input.subarray(start + at.attributes, end)) !== input.readUInt32BE(start + at.crc)) {
      throw this.#corrupt(baseOffset, 'its checksum does not match')
    }
    const attributes = input.readInt16BE(start + at.attributes)
    const producerId = readInt64(input, start + at.producerId)
    if (this.#options.isolation === 'read_committed') {
      const aborted = this.#aborted
      while (this.#abortedNext < aborted.length && aborted[this.#abortedNext]!.firstOffset <= lastOffset) {
        this.#abortedProducers.add(aborted[this.#abortedNext++]!.producerId)
      }
    }
    if (attributes & attribute.control) {
      if (recordCount > 0 && isAbortMarker(input, start)) {
        this.#abortedProducers.delete(producerId)
        this.isEndAborted = true
        if (baseOffset <= this.#options.fromOffset) this.isStartAborted = true
      }
      return true
    }
    if (attributes & attribute.transactional && this.#abortedProducers.has(producerId)) {
      this.isEndAborted = true
      if (baseOffset <= this.#options.fromOffset) this.isStartAborted = true
      return true
    }
    this.#baseOffset = baseOffset
    this.#baseTimestampMs = readInt64(input, start + at.baseTimestamp)
    this.#appendTimeMs = attributes & attribute.logAppendTime ? readInt64(input, start + at.maxTimestamp) : -1
    const compression = attributes & attribute.compression
    if (compression === 0) {
      this.bytes = input
      this.#recordAt = start + batchHeaderBytes
    } else {
      const name = compressionNames[compression]
      if (name === undefined) throw this.#corrupt(baseOffset, `unknown compression ${compression}`)
      this.bytes = (this.#options.codecs ?? nodeCompression).decompress(
        name,
        input.subarray(start + batchHeaderBytes, end),
      )
      this.#recordAt = 0
    }
    this.#recordsLeft = recordCount
    return true
  }

  #corrupt(baseOffset: number, what: string): BrokerError {
    return new BrokerError(
      'CORRUPT_LOG',
      `corrupt record batch at offset ${baseOffset} of ${this.#options.where ?? 'a partition'}: ${what}`,
      { retryable: false },
    )
  }

  #varint(): number {
    const bytes = this.bytes
    let position = this.#recordAt
    let byte = bytes[position++]!
    let raw = byte & 0x7f
    if (byte < 0x80) {
      this.#recordAt = position
      return (raw >>> 1) ^ -(raw & 1)
    }
    let scale = 0x80
    while (byte >= 0x80) {
      byte = bytes[position++]!
      raw += (byte & 0x7f) * scale
      scale *= 0x80
    }
    this.#recordAt = position
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }
}

/** A control record's key is version int16, type int16; type 0 is ABORT, 1 is COMMIT. */
function isAbortMarker(input: Buffer, batchStart: number): boolean {
  let position = batchStart + batchHeaderBytes
  const skipVarint = (): void => {
    while (input[position++]! >= 0x80);
  }
  skipVarint() // length
  position++ // attributes
  skipVarint() // timestamp delta
  skipVarint() // offset delta
  skipVarint() // key length
  return input.readInt16BE(position + 2) === 0
}
