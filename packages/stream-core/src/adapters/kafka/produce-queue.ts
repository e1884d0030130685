import type { OnDelivered, OnRefused } from '../../broker/broker.ts'
import type { CompressionName } from '../../common/compression.ts'
import type { BrokerError } from '../../common/errors.ts'
import type { Headers } from '../../common/record.ts'
import { ProduceBatch, type ProducerIdentity } from './produce-batch.ts'

/** An upper bound for what a record takes besides its key, value and headers. */
const recordOverheadBytes = 48
const sequenceModulus = 2 ** 31

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
    onRefused: OnRefused | undefined,
  ): void {
    let size = (key?.length ?? 0) + (value?.length ?? 0) + recordOverheadBytes
    for (const [name, data] of headers) size += 3 * name.length + (data?.length ?? 0) + 10
    let open = this.#batches[this.#batches.length - 1]
    if (open === undefined || open.isClosed || !open.hasRoom(size)) {
      open = new ProduceBatch()
      this.#batches.push(open)
    }
    this.pendingBytes -= open.byteLength
    open.append(key, value, timestampMs, headers, onDelivered, onRefused)
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

  /** The first batch was certainly not appended: its sequence is free again, and is taken by what comes in its place. */
  splitFirst(): void {
    const batch = this.#batches[0]!
    const halves = batch.split()
    this.#takeSequenceBack(batch)
    this.#batches.splice(0, 1, ...halves)
    this.#flushable++
    this.pendingBytes += halves[0].byteLength + halves[1].byteLength - batch.byteLength
  }

  /** As `splitFirst`, and nothing comes in its place. */
  leaveFirstOut(error: BrokerError): void {
    const batch = this.#shift()
    this.#takeSequenceBack(batch)
    batch.leaveOut(error)
  }

  /** A new producer id, or a new epoch, begins at 0. A batch that is sealed keeps what it was sealed with. */
  resetSequence(): void {
    this.#nextSequence = 0
  }

  /** Unless a new producer id has begun at 0 meanwhile. */
  #takeSequenceBack({ sequence, recordCount }: ProduceBatch): void {
    if ((sequence + recordCount) % sequenceModulus === this.#nextSequence) this.#nextSequence = sequence
  }

  #shift(): ProduceBatch {
    this.#flushable--
    const batch = this.#batches.shift()!
    this.pendingBytes -= batch.byteLength
    return batch
  }
}
