import type { OnDelivered, OnRefused } from '../../broker/broker.ts'
import { type CompressionName, compressionNames } from '../../common/compression.ts'
import { crc32c } from '../../common/crc32c.ts'
import type { BrokerError } from '../../common/errors.ts'
import { RecordBatchBuilder } from '../../common/record-batch-builder.ts'
import { RecordBatchReader } from '../../common/record-batch-reader.ts'
import { at, attribute, writeInt64 } from '../../common/record-batch.ts'
import type { Headers } from '../../common/record.ts'
import { kafkaCompression } from './wire.ts'

/** Below a broker's default `max.message.bytes` of 1,048,588, with room for what compression may add. */
const batchBytesMax = 1_000_000

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Who wants to know about one record of a batch. */
interface Asking {
  readonly index: number
  readonly onDelivered: OnDelivered | undefined
  readonly onRefused: OnRefused | undefined
}

/**
 * A batch on its way: open for records, then sealed under a producer id and sequence, then sent, always as the same bytes,
 * until it is settled.
 */
export class ProduceBatch {
  readonly #builder = new RecordBatchBuilder()
  readonly #asking: Asking[] = []
  readonly #settled = Promise.withResolvers<void>()
  #bytes: Buffer | null = null
  #isSealed = false
  /** What it was last sealed under. */
  sequence = -1
  #recordCount = 0
  #byteLength = 0
  /** When it is given up; known from its first flush on. */
  deadlineMs = Infinity
  /** A broker may have appended it without our knowing: a request was not answered, or the answer left it open. */
  mayBeWritten = false

  constructor() {
    this.#settled.promise.catch(() => undefined) // a batch that nobody flushed has nobody to tell
  }

  get settled(): Promise<void> {
    return this.#settled.promise
  }

  /** Size of its records before compression. */
  get byteLength(): number {
    return this.#byteLength
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** It takes no more records. */
  get isClosed(): boolean {
    return this.#bytes !== null
  }

  get isSealed(): boolean {
    return this.#isSealed
  }

  hasRoom(bytes: number): boolean {
    return this.#recordCount === 0 || this.#byteLength + bytes <= batchBytesMax
  }

  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers,
    onDelivered: OnDelivered | undefined,
    onRefused: OnRefused | undefined,
  ): void {
    if (onDelivered || onRefused) this.#asking.push({ index: this.#recordCount, onDelivered, onRefused })
    this.#builder.append(key, value, timestampMs, headers)
    this.#recordCount++
    this.#byteLength = this.#builder.byteLength
  }

  /** The bytes; sealed at the first call, which fixes producer id and sequence. */
  seal(identity: ProducerIdentity, sequence: number, isTransactional: boolean, compression: CompressionName): Buffer {
    const producerId = Number(identity.producerId)
    const { producerEpoch } = identity
    if (this.#bytes === null) {
      this.#bytes = this.#builder.seal({
        producerId,
        producerEpoch,
        baseSequence: sequence,
        transactional: isTransactional,
        compression,
        codecs: kafkaCompression,
      })
    } else if (!this.#isSealed) {
      writeInt64(this.#bytes, producerId, at.producerId)
      this.#bytes.writeInt16BE(producerEpoch, at.producerEpoch)
      this.#bytes.writeInt32BE(sequence, at.baseSequence)
      this.#bytes.writeUInt32BE(crc32c(this.#bytes.subarray(at.attributes)), at.crc)
    }
    if (!this.#isSealed) this.sequence = sequence
    this.#isSealed = true
    return this.#bytes
  }

  /** The next `seal` is under another id and sequence: for a batch that was certainly not appended. */
  unseal(): void {
    this.#isSealed = false
  }

  succeed(baseOffset: number): void {
    for (const { index, onDelivered } of this.#asking) {
      onDelivered?.(null, baseOffset < 0 ? -1 : baseOffset + index + 1)
    }
    this.#settled.resolve()
  }

  fail(error: Error): void {
    for (const { onDelivered } of this.#asking) onDelivered?.(error, -1)
    this.#settled.reject(error)
  }

  /** True: every record of it is to be left out, as those say who appended them. */
  askToLeaveOut(error: BrokerError): boolean {
    if (this.#asking.length < this.#recordCount) return false
    return this.#asking.every(({ onRefused }) => onRefused?.(error) === true)
  }

  /** What was refused is not waited for any more. */
  leaveOut(error: BrokerError): void {
    for (const { onDelivered } of this.#asking) onDelivered?.(error, -1)
    this.#settled.resolve()
  }

  /** Two batches of its records, sealed under no sequence yet, in its place: it is settled when they are. */
  split(): readonly [ProduceBatch, ProduceBatch] {
    const bytes = this.#bytes!
    const records = new RecordBatchReader(bytes, 0, bytes.length, {
      fromOffset: 0,
      isolation: 'read_uncommitted',
      codecs: kafkaCompression,
    })
    const halves = [new ProduceBatch(), new ProduceBatch()] as const
    const asking = new Map(this.#asking.map((each) => [each.index, each]))
    for (let index = 0; records.next(); index++) {
      const half = halves[index < this.#recordCount / 2 ? 0 : 1]
      const { onDelivered, onRefused } = asking.get(index) ?? {}
      half.append(records.key(), records.value(), records.timestampMs, records.headers(), onDelivered, onRefused)
    }
    const isTransactional = (bytes.readInt16BE(at.attributes) & attribute.transactional) !== 0
    const compression = compressionNames[bytes.readInt16BE(at.attributes) & attribute.compression]!
    for (const half of halves) {
      half.deadlineMs = this.deadlineMs
      half.seal({ producerId: -1n, producerEpoch: -1 }, -1, isTransactional, compression)
      half.unseal()
    }
    Promise.all(halves.map(({ settled }) => settled)).then(() => this.#settled.resolve(), this.#settled.reject)
    return halves
  }
}
