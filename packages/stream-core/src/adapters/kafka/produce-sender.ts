import { BrokerError, StreamsError } from '../../common/errors.ts'
import { partitionKey } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import {
  codeText,
  errorCode,
  isFinal,
  isRefusalOfRecords,
  isRefusalOfTopic,
  isRetriable,
  isStaleLeader,
  isUndecidedWrite,
  refused,
  unavailable,
} from './kafka-errors.ts'
import type { ProduceBatch, ProducerIdentity } from './produce-batch.ts'
import { ProduceQueue } from './produce-queue.ts'
import type { TransactionManager } from './transaction-manager.ts'
import { retryDelayMs, sleep, within } from './waiting.ts'
import { call, type Connection, type Node, type ProducePartition, requests } from './wire.ts'

/** How long a broker may wait for its replicas. */
const produceTimeoutMs = 30_000
const lostSequence: ReadonlySet<number> = new Set([errorCode.outOfOrderSequence, errorCode.unknownProducerId])
/** Well below a broker's default `socket.request.max.bytes` of 100 MiB. */
const requestBytesMax = 16 << 20

export interface SenderOptions {
  readonly compression: 'none' | 'lz4' | 'zstd'
  readonly deliveryTimeoutMs: number
}

interface Sent {
  readonly queue: ProduceQueue
  readonly batch: ProduceBatch
}

/**
 * Sends the batches of a producer, each partition's in order and once (KIP-98, idempotent). In rounds, while there is
 * something to send:
 *
 *   1. Batches whose time is over are given up.
 *   2. The producer's id and epoch, and the leaders, are looked up where they are not known. Sequences begin at 0 under a
 *      new id or epoch. In a transaction of version 1 its coordinator learns of new partitions.
 *   3. The first batch of each partition is sealed, under the partition's next sequence, and goes to its leader.
 *   4. An acknowledged batch is done. One that was not answered, or whose leader moved, stays first in its queue and goes
 *      again, as the same bytes: the broker knows its sequence and does not append it twice. One whose records were refused
 *      is cut in two, down to the records that are meant; whoever appended those may leave them out.
 *
 * A batch that is given up leaves a gap in the sequence, or none, nobody knows: outside a transaction the producer goes on
 * under a new id; in one, everything fails and only an abort is left.
 */
export class ProduceSender {
  readonly #cluster: Cluster
  readonly #transactions: TransactionManager | null
  readonly #options: SenderOptions
  readonly #queues: ProduceQueue[] = []
  readonly #byTopic = new Map<string, ProduceQueue[]>()
  #identity: ProducerIdentity | null = null
  #isRunning = false
  #hasLeftOut = false
  #run: Promise<void> = Promise.resolve()
  /** Set: nothing is sent any more. In a transaction an abort may clear it. */
  failure: Error | null = null

  constructor(cluster: Cluster, transactions: TransactionManager | null, options: SenderOptions) {
    this.#cluster = cluster
    this.#transactions = transactions
    this.#options = options
  }

