import type { CommittedOffset, LogProducer, LogProducerOptions, OnDelivered, OnRefused } from '../../broker/broker.ts'
import { type GroupMetadata, groupMetadata } from '../../broker/group.ts'
import { BrokerError, FencedError, StreamsError, TransactionAbortableError } from '../../common/errors.ts'
import { RecordBatchBuilder } from '../../common/record-batch-builder.ts'
import { batchHeaderBytes } from '../../common/record-batch.ts'
import { type Headers, noHeaders, partitionKey } from '../../common/record.ts'
import type { LogStore, OpenTransaction } from './log-store.ts'
import type { PartitionLog } from './partition-log.ts'

/** An upper bound for what a record takes besides its key, value and headers. */
const recordOverheadBytes = 48
/** A batch is closed at this size, as a Kafka broker's default `max.message.bytes` would demand. */
const batchBytesMax = 1_000_000

interface PendingPartition {
  readonly topic: string
  readonly partition: number
  readonly builder: RecordBatchBuilder
  readonly sealed: Buffer[]
  /** One entry per record that asked to be told: its index among the pending records of the partition. */
  readonly delivered: { readonly index: number; readonly onDelivered: OnDelivered }[]
  recordCount: number
  /** Batches are closed at this size. */
  readonly bytesMax: number
  /** Records that the topic does not take; whoever appended them is asked at the flush. */
  readonly refused: {
    readonly error: BrokerError
    readonly onDelivered: OnDelivered | undefined
    readonly onRefused: OnRefused | undefined
  }[]
}

export interface TransactionalIdentity {
  readonly transactionalId: string
  readonly producerId: number
  readonly epoch: number
}

/** The producer of the embedded log; see the port for what it promises. */
export class EmbeddedProducer implements LogProducer {
  readonly #store: LogStore
  readonly #identity: TransactionalIdentity | null
  readonly #compression: 'none' | 'zstd'
  #pending = new Map<string, PendingPartition>()
  readonly #nextOffsets = new Map<string, number>()
  #inTransaction = false
  #abortOnly = false
  #closed = false

  constructor(store: LogStore, identity: TransactionalIdentity | null, options: LogProducerOptions) {
    this.#store = store
    this.#identity = identity
    // Node brings zstd; lz4 would need a library, and on a local disk the difference does not matter.
    this.#compression = options.compression === undefined || options.compression === 'none' ? 'none' : 'zstd'
  }

  get pendingBytes(): number {
    let size = 0
    for (const pending of this.#pending.values()) {
      size += pending.recordCount > 0 ? pending.builder.byteLength : 0
      for (const batch of pending.sealed) size += batch.length
    }
    return size
  }

  append(
    topic: string,
    partition: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers = noHeaders,
    onDelivered?: OnDelivered,
    onRefused?: OnRefused,
  ): void {
    if (this.#closed) throw new StreamsError('ILLEGAL_STATE', 'append to a producer that is closed')
    const id = partitionKey(topic, partition)
    let pending = this.#pending.get(id)
    if (pending === undefined) {
      // An unknown partition is refused here, where the caller can see why.
      const { maxMessageBytes } = this.#store.partition(topic, partition)
      const builder = new RecordBatchBuilder()
      pending = {
        topic,
        partition,
        builder,
        sealed: [],
        delivered: [],
        recordCount: 0,
        refused: [],
        bytesMax: Math.min(batchBytesMax, maxMessageBytes),
      }
      this.#pending.set(id, pending)
    }
    let size = (key?.length ?? 0) + (value?.length ?? 0) + recordOverheadBytes
    for (const [name, data] of headers) size += 3 * name.length + (data?.length ?? 0) + 10
    if (pending.bytesMax < batchBytesMax && size + batchHeaderBytes > pending.bytesMax) {
      const alone = new RecordBatchBuilder()
      alone.append(key, value, timestampMs, headers)
      if (alone.byteLength > pending.bytesMax) {
        pending.refused.push({ error: tooLarge(pending, alone.byteLength), onDelivered, onRefused })
        return
      }
    }
    if (pending.builder.recordCount > 0 && pending.builder.byteLength + size > pending.bytesMax) this.#seal(pending)
    pending.builder.append(key, value, timestampMs, headers)
    if (onDelivered) pending.delivered.push({ index: pending.recordCount, onDelivered })
    pending.recordCount++
  }

  async flush(): Promise<void> {
    // What is appended instead of what is left out is part of the same flush.
    while (this.#pending.size > 0) await this.#flushOnce()
  }

  async #flushOnce(): Promise<void> {
    const taken = this.#pending
    this.#pending = new Map()
    try {
      this.#check()
      for (const { refused } of taken.values()) this.#askToLeaveOut(refused)
      if (this.#identity) {
        await this.#store.ended(this.#identity.producerId)
        this.#check()
        this.#inTransaction = true
      }
      let positions: [PendingPartition, number][] = []
      await this.#store.commits.run(
        () => {
          positions = this.#write(taken)
        },
        () => this.#acknowledge(positions),
      )
    } catch (error) {
      if (this.#identity) this.#abortOnly = true
      for (const pending of taken.values()) {
        for (const { onDelivered } of pending.delivered) onDelivered(error as Error, -1)
      }
      throw error
    }
  }

  nextOffset(topic: string, partition: number): number {
    return this.#nextOffsets.get(partitionKey(topic, partition)) ?? -1
  }

  async sendOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    const identity = this.#transactional('sendOffsets')
    this.#check()
    this.#store.groups.checkMember(groupMetadata(group))
    const { groupId } = groupMetadata(group)
    this.#inTransaction = true
    const transaction = this.#openTransaction(identity)
    const byPartition = new Map<string, CommittedOffset>()
    for (const offset of [...(transaction.offsets.get(groupId) ?? []), ...offsets]) {
      byPartition.set(partitionKey(offset.topic, offset.partition), offset)
    }
    transaction.offsets.set(groupId, [...byPartition.values()])
  }

