import type { CommittedOffset, LogProducer, LogProducerOptions, OnDelivered } from '../../broker/broker.ts'
import { BrokerError, FencedError, StreamsError, TransactionAbortableError } from '../../common/errors.ts'
import { type Headers, noHeaders, partitionKey } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import { retryDelayMs, sleep } from './cluster.ts'
import { commitGroupOffsets } from './kafka-admin.ts'
import { codeText, errorCode, isRetriable, isStaleLeader, refused, unavailable } from './kafka-errors.ts'
import { type ProducerIdentity, ProduceQueue } from './produce-queue.ts'
import type { TransactionManager } from './transaction-manager.ts'
import { call, type Node, type ProducePartition, requests } from './wire.ts'

const produceTimeoutMs = 30_000
const endWaitMs = 5000

interface Sending {
  readonly node: Node
  readonly queues: ProduceQueue[]
}

/**
 * An idempotent producer. Batches of a partition go out one at a time and in order; a batch is sent again as the same
 * bytes, under the same sequence numbers, until it is settled, so that it is in the log once. One request is under way per
 * leader; what is flushed meanwhile goes with the next one.
 */
export class KafkaProducer implements LogProducer {
  readonly #cluster: Cluster
  readonly #transactions: TransactionManager | null
  readonly #deliveryTimeoutMs: number
  readonly #compression: 'none' | 'lz4' | 'zstd'
  readonly #queues = new Map<string, ProduceQueue>()
  #identity: ProducerIdentity | null = null
  #sending: Promise<void> = Promise.resolve()
  /** Changes in the same breath as the look at the queues: a flush never finds a sender that is about to stop. */
  #isSending = false
  #attempt = 0
  /** In a transaction: what made it fail; only abort is left. */
  #failure: BrokerError | null = null
  #isClosed = false

  constructor(cluster: Cluster, transactions: TransactionManager | null, options: LogProducerOptions) {
    this.#cluster = cluster
    this.#transactions = transactions
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? 120_000
    this.#compression = options.compression ?? 'none'
  }