  get pendingBytes(): number {
    let size = 0
    for (const queue of this.#queues) size += queue.pendingBytes
    return size
  }

  queue(topic: string, partition: number): ProduceQueue {
    let partitions = this.#byTopic.get(topic)
    if (partitions === undefined) {
      partitions = []
      this.#byTopic.set(topic, partitions)
    }
    let queue = partitions[partition]
    if (queue === undefined) {
      queue = partitions[partition] = new ProduceQueue(topic, partition)
      this.#queues.push(queue)
    }
    return queue
  }

  nextOffset(topic: string, partition: number): number {
    return this.#byTopic.get(topic)?.[partition]?.nextOffset ?? -1
  }

  /** Sends what was appended; resolves when all of it is acknowledged, rejects when all is settled and some of it failed. */
  async flush(): Promise<void> {
    const waiting: Promise<void>[] = []
    const deadlineMs = Date.now() + this.#options.deliveryTimeoutMs
    for (const queue of this.#queues) queue.flush(deadlineMs, waiting)
    if (waiting.length === 0) return
    if (this.failure !== null) this.failAll(this.failure)
    else if (!this.#isRunning) {
      this.#isRunning = true
      this.#run = this.#sendAll()
    }
    const settled = await Promise.allSettled(waiting)
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    if (!this.#hasLeftOut) return
    // What was appended instead of what was left out is part of this flush.
    this.#hasLeftOut = false
    await this.flush()
  }

  /** Resolves when no request is under way. */
  idle(): Promise<void> {
    return this.#run
  }

  failAll(error: Error): void {
    for (const queue of this.#queues) queue.failAll(error)
  }

  /** Until nothing that may be sent is left. Never rejects: batches carry their own outcome. */
  async #sendAll(): Promise<void> {
    try {
      for (let attempt = 0; ;) {
        this.#expire()
        const queues = this.#queues.filter((queue) => queue.first !== null)
        if (queues.length === 0) return
        if (await this.#sendRound(queues)) {
          attempt = 0
          continue
        }
        await sleep(retryDelayMs(attempt++))
        if (attempt % 10 !== 0) continue
        const [{ topic, partition }] = queues as [ProduceQueue]
        const event = { event: 'produce.waiting', topic, partition, partitions: queues.length }
        this.#cluster.logger.warn(event, 'writing does not get on; trying again')
      }
    } catch (error) {
      const failure = new BrokerError('BROKER_UNAVAILABLE', `sending failed: ${String(error)}`, {
        retryable: false,
        written: 'unknown',
        cause: error,
      })
      this.#fail(failure)
    } finally {
      // At once, not in a continuation: a flush that comes between would wait for a run that is over.
      this.#isRunning = false
    }
  }

  /** Step 1. */
  #expire(): void {
    const nowMs = Date.now()
    for (const queue of this.#queues) {
      for (let batch = queue.first; batch !== null && batch.deadlineMs <= nowMs; batch = queue.first) {
        const what = `no acknowledgement from ${queue.topic} partition ${queue.partition}`
        this.#giveUp(
          queue,
          new BrokerError(
            batch.mayBeWritten ? 'DELIVERY_UNCONFIRMED' : 'BROKER_UNAVAILABLE',
            `${what} within ${this.#options.deliveryTimeoutMs} ms`,
            { retryable: true, written: batch.mayBeWritten ? 'unknown' : 'no' },
          ),
        )
      }
    }
  }

  /** One batch of each partition; true if anything was settled. */
  async #sendRound(queues: readonly ProduceQueue[]): Promise<boolean> {
    try {
      await this.#provideIdentity()
      await this.#provideLeaders(queues)
      if (this.failure === null) await this.#transactions?.addPartitions(queues)
    } catch (error) {
      if (!(error instanceof StreamsError)) throw error
      if (!isFinal(error)) return false
      this.#refuse(error)
      return true
    }
    // Fixed for the round: giving up a batch takes the id away while others are still being written.
    const identity = this.#identity!
    const byLeader = new Map<number, { readonly node: Node; readonly queues: ProduceQueue[] }>()
    let isProgressing = false
    for (const queue of queues) {
      const leader = this.#cluster.leader(queue.topic, queue.partition)
      if (leader === null) {
        isProgressing = this.#checkSeen(queue) || isProgressing
        continue
      }
      const group = byLeader.get(leader.id)
      if (group) group.queues.push(queue)
      else byLeader.set(leader.id, { node: leader.node, queues: [queue] })
    }
    const sending = [...byLeader.values()].map((group) => this.#sendTo(group.node, group.queues, identity))
    const results = await Promise.all(sending)
    return isProgressing || results.includes(true)
  }

  /** Step 2. */
  async #provideIdentity(): Promise<void> {
    if (this.#transactions) {
      this.#adopt(this.#transactions.identity)
      return
    }
    if (this.#identity !== null) return
    const what = 'getting a producer id'
    const connection = await this.#cluster.connectAny('produce')
    const answer = await call(connection, requests.initProducerId, null, produceTimeoutMs, -1n, -1).catch(
      (error: unknown) => {
        throw error instanceof StreamsError ? error : unavailable(what, error)
      },
    )
    const { errorCode: code, producerId, producerEpoch } = answer
    if (code !== 0) throw isRetriable(code) ? unavailable(what, refused(what, code)) : refused(what, code)
    this.#adopt({ producerId, producerEpoch })
  }

  #adopt(identity: ProducerIdentity): void {
    const isSame =
      identity.producerId === this.#identity?.producerId && identity.producerEpoch === this.#identity.producerEpoch
    if (!isSame) for (const queue of this.#queues) queue.resetSequence()
    this.#identity = identity
  }

  async #provideLeaders(queues: readonly ProduceQueue[]): Promise<void> {
    const missing = queues.filter(({ topic, partition }) => this.#cluster.leader(topic, partition) === null)
    if (missing.length > 0) await this.#cluster.refresh([...new Set(missing.map(({ topic }) => topic))])
  }

  /** Step 3, in as many requests as their size asks for, one after the other. */
  async #sendTo(node: Node, queues: readonly ProduceQueue[], identity: ProducerIdentity): Promise<boolean> {
    let connection: Connection
    try {
      connection = await this.#cluster.connect('produce', node)
    } catch (error) {
      if (isFinal(error)) {
        this.#refuse(error)
        return true
      }
      for (const { topic, partition } of queues) this.#cluster.forgetLeader(topic, partition)
      return false
    }
    let isProgressing = false
    for (let i = 0; i < queues.length;) {
      const sent = new Map<string, Sent>()
      for (let size = 0; i < queues.length; i++) {
        const queue = queues[i]!
        const batch = queue.first // null: an abort or a close came between
        if (batch === null) continue
        if (size > 0 && size + batch.byteLength > requestBytesMax) break
        size += batch.byteLength
        sent.set(partitionKey(queue.topic, queue.partition), { queue, batch })
      }
      if (sent.size === 0) return true
      const isAnswered = await this.#request(connection, sent, identity)
      if (isAnswered === null) return isProgressing
      isProgressing = isAnswered || isProgressing
    }
    return isProgressing
  }

