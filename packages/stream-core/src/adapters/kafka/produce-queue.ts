import type { OnDelivered } from '../../broker/broker.ts'
import type { CompressionName } from '../../common/compression.ts'
import { RecordBatchBuilder } from '../../common/record-batch-builder.ts'
import type { Headers } from '../../common/record.ts'
import { kafkaCompression } from './wire.ts'

/** Below a broker's default `max.message.bytes` of 1,048,588, with room for the header and for what compression may add. */
const batchBytesMax = 1_000_000
const sequenceModulus = 2 ** 31

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** A batch on its way: built, then sealed under a producer id and sequence, then sent, the same bytes until it is settled. */
export class ProduceBatch {
  readonly #builder: RecordBatchBuilder
  readonly #delivered: { readonly index: number; readonly onDelivered: OnDelivered }[] = []
  readonly #settled = Promise.withResolvers<void>()
  readonly deadlineMs: number
  #bytes: Buffer | null = null
  #recordCount = 0
  /** It may have reached a broker. */
  hasBeenSent = false

  constructor(deadlineMs: number) {
    this.#builder = new RecordBatchBuilder()
    this.deadlineMs = deadlineMs
    this.#settled.promise.catch(() => undefined) // a batch that nobody flushed has nobody to tell
  }

  get settled(): Promise<void> {
    return this.#settled.promise
  }

  get byteLength(): number {
    return this.#bytes?.length ?? this.#builder.byteLength
  }

  get recordCount(): number {
    return this.#bytes === null ? this.#builder.recordCount : this.#recordCount
  }

  get isSealed(): boolean {
    return this.#bytes !== null
  }

  hasRoom(bytes: number): boolean {
    return this.#builder.recordCount === 0 || this.#builder.byteLength + bytes <= batchBytesMax
  }

  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers,
    onDelivered: OnDelivered | undefined,
  ): void {
    if (onDelivered) this.#delivered.push({ index: this.#builder.recordCount, onDelivered })
    this.#builder.append(key, value, timestampMs, headers)
  }

  /** The bytes; sealed at the first call, with the partition's next sequence number. */
  seal(identity: ProducerIdentity, sequence: number, isTransactional: boolean, compression: CompressionName): Buffer {
    if (this.#bytes !== null) return this.#bytes
    this.#recordCount = this.#builder.recordCount
    this.#bytes = this.#builder.seal({
      producerId: Number(identity.producerId),
      producerEpoch: identity.producerEpoch,
      baseSequence: sequence,
      transactional: isTransactional,
      compression,
      codecs: kafkaCompression,
    })
    return this.#bytes
  }

  succeed(baseOffset: number): void {
    for (const { index, onDelivered } of this.#delivered)
      onDelivered(null, baseOffset < 0 ? -1 : baseOffset + index + 1)
    this.#settled.resolve()
  }

  fail(error: Error): void {
    for (const { onDelivered } of this.#delivered) onDelivered(error, -1)
    this.#settled.reject(error)
  }
}

/** One partition's batches, in order: the last one is open for appends, the first one may be on its way. */
export class ProduceQueue {
  readonly topic: string
  readonly partition: number
  readonly batches: ProduceBatch[] = []
  /** Batches before this index may be sent: a flush was asked for, or they are full. */
  #flushable = 0
  #nextSequence = 0
  /** After the last acknowledged record; −1 when the broker did not say. */
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
    deadlineMs: number,
  ): void {
    const size = (key?.length ?? 0) + (value?.length ?? 0) + 64
    let open = this.batches.length > this.#flushable ? this.batches[this.batches.length - 1]! : null
    if (open === null || !open.hasRoom(size)) {
      open = new ProduceBatch(deadlineMs)
      this.batches.push(open)
    }
    open.append(key, value, timestampMs, headers, onDelivered)
  }

  /** Closes the open batch; returns what has to be settled for the flush. */
  flush(): readonly Promise<void>[] {
    this.#flushable = this.batches.length
    return this.batches.map((batch) => batch.settled)
  }

  /** The batch to send next. */
  get first(): ProduceBatch | null {
    return this.#flushable > 0 ? this.batches[0]! : null
  }

  sealFirst(identity: ProducerIdentity, isTransactional: boolean, compression: CompressionName): Buffer {
    const batch = this.batches[0]!
    if (!batch.isSealed) {
      const sequence = this.#nextSequence
      this.#nextSequence = (sequence + batch.recordCount) % sequenceModulus
      return batch.seal(identity, sequence, isTransactional, compression)
    }
    return batch.seal(identity, 0, isTransactional, compression)
  }

  /** Takes the first batch out, settled. */
  shift(): ProduceBatch {
    this.#flushable--
    return this.batches.shift()!
  }

  /** A new producer id, or a new epoch, begins at 0. Batches that are sealed keep what they were sealed with. */
  resetSequence(): void {
    this.#nextSequence = 0
  }

  failAll(error: Error): void {
    this.#flushable = 0
    for (const batch of this.batches.splice(0)) batch.fail(error)
  }
}
