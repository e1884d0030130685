import type { OnDelivered } from '../../broker/broker.ts'
import type { CompressionName } from '../../common/compression.ts'
import { crc32c } from '../../common/crc32c.ts'
import { RecordBatchBuilder } from '../../common/record-batch-builder.ts'
import { at, writeInt64 } from '../../common/record-batch.ts'
import type { Headers } from '../../common/record.ts'
import { kafkaCompression } from './wire.ts'

/** Below a broker's default `max.message.bytes` of 1,048,588, with room for what compression may add. */
const batchBytesMax = 1_000_000
/** An upper bound for what a record takes besides its key, value and headers. */
const recordOverheadBytes = 48
const sequenceModulus = 2 ** 31

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/**
 * A batch on its way: open for records, then sealed under a producer id and sequence, then sent, always as the same bytes,
 * until it is settled.
 */
export class ProduceBatch {
  readonly #builder = new RecordBatchBuilder()
  readonly #delivered: { readonly index: number; readonly onDelivered: OnDelivered }[] = []
  readonly #settled = Promise.withResolvers<void>()
  #bytes: Buffer | null = null
  #isSealed = false
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
  ): void {
    if (onDelivered) this.#delivered.push({ index: this.#recordCount, onDelivered })
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
    this.#isSealed = true
    return this.#bytes
  }

  /** The next `seal` is under another id and sequence: for a batch that was certainly not appended. */
  unseal(): void {
    this.#isSealed = false
  }

  succeed(baseOffset: number): void {
    for (const { index, onDelivered } of this.#delivered) {
      onDelivered(null, baseOffset < 0 ? -1 : baseOffset + index + 1)
    }
    this.#settled.resolve()
  }

  fail(error: Error): void {
    for (const { onDelivered } of this.#delivered) onDelivered(error, -1)
    this.#settled.reject(error)
  }
}

/**
 * One partition's batches, in order. The last one takes records until it is full or sealed, also after a flush was asked
 * for: so what is flushed while a request is under way goes out together with the next one.
 */
export class ProduceQueue {
  readonly topic: string
  readonly partition: number
  readonly #batches: ProduceBatch[] = []
  /** Batches before this index may be sent. */
  #flushable = 0
  #nextSequence = 0
  /** Of everything in here, before compression. */
  pendingBytes = 0
  /** After the last acknowledged record; −1 when none was written or the broker did not say. */
  nextOffset = -1

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers,
    onDelivered: OnDelivered | undefined,
  ): void {
    let size = (key?.length ?? 0) + (value?.length ?? 0) + recordOverheadBytes
    for (const [name, data] of headers) size += 3 * name.length + (data?.length ?? 0) + 10
    let open = this.#batches[this.#batches.length - 1]
    if (open === undefined || open.isClosed || !open.hasRoom(size)) {
      open = new ProduceBatch()
      this.#batches.push(open)
    }
    this.pendingBytes -= open.byteLength
    open.append(key, value, timestampMs, headers, onDelivered)
    this.pendingBytes += open.byteLength
  }

  /** Lets everything be sent, until a time; adds to `waiting` what has to be settled for this flush. */
  flush(deadlineMs: number, waiting: Promise<void>[]): void {
    for (let i = this.#flushable; i < this.#batches.length; i++) this.#batches[i]!.deadlineMs = deadlineMs
    this.#flushable = this.#batches.length
    for (const batch of this.#batches) waiting.push(batch.settled)
  }

  /** The batch to send next. */
  get first(): ProduceBatch | null {
    return this.#flushable > 0 ? this.#batches[0]! : null
  }

  sealFirst(identity: ProducerIdentity, isTransactional: boolean, compression: CompressionName): Buffer {
    const batch = this.#batches[0]!
    const sequence = this.#nextSequence
    if (!batch.isSealed) this.#nextSequence = (sequence + batch.recordCount) % sequenceModulus
    return batch.seal(identity, sequence, isTransactional, compression)
  }

  /** The first batch is in the log. */
  succeedFirst(baseOffset: number): void {
    const batch = this.#shift()
    this.nextOffset = baseOffset < 0 ? -1 : baseOffset + batch.recordCount
    batch.succeed(baseOffset)
  }

  failFirst(error: Error): void {
    this.#shift().fail(error)
  }

  failAll(error: Error): void {
    this.#flushable = 0
    this.pendingBytes = 0
    for (const batch of this.#batches.splice(0)) batch.fail(error)
  }

  unsealFirst(): void {
    this.#batches[0]!.unseal()
  }

  /** A new producer id, or a new epoch, begins at 0. A batch that is sealed keeps what it was sealed with. */
  resetSequence(): void {
    this.#nextSequence = 0
  }

  #shift(): ProduceBatch {
    this.#flushable--
    const batch = this.#batches.shift()!
    this.pendingBytes -= batch.byteLength
    return batch
  }
}