  get pendingBytes(): number {
    let size = 0
    for (const queue of this.#queues.values()) for (const batch of queue.batches) size += batch.byteLength
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
  ): void {
    if (this.#isClosed) throw new StreamsError('ILLEGAL_STATE', 'append to a producer that is closed')
    const id = partitionKey(topic, partition)
    let queue = this.#queues.get(id)
    if (queue === undefined) {
      queue = new ProduceQueue(topic, partition)
      this.#queues.set(id, queue)
    }
    queue.append(key, value, timestampMs, headers, onDelivered, Date.now() + this.#deliveryTimeoutMs)
  }

  async flush(): Promise<void> {
    const waiting: Promise<void>[] = []
    for (const queue of this.#queues.values()) waiting.push(...queue.flush())
    if (waiting.length === 0) return
    if (this.#failure) this.#failAll(this.#failure)
    else if (!this.#isSending) this.#sending = this.#sendAll()
    const settled = await Promise.allSettled(waiting)
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  nextOffset(topic: string, partition: number): number {
    return this.#queues.get(partitionKey(topic, partition))?.nextOffset ?? -1
  }

  async sendOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const transactions = this.#transactional('sendOffsets')
    this.#check()
    await this.#guard(() => transactions.sendOffsets(groupId, offsets))
  }

  async commit(): Promise<void> {
    const transactions = this.#transactional('commit')
    await this.flush()
    this.#check()
    if (!transactions.isOpen) return
    await this.#guard(() => transactions.end(true))
    this.#resetSequences()
  }

  async abort(): Promise<void> {
    const transactions = this.#transactional('abort')
    if (this.#failure instanceof FencedError) throw this.#failure
    const given = new TransactionAbortableError('the transaction was aborted')
    this.#failure ??= given
    this.#failAll(given)
    await this.#sending
    try {
      if (transactions.isOpen) {
        await transactions.end(false)
        if (transactions.needsBumpAfterAbort) await transactions.bumpEpoch()
      }
    } catch (error) {
      if (error instanceof FencedError) this.#failure = error
      throw error
    }
    this.#resetSequences()
    this.#failure = null
  }

  async commitOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    await commitGroupOffsets(this.#cluster, groupId, offsets)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const error = new BrokerError('BROKER_UNAVAILABLE', 'the producer was closed', { retryable: false })
    this.#failure ??= error
    this.#failAll(error)
    await this.#sending
    if (this.#transactions?.isOpen && !this.#cluster.isClosed && !(this.#failure instanceof FencedError)) {
      // A courtesy to readers, who would otherwise wait for the transaction's timeout: not worth waiting long for.
      await Promise.race([this.#transactions.end(false).catch(() => undefined), sleep(endWaitMs)])
    }
  }

  /** Sends until nothing flushable is left. Never rejects: batches carry their own outcome. */
  async #sendAll(): Promise<void> {
    this.#isSending = true
    for (;;) {
      const queues = [...this.#queues.values()].filter((queue) => queue.first !== null)
      if (queues.length === 0) {
        this.#isSending = false
        return
      }
      this.#expire(queues)
      const isProgressing = await this.#sendRound(queues.filter((queue) => queue.first !== null))
      if (isProgressing) this.#attempt = 0
      else await sleep(retryDelayMs(this.#attempt++))
    }
  }

  /** Gives up batches whose time is over. */
  #expire(queues: readonly ProduceQueue[]): void {
    const nowMs = Date.now()
    for (const queue of queues) {
      const batch = queue.first
      if (batch === null || nowMs < batch.deadlineMs) continue
      this.#giveUp(
        queue,
        new BrokerError(
          batch.hasBeenSent ? 'DELIVERY_UNCONFIRMED' : 'BROKER_UNAVAILABLE',
          `no acknowledgement for ${queue.topic} partition ${queue.partition} within ${this.#deliveryTimeoutMs} ms`,
          { retryable: true, written: batch.hasBeenSent ? 'unknown' : 'no' },
        ),
      )
    }
  }

  /** One batch of each partition, one request per leader; true if anything was settled. */
  async #sendRound(queues: readonly ProduceQueue[]): Promise<boolean> {
    try {
      await this.#provideIdentity()
      await this.#provideLeaders(queues)
      if (this.#transactions && !this.#failure) await this.#transactions.addPartitions(queues)
    } catch (error) {
      if (error instanceof BrokerError && error.retryable) return false
      this.#failTransaction(error as BrokerError)
      return true
    }
    const byLeader = new Map<number, Sending>()
    for (const queue of queues) {
      const leader = this.#cluster.leader(queue.topic, queue.partition)
      if (leader === null || queue.first === null) continue
      const sending = byLeader.get(leader.id)
      if (sending) sending.queues.push(queue)
      else byLeader.set(leader.id, { node: leader.node, queues: [queue] })
    }
    const results = await Promise.all([...byLeader.values()].map((sending) => this.#send(sending)))
    return results.includes(true)
  }

  async #provideIdentity(): Promise<void> {
    if (this.#transactions) {
      this.#identity = this.#transactions.identity
      return
    }
    if (this.#identity !== null) return
    const connection = await this.#cluster.connectAny('produce')
    const answer = await call(connection, requests.initProducerId, null, produceTimeoutMs, -1n, -1).catch(
      (error: unknown) => {
        throw unavailable('getting a producer id', error)
      },
    )
    if (answer.errorCode !== 0) {
      const error = refused('getting a producer id', answer.errorCode)
      throw isRetriable(answer.errorCode) ? unavailable(error.message, error) : error
    }
    this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    for (const queue of this.#queues.values()) queue.resetSequence()
  }

  async #provideLeaders(queues: readonly ProduceQueue[]): Promise<void> {
    const missing = queues.filter(({ topic, partition }) => this.#cluster.leader(topic, partition) === null)
    if (missing.length > 0) await this.#cluster.refresh([...new Set(missing.map(({ topic }) => topic))])
  }

  async #send({ node, queues }: Sending): Promise<boolean> {
    let connection
    try {
      connection = await this.#cluster.connect('produce', node)
    } catch {
      for (const { topic, partition } of queues) this.#cluster.forgetLeader(topic, partition)
      return false
    }
    if (this.#failure) return true
    const topics = new Map<string, ProducePartition[]>()
    const sent = new Map<string, ProduceQueue>()
    for (const queue of queues) {
      const batch = queue.first
      if (batch === null) continue
      const bytes = queue.sealFirst(this.#identity!, this.#transactions !== null, this.#compression)
      batch.hasBeenSent = true
      sent.set(partitionKey(queue.topic, queue.partition), queue)
      const list = topics.get(queue.topic)
      if (list) list.push({ partition: queue.partition, batch: bytes })
      else topics.set(queue.topic, [{ partition: queue.partition, batch: bytes }])
    }
    if (sent.size === 0) return true
    const api = requests[this.#transactions?.produceVersion ?? 'produceV11']
    const transactionalId = this.#transactions?.transactionalId ?? null
    try {
      const answer = await call(connection, api, transactionalId, produceTimeoutMs, topics)
      let isProgressing = false
      for (const { name, partitionResponses } of answer.responses) {
        for (const { index, errorCode: code, baseOffset } of partitionResponses) {
          const queue = sent.get(partitionKey(name, index))
          if (queue) isProgressing = this.#settle(queue, code, Number(baseOffset)) || isProgressing
        }
      }
      return isProgressing
    } catch (error) {
      this.#cluster.logger.debug(
        { event: 'produce.failed', error: String(error) },
        'a produce request was not answered; sending it again',
      )
      for (const { topic, partition } of sent.values()) this.#cluster.forgetLeader(topic, partition)
      return false
    }
  }

  /** What a partition's answer means; true if its batch is settled. */
  #settle(queue: ProduceQueue, code: number, baseOffset: number): boolean {
    // An abort or a close has given the batch up meanwhile.
    if (queue.first === null) return true
    if (code === 0 || code === errorCode.duplicateSequence) {
      const batch = queue.shift()
      const isKnown = code === 0 && baseOffset >= 0
      queue.nextOffset = isKnown ? baseOffset + batch.recordCount : -1
      batch.succeed(isKnown ? baseOffset : -1)
      return true
    }
    if (isStaleLeader(code)) this.#cluster.forgetLeader(queue.topic, queue.partition)
    if (isRetriable(code)) return false
    const what = `writing to ${queue.topic} partition ${queue.partition}`
    if (this.#transactions) this.#failTransaction(this.#transactions.failure(what, code))
    else
      this.#giveUp(
        queue,
        new BrokerError('BROKER_REFUSED', `${what}: the broker answered ${codeText(code)}`, {
          retryable: false,
          written: isSequenceError(code) ? 'unknown' : 'no',
        }),
      )
    return true
  }

  /** One batch is lost; those behind it were not sent and may go on, under a new producer id. */
  #giveUp(queue: ProduceQueue, error: BrokerError): void {
    if (this.#transactions) {
      this.#failTransaction(error)
      return
    }
    queue.shift().fail(error)
    this.#identity = null
  }

  #failTransaction(error: BrokerError): void {
    if (this.#transactions) this.#failure ??= error
    this.#failAll(error)
  }

  #failAll(error: Error): void {
    for (const queue of this.#queues.values()) queue.failAll(error)
  }

  #resetSequences(): void {
    for (const queue of this.#queues.values()) queue.resetSequence()
  }

  /** A transaction's request that fails leaves only abort. */
  async #guard(send: () => Promise<void>): Promise<void> {
    try {
      await send()
    } catch (error) {
      this.#failure ??= error as BrokerError
      throw error
    }
  }

  #transactional(name: string): TransactionManager {
    if (this.#transactions) return this.#transactions
    throw new StreamsError('ILLEGAL_STATE', `${name} needs a producer opened with a transactionalId`)
  }

  #check(): void {
    if (this.#failure instanceof FencedError) throw this.#failure
    if (this.#failure) {
      throw new TransactionAbortableError(
        `the transaction failed earlier: only abort() is left (${this.#failure.message})`,
      )
    }
  }
}

const isSequenceError = (code: number): boolean =>
  code === errorCode.outOfOrderSequence ||
  code === errorCode.unknownProducerId ||
  code === errorCode.invalidProducerEpoch