  async commit(): Promise<void> {
    const identity = this.#transactional('commit')
    await this.flush()
    this.#check()
    if (!this.#inTransaction) return
    if (!this.#store.transactions.has(identity.producerId)) {
      this.#abortOnly = true
      throw new TransactionAbortableError(`the transaction of "${identity.transactionalId}" was lost`)
    }
    try {
      const hasEnded = await this.#store.endTransaction(identity.producerId, identity.epoch, true)
      if (!hasEnded) throw new Error('another producer has ended it')
    } catch (error) {
      this.#abortOnly = true
      throw new TransactionAbortableError(`the transaction of "${identity.transactionalId}" could not be committed`, {
        cause: error,
      })
    }
    this.#inTransaction = false
  }

  async abort(): Promise<void> {
    const identity = this.#transactional('abort')
    const given = this.#pending
    this.#pending = new Map()
    const error = new BrokerError('TRANSACTION_ABORTABLE', 'the transaction was aborted', { retryable: false })
    for (const pending of given.values()) for (const { onDelivered } of pending.delivered) onDelivered(error, -1)
    this.#checkFenced()
    await this.#store.endTransaction(identity.producerId, identity.epoch, false)
    this.#inTransaction = false
    this.#abortOnly = false
  }

  async commitOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    this.#store.checkOpen()
    this.#store.groups.checkMember(groupMetadata(group))
    const { groupId } = groupMetadata(group)
    await this.#store.commits.run(
      () => this.#store.writeOffsets(groupId, offsets),
      () => this.#store.applyOffsets(groupId, offsets),
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#identity && this.#inTransaction && !this.#store.closed && !this.#isFenced()) {
      await this.#store.endTransaction(this.#identity.producerId, this.#identity.epoch, false)
    }
  }

  #askToLeaveOut(refused: PendingPartition['refused']): void {
    for (const { error, onDelivered, onRefused } of refused) {
      onDelivered?.(error, -1)
      if (onRefused?.(error) !== true) throw error
    }
  }

  #seal(pending: PendingPartition): void {
    pending.sealed.push(
      pending.builder.seal({
        producerId: this.#identity?.producerId ?? -1,
        producerEpoch: this.#identity?.epoch ?? -1,
        transactional: this.#identity !== null,
        compression: this.#compression,
      }),
    )
  }

  #write(taken: ReadonlyMap<string, PendingPartition>): [PendingPartition, number][] {
    const positions: [PendingPartition, number][] = []
    for (const pending of taken.values()) {
      if (pending.builder.recordCount > 0) this.#seal(pending)
      const log = this.#store.partition(pending.topic, pending.partition)
      if (this.#identity) this.#addToTransaction(this.#identity, log)
      let first = -1
      for (const batch of pending.sealed) {
        const baseOffset = log.append(batch)
        if (first < 0) first = baseOffset
      }
      log.saveEnds()
      positions.push([pending, first])
    }
    return positions
  }

  #acknowledge(positions: readonly [PendingPartition, number][]): void {
    for (const [pending, first] of positions) {
      const log = this.#store.partition(pending.topic, pending.partition)
      log.highWatermark = log.nextOffset
      if (first >= 0) this.#nextOffsets.set(partitionKey(pending.topic, pending.partition), first + pending.recordCount)
      for (const { index, onDelivered } of pending.delivered) onDelivered(null, first + index + 1)
    }
    this.#store.notify()
  }

  #addToTransaction(identity: TransactionalIdentity, log: PartitionLog): void {
    const transaction = this.#openTransaction(identity)
    if (transaction.partitions.has(log)) return
    transaction.partitions.set(log, log.nextOffset)
    log.openTransactions.set(identity.producerId, log.nextOffset)
    this.#store.noteOpen(identity.producerId, log)
  }

  #openTransaction(identity: TransactionalIdentity): OpenTransaction {
    let transaction = this.#store.transactions.get(identity.producerId)
    if (!transaction) {
      transaction = { partitions: new Map(), offsets: new Map() }
      this.#store.transactions.set(identity.producerId, transaction)
    }
    return transaction
  }

  #transactional(call: string): TransactionalIdentity {
    if (this.#identity) return this.#identity
    throw new StreamsError('ILLEGAL_STATE', `${call} needs a producer opened with a transactionalId`)
  }

  #isFenced(): boolean {
    const identity = this.#identity
    return identity !== null && this.#store.epochs.get(identity.transactionalId)?.epoch !== identity.epoch
  }

  #checkFenced(): void {
    if (this.#isFenced()) {
      throw new FencedError(`another producer took over the transactional id "${this.#identity?.transactionalId}"`)
    }
    this.#store.checkOpen()
  }

  #check(): void {
    this.#checkFenced()
    if (this.#abortOnly) {
      throw new TransactionAbortableError('the transaction failed earlier: only abort() is left')
    }
  }
}

const tooLarge = ({ topic, partition, bytesMax }: PendingPartition, size: number): BrokerError =>
  new BrokerError(
    'BROKER_REFUSED',
    `writing to ${topic} partition ${partition}: a record of ${size} bytes, where max.message.bytes is ${bytesMax}`,
    { retryable: false },
  )
