import type { CommittedOffset, LogProducer, LogProducerOptions, OnDelivered, OnRefused } from '../../broker/broker.ts'
import { type GroupMetadata, groupMetadata } from '../../broker/group.ts'
import {
  BrokerError,
  FencedError,
  MemberLostError,
  StreamsError,
  TransactionAbortableError,
} from '../../common/errors.ts'
import { type Headers, noHeaders } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import { commitGroupOffsets } from './kafka-admin.ts'
import { ProduceSender } from './produce-sender.ts'
import type { TransactionManager } from './transaction-manager.ts'
import { within } from './waiting.ts'

/** Closing is not worth waiting longer for a broker that does not answer. */
const closeWaitMs = 5000

/** An idempotent producer, transactional with a transaction manager: what the port promises, on top of `ProduceSender`. */
export class KafkaProducer implements LogProducer {
  readonly #cluster: Cluster
  readonly #transactions: TransactionManager | null
  readonly #sender: ProduceSender
  /** Nothing mends this producer: it was fenced, or nobody knows whether its transaction was committed. */
  #fatal: BrokerError | null = null
  #isClosed = false

  constructor(cluster: Cluster, transactions: TransactionManager | null, options: LogProducerOptions) {
    const { compression = 'none', deliveryTimeoutMs = 120_000 } = options
    this.#cluster = cluster
    this.#transactions = transactions
    this.#sender = new ProduceSender(cluster, transactions, { compression, deliveryTimeoutMs })
  }

  get pendingBytes(): number {
    return this.#sender.pendingBytes
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
    if (this.#isClosed) throw new StreamsError('ILLEGAL_STATE', 'append to a producer that is closed')
    this.#sender.queue(topic, partition).append(key, value, timestampMs, headers, onDelivered, onRefused)
  }

  flush(): Promise<void> {
    return this.#sender.flush()
  }

  nextOffset(topic: string, partition: number): number {
    return this.#sender.nextOffset(topic, partition)
  }

  async sendOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    const transactions = this.#transactional('sendOffsets')
    this.#check()
    if (offsets.length === 0) return
    try {
      await transactions.sendOffsets(groupMetadata(group), offsets)
    } catch (error) {
      if (error instanceof MemberLostError) throw error
      this.#sender.failure ??= error as BrokerError
      throw error
    }
  }

  async commit(): Promise<void> {
    const transactions = this.#transactional('commit')
    await this.flush()
    this.#check()
    if (!transactions.isOpen) return
    try {
      await transactions.end(true)
    } catch (error) {
      const failure = error as BrokerError
      if (failure.code === 'DELIVERY_UNCONFIRMED') this.#fatal = failure
      this.#sender.failure ??= failure
      throw failure
    }
  }

  async abort(): Promise<void> {
    const transactions = this.#transactional('abort')
    if (this.#fatal) throw this.#fatal
    const given = new TransactionAbortableError('the transaction was aborted')
    this.#sender.failure ??= given
    this.#sender.failAll(given)
    await this.#sender.idle()
    try {
      if (transactions.isOpen) await transactions.end(false)
    } catch (error) {
      if (error instanceof FencedError) this.#fatal = error
      throw error
    }
    this.#sender.failure = null
  }

  commitOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    return offsets.length === 0 ? Promise.resolve() : commitGroupOffsets(this.#cluster, groupMetadata(group), offsets)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const error = new BrokerError('BROKER_UNAVAILABLE', 'the producer was closed', { retryable: false })
    this.#sender.failure ??= error
    this.#sender.failAll(error)
    const endMs = Date.now() + closeWaitMs
    await within(closeWaitMs, this.#sender.idle()).catch(() => undefined)
    if (this.#transactions?.isOpen && !this.#cluster.isClosed && !this.#fatal) {
      // A courtesy to readers, who would otherwise wait for the transaction's timeout.
      const ending = this.#transactions.end(false, endMs)
      await within(Math.max(1, endMs - Date.now()), ending).catch(() => undefined)
    }
  }

  #transactional(name: string): TransactionManager {
    if (this.#isClosed) throw new StreamsError('ILLEGAL_STATE', `${name} on a producer that is closed`)
    if (this.#transactions) return this.#transactions
    throw new StreamsError('ILLEGAL_STATE', `${name} needs a producer opened with a transactionalId`)
  }

  #check(): void {
    const failure = this.#fatal ?? this.#sender.failure
    if (failure === null) return
    if (failure === this.#fatal || failure instanceof FencedError) throw failure
    throw new TransactionAbortableError(`the transaction failed earlier: only abort() is left (${failure.message})`, {
      cause: failure,
    })
  }
}
