import type { CommittedOffset } from '../../broker/broker.ts'
import type { GroupMetadata } from '../../broker/group.ts'
import { BrokerError, TransactionAbortableError } from '../../common/errors.ts'
import { partitionKey, type TopicPartition } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import { codeText, errorCode, isRetriable, isStaleCoordinator, refused, unavailable } from './kafka-errors.ts'
import type { ProducerIdentity } from './produce-batch.ts'
import { call, type Connection, requests } from './wire.ts'

/** How long the end of a transaction is asked for before its outcome is given up as unknown. */
const endDeadlineMs = 60_000

/** Codes after which a transaction cannot go on; whether the producer can is for the abort to say. */
const abortable: ReadonlySet<number> = new Set([
  errorCode.transactionAbortable,
  errorCode.invalidProducerEpoch,
  errorCode.invalidTransactionState,
  errorCode.outOfOrderSequence,
  errorCode.unknownProducerId,
  errorCode.invalidProducerIdMapping,
])

/**
 * The transactional half of a producer (KIP-98; version 2: KIP-890). The life of a transaction:
 *
 *   1. `initialise`: the broker ends what an earlier holder of the id left open, and fences it.
 *   2. Version 1: partitions are added before the first write to each. Version 2: a write adds them.
 *   3. `sendOffsets`: input positions join the transaction.
 *   4. `end`: the same request is repeated until it is answered, for a lost answer says nothing. Version 2 answers with the
 *      epoch of the next transaction, so that what is still under way from this one is refused.
 *
 * "Timed out" and "fenced" have the same code before the end: ending with an abort tells them apart. After an abort the
 * producer has a new epoch: version 2 answers with it, version 1 is asked for it. So sequences that were used up by writes
 * that never arrived do no harm.
 */
export class TransactionManager {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  readonly #version: 1 | 2
  readonly #added = new Set<string>()
  #identity: ProducerIdentity = { producerId: -1n, producerEpoch: -1 }
  /** The broker may know of an open transaction. */
  isOpen = false