  /** One request: true if a batch was settled, null if there was no answer. */
  async #request(
    connection: Connection,
    sent: ReadonlyMap<string, Sent>,
    identity: ProducerIdentity,
  ): Promise<boolean | null> {
    const topics = new Map<string, ProducePartition[]>()
    let deadlineMs = Infinity
    for (const { queue, batch } of sent.values()) {
      const bytes = queue.sealFirst(identity, this.#transactions !== null, this.#options.compression)
      deadlineMs = Math.min(deadlineMs, batch.deadlineMs)
      const list = topics.get(queue.topic)
      if (list) list.push({ partition: queue.partition, batch: bytes })
      else topics.set(queue.topic, [{ partition: queue.partition, batch: bytes }])
    }
    const api = requests[this.#transactions?.produceRequest ?? 'produce']
    const transactionalId = this.#transactions?.transactionalId ?? null
    try {
      const answer = await within(
        Math.max(1, deadlineMs - Date.now()),
        call(connection, api, transactionalId, produceTimeoutMs, topics),
      )
      let isProgressing = false
      for (const { name, partitionResponses } of answer.responses) {
        for (const { index, errorCode: code, baseOffset, errorMessage } of partitionResponses) {
          const found = sent.get(partitionKey(name, index))
          if (found) isProgressing = this.#settle(found, code, Number(baseOffset), errorMessage) || isProgressing
        }
      }
      return isProgressing
    } catch (error) {
      if (isFinal(error)) {
        this.#refuse(error)
        return true
      }
      this.#cluster.logger.debug(
        { event: 'produce.failed', error: String(error) },
        'a produce request was not answered; sending it again',
      )
      for (const { queue, batch } of sent.values()) {
        batch.mayBeWritten = true
        this.#cluster.forgetLeader(queue.topic, queue.partition)
      }
      return null
    }
  }

  /** Step 4: what a partition's answer means; true if its batch is settled. */
  #settle({ queue, batch }: Sent, code: number, baseOffset: number, why: string | null | undefined): boolean {
    if (queue.first !== batch) return true // an abort or a close has given it up meanwhile
    if (code === 0 || code === errorCode.duplicateSequence) {
      queue.succeedFirst(code === 0 ? baseOffset : -1)
      return true
    }
    if (isUndecidedWrite(code)) batch.mayBeWritten = true
    if (isStaleLeader(code)) this.#cluster.forgetLeader(queue.topic, queue.partition)
    // A checksum that does not match there matched here: it goes again as it is.
    if (isRetriable(code) || code === errorCode.corruptMessage) return false
    if (lostSequence.has(code) && this.#transactions === null && !batch.mayBeWritten) {
      // The log does not know what it had acknowledged (an unclean election, for example); this batch is not in it either.
      queue.unsealFirst()
      this.#identity = null
      return false
    }
    const what = `writing to ${queue.topic} partition ${queue.partition}`
    const error =
      (isRefusalOfRecords(code) ? null : this.#transactions?.failure(what, code)) ??
      new BrokerError('BROKER_REFUSED', `${what}: the broker answered ${codeText(code)}${why ? `, ${why}` : ''}`, {
        retryable: false,
        written: batch.mayBeWritten ? 'unknown' : 'no',
      })
    if (batch.mayBeWritten || !this.#isolate(queue, batch, code, error)) this.#giveUp(queue, error)
    return true
  }

  /** Finds the record that was refused, or leaves out what is to be left out; false: the batch cannot be helped. */
  #isolate(queue: ProduceQueue, batch: ProduceBatch, code: number, error: BrokerError): boolean {
    if (isRefusalOfRecords(code) && batch.recordCount > 1) {
      queue.splitFirst()
      return true
    }
    if (!isRefusalOfRecords(code) && !isRefusalOfTopic(code)) return false
    try {
      if (!batch.askToLeaveOut(error)) return false
      this.#hasLeftOut = true
      queue.leaveFirstOut(error)
    } catch (thrown) {
      this.#giveUp(queue, thrown as Error)
    }
    return true
  }

  /** The first batch is lost. Those behind it were not sent, and go on under a new producer id. */
  #giveUp(queue: ProduceQueue, error: Error): void {
    if (this.#transactions) {
      this.#fail(error)
      return
    }
    queue.failFirst(error)
    this.#identity = null
  }

  #fail(error: Error): void {
    if (this.#transactions) this.failure ??= error
    else this.#identity = null
    this.failAll(error)
  }

  /** Nothing can be sent: a broker does not let us in, for example. What was sent before may still have arrived. */
  #refuse(cause: StreamsError): void {
    const mayBeWritten = this.#queues.some(({ first }) => first?.mayBeWritten)
    const written = mayBeWritten ? 'unknown' : 'no'
    const isTold = cause instanceof BrokerError && cause.written === written
    this.#fail(isTold ? cause : new BrokerError('BROKER_REFUSED', cause.message, { retryable: false, written, cause }))
  }

  /** Gives up what is for a topic that may not be seen; true if it is one. */
  #checkSeen(queue: ProduceQueue): boolean {
    const refusal = this.#cluster.refusal(queue.topic)
    if (refusal === null) return false
    const written = queue.first?.mayBeWritten ? 'unknown' : 'no'
    this.#giveUp(queue, new BrokerError('BROKER_REFUSED', refusal.message, { retryable: false, written }))
    return true
  }
}
