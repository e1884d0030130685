import type { CommittedOffset } from '../../broker/broker.ts'
import { BrokerError, FencedError, TransactionAbortableError } from '../../common/errors.ts'
import type { Cluster } from './cluster.ts'
import { codeText, errorCode, isRetriable, isStaleCoordinator, refused, unavailable } from './kafka-errors.ts'
import type { ProducerIdentity } from './produce-queue.ts'
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
 * "Timed out" and "fenced" have the same code before the end: ending with an abort tells them apart (§9.3 of the audit).
 */
export class TransactionManager {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  readonly #version: 1 | 2
  readonly #added = new Set<string>()
  #identity: ProducerIdentity
  #coordinator: Connection | null = null
  /** The broker may know of an open transaction. */
  isOpen = false

  private constructor(cluster: Cluster, transactionalId: string, timeoutMs: number, version: 1 | 2) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
    this.#version = version
    this.#identity = { producerId: -1n, producerEpoch: -1 }
  }

  static async open(
    cluster: Cluster,
    transactionalId: string,
    timeoutMs: number,
    deadlineMs: number,
  ): Promise<TransactionManager> {
    const version = await cluster.retrying('versions', deadlineMs, () => cluster.transactionVersion())
    const manager = new TransactionManager(cluster, transactionalId, timeoutMs, version)
    await manager.#initialise({ producerId: -1n, producerEpoch: -1 }, deadlineMs)
    return manager
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }

  get produceVersion(): 'produceV11' | 'produceV12' {
    return this.#version === 2 ? 'produceV12' : 'produceV11'
  }

  /** Version 1: the coordinator has to know a partition before it is written to. */
  async addPartitions(partitions: readonly { readonly topic: string; readonly partition: number }[]): Promise<void> {
    this.isOpen = true
    if (this.#version === 2) return
    const missing = partitions.filter(({ topic, partition }) => !this.#added.has(`${topic}:${partition}`))
    if (missing.length === 0) return
    const byTopic = new Map<string, number[]>()
    for (const { topic, partition } of missing) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
    await this.#asking('adding partitions to the transaction', async (connection) => {
      const answer = await call(connection, requests.addPartitionsToTransaction, [
        {
          transactionalId: this.transactionalId,
          ...this.#identity,
          verifyOnly: false,
          topics: [...byTopic].map(([name, list]) => ({ name, partitions: list })),
        },
      ])
      const results = answer.resultsByTransaction.flatMap(({ topicResults }) =>
        topicResults.flatMap((t) => t.resultsByPartition),
      )
      return (
        results.find(({ partitionErrorCode }) => partitionErrorCode !== 0)?.partitionErrorCode ?? answer.errorCode ?? 0
      )
    })
    for (const { topic, partition } of missing) this.#added.add(`${topic}:${partition}`)
  }

  async sendOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    this.isOpen = true
    const { producerId, producerEpoch } = this.#identity
    if (this.#version === 1) {
      await this.#asking('adding the group to the transaction', async (connection) => {
        const answer = await call(
          connection,
          requests.addOffsetsToTransaction,
          this.transactionalId,
          producerId,
          producerEpoch,
          groupId,
        )
        return answer.errorCode
      })
    }
    const api = this.#version === 2 ? requests.transactionOffsetCommitV5 : requests.transactionOffsetCommitV4
    const topics = offsetTopics(offsets)
    const deadlineMs = Date.now() + endDeadlineMs
    await this.#cluster.retrying('committing offsets', deadlineMs, async () => {
      const connection = await this.#cluster.coordinator('group', groupId, deadlineMs)
      const answer = await this.#send('committing offsets', () =>
        call(connection, api, this.transactionalId, groupId, producerId, producerEpoch, -1, '', null, topics),
      )
      const code = answer.topics.flatMap((topic) => topic.partitions).find((p) => p.errorCode !== 0)?.errorCode ?? 0
      this.#check('committing offsets', code)
    })
  }

  /** Commits or aborts. The broker's answer to an abort tells a timed-out transaction from a fenced producer. */
  async end(isCommit: boolean): Promise<void> {
    const what = isCommit ? 'committing the transaction' : 'aborting the transaction'
    const { producerId, producerEpoch } = this.#identity
    let code = 0
    await this.#asking(what, async (connection) => {
      if (this.#version === 1) {
        code = (
          await call(connection, requests.endTransactionV1, this.transactionalId, producerId, producerEpoch, isCommit)
        ).errorCode
      } else {
        const answer = await call(
          connection,
          requests.endTransactionV2,
          this.transactionalId,
          producerId,
          producerEpoch,
          isCommit,
        )
        code = answer.errorCode
        if (code === 0) this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
      }
      // For an abort: there is nothing open (any more), which is what was wanted.
      const isSettled = !isCommit && code === errorCode.invalidTransactionState
      // A commit that finds itself fenced may only have timed out: the abort that follows decides.
      const isUndecided = isCommit && code === errorCode.producerFenced
      return isSettled ? 0 : isUndecided ? errorCode.invalidProducerEpoch : code
    })
    this.isOpen = false
    this.#added.clear()
  }

  /** After an abort under version 1, or one that found nothing open: a new epoch, so that late writes are refused. */
  async bumpEpoch(): Promise<void> {
    await this.#initialise(this.#identity, Date.now() + endDeadlineMs)
  }

  get needsBumpAfterAbort(): boolean {
    return this.#version === 1
  }

  /** What a code in a produce response means for the transaction. */
  failure(what: string, code: number): BrokerError {
    if (code === errorCode.producerFenced)
      return new FencedError(`${what}: another producer took over "${this.transactionalId}"`)
    return new TransactionAbortableError(`${what}: the broker answered ${codeText(code)}`)
  }

  async #initialise(identity: ProducerIdentity, deadlineMs: number): Promise<void> {
    await this.#asking(
      'opening the transactional producer',
      async (connection) => {
        const { producerId, producerEpoch } = identity
        const answer = await call(
          connection,
          requests.initProducerId,
          this.transactionalId,
          this.#timeoutMs,
          producerId,
          producerEpoch,
        )
        if (answer.errorCode === 0)
          this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
        return answer.errorCode
      },
      deadlineMs,
    )
    this.isOpen = false
    this.#added.clear()
  }

  /** Asks the transaction coordinator, again while that is worth it, elsewhere when it has moved. */
  async #asking(
    what: string,
    ask: (connection: Connection) => Promise<number>,
    deadlineMs = Date.now() + endDeadlineMs,
  ): Promise<void> {
    await this.#cluster.retrying(what, deadlineMs, async () => {
      this.#coordinator ??= await this.#cluster.coordinator('transaction', this.transactionalId, deadlineMs)
      const connection = this.#coordinator
      const code = await this.#send(what, () => ask(connection))
      if (isStaleCoordinator(code)) this.#coordinator = null
      this.#check(what, code)
    })
  }

  async #send<T>(what: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      this.#coordinator = null
      throw unavailable(what, error, 'unknown')
    }
  }

  #check(what: string, code: number): void {
    if (code === 0) return
    if (isRetriable(code)) throw unavailable(what, refused(what, code))
    if (abortable.has(code)) throw this.failure(what, code)
    throw refused(what, code)
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
    partitions: list.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    })),
  }))
}