  private constructor(cluster: Cluster, transactionalId: string, timeoutMs: number, version: 1 | 2) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
    this.#version = version
  }

  static async open(
    cluster: Cluster,
    transactionalId: string,
    timeoutMs: number,
    deadlineMs: number,
  ): Promise<TransactionManager> {
    const version = await cluster.retrying('versions', deadlineMs, () => cluster.transactionVersion())
    const manager = new TransactionManager(cluster, transactionalId, timeoutMs, version)
    await manager.#initialise(deadlineMs)
    return manager
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }

  get produceRequest(): 'produce' | 'produceV2' {
    return this.#version === 2 ? 'produceV2' : 'produce'
  }

  /** Version 1: the coordinator has to know a partition before it is written to. */
  async addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    this.isOpen = true
    if (this.#version === 2) return
    const missing = partitions.filter(({ topic, partition }) => !this.#added.has(partitionKey(topic, partition)))
    if (missing.length === 0) return
    const byTopic = new Map<string, number[]>()
    for (const { topic, partition } of missing) {
      const list = byTopic.get(topic)
      if (list) list.push(partition)
      else byTopic.set(topic, [partition])
    }
    const transaction = {
      transactionalId: this.transactionalId,
      ...this.#identity,
      verifyOnly: false,
      topics: [...byTopic].map(([name, list]) => ({ name, partitions: list })),
    }
    const what = 'adding partitions to the transaction'
    await this.#asking(what, Date.now() + endDeadlineMs, async (connection) => {
      const answer = await call(connection, requests.addPartitionsToTransaction, [transaction])
      const results = answer.resultsByTransaction.flatMap(({ topicResults }) =>
        topicResults.flatMap(({ resultsByPartition }) => resultsByPartition),
      )
      const codes = results.map(({ partitionErrorCode }) => partitionErrorCode)
      this.#check(what, codes.find((code) => code !== 0) ?? answer.errorCode ?? 0)
    })
    for (const { topic, partition } of missing) this.#added.add(partitionKey(topic, partition))
  }

  async sendOffsets(group: GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void> {
    const { groupId, generationId, memberId, instanceId } = group
    this.isOpen = true
    const { producerId, producerEpoch } = this.#identity
    const deadlineMs = Date.now() + endDeadlineMs
    if (this.#version === 1) {
      const what = `adding the group ${groupId} to the transaction`
      await this.#asking(what, deadlineMs, async (connection) => {
        const api = requests.addOffsetsToTransaction
        const answer = await call(connection, api, this.transactionalId, producerId, producerEpoch, groupId)
        this.#check(what, answer.errorCode)
      })
    }
    const api = this.#version === 2 ? requests.transactionOffsetCommitV2 : requests.transactionOffsetCommitV1
    const topics = offsetTopics(offsets)
    const what = `adding offsets of ${groupId} to the transaction`
    await this.#cluster.askCoordinator('group', groupId, what, deadlineMs, async (connection) => {
      const id = this.transactionalId
      const answer = await call(
        connection,
        api,
        id,
        groupId,
        producerId,
        producerEpoch,
        generationId,
        memberId,
        instanceId,
        topics,
      )
      const codes = answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode: code }) => code))
      this.#check(what, codes.find((code) => code !== 0) ?? 0)
    })
  }

  /**
   * Commits or aborts. A commit rejects with DELIVERY_UNCONFIRMED when the time is over and it may have taken effect; then
   * nothing but a new producer of the same id, and the group's committed offsets, can tell.
   */
  async end(isCommit: boolean, deadlineMs = Date.now() + endDeadlineMs): Promise<void> {
    const what = `${isCommit ? 'committing' : 'aborting'} the transaction of "${this.transactionalId}"`
    let mayHaveArrived = false
    let hadNothingOpen = false
    try {
      await this.#asking(what, deadlineMs, async (connection) => {
        const hadArrived = mayHaveArrived
        mayHaveArrived = true
        const code = await this.#askForEnd(connection, isCommit)
        if (isStaleCoordinator(code)) mayHaveArrived = hadArrived
        hadNothingOpen = !isCommit && code === errorCode.invalidTransactionState
        if (hadNothingOpen) return
        // A commit that finds itself fenced may only have timed out: the abort that follows decides.
        if (isCommit) this.#check(what, code === errorCode.producerFenced ? errorCode.invalidProducerEpoch : code)
        else this.#checkFinal(what, code)
      })
    } catch (error) {
      const isUnknown = isCommit && mayHaveArrived && error instanceof BrokerError && error.retryable
      if (!isUnknown) throw error
      throw new BrokerError('DELIVERY_UNCONFIRMED', `it is not known whether ${what} took effect: ${error.message}`, {
        retryable: false,
        written: 'unknown',
        cause: error,
      })
    }
    if (!isCommit && (this.#version === 1 || hadNothingOpen)) await this.#initialise(deadlineMs)
    this.isOpen = false
    this.#added.clear()
  }

  /** What a code in a produce response means for the transaction. */
  failure(what: string, code: number): BrokerError {
    if (!abortable.has(code)) return refused(what, code)
    return new TransactionAbortableError(`${what}: the broker answered ${codeText(code)}`)
  }

  /** The code of the answer; version 2 also says under which id and epoch to go on. */
  async #askForEnd(connection: Connection, isCommit: boolean): Promise<number> {
    const { producerId, producerEpoch } = this.#identity
    const id = this.transactionalId
    if (this.#version === 1) {
      return (await call(connection, requests.endTransactionV1, id, producerId, producerEpoch, isCommit)).errorCode
    }
    const answer = await call(connection, requests.endTransactionV2, id, producerId, producerEpoch, isCommit)
    if (answer.errorCode === 0) {
      this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    }
    return answer.errorCode
  }

  /** Asks for a producer id, or with the present one for its next epoch. */
  async #initialise(deadlineMs: number): Promise<void> {
    const what = `opening the producer of "${this.transactionalId}"`
    const { producerId, producerEpoch } = this.#identity
    await this.#asking(what, deadlineMs, async (connection) => {
      const [id, timeoutMs] = [this.transactionalId, this.#timeoutMs]
      const answer = await call(connection, requests.initProducerId, id, timeoutMs, producerId, producerEpoch)
      this.#checkFinal(what, answer.errorCode)
      this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    })
  }

  #asking(what: string, deadlineMs: number, ask: (connection: Connection) => Promise<void>): Promise<void> {
    return this.#cluster.askCoordinator('transaction', this.transactionalId, what, deadlineMs, ask)
  }

  /** Within a transaction: what cannot be tried again may still be aborted. */
  #check(what: string, code: number): void {
    if (code === 0) return
    throw isRetriable(code) ? unavailable(what, refused(what, code)) : this.failure(what, code)
  }

  /** Where an abort is no way out: an epoch that is too old is a producer that was fenced. */
  #checkFinal(what: string, code: number): void {
    if (code === 0) return
    if (isRetriable(code)) throw unavailable(what, refused(what, code))
    throw refused(what, code === errorCode.invalidProducerEpoch ? errorCode.producerFenced : code)
  }
}

/** Offsets as the protocol groups them. */
export function offsetTopics(offsets: readonly CommittedOffset[]) {
  const byTopic = new Map<string, CommittedOffset[]>()
  for (const offset of offsets) {
    const list = byTopic.get(offset.topic)
    if (list) list.push(offset)
    else byTopic.set(offset.topic, [offset])
  }
  return [...byTopic].map(([name, list]) => ({
    name,
    partitions: list.map(({ partition, offset, metadata, leaderEpoch = -1 }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }))
}
