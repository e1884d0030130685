import type { FetchedPartition, LogReader, LogReaderOptions, ReadFrom } from '../../broker/broker.ts'
import { BrokerError, OffsetOutOfRangeError, StreamsError } from '../../common/errors.ts'
import { RecordBatchReader } from '../../common/record-batch-reader.ts'
import { partitionKey, type TopicPartition } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import type { Pool } from './connection-pool.ts'
import { type FetchedBytes, lastBatch, readFetchResponse } from './fetch-response.ts'
import { KafkaAdmin } from './kafka-admin.ts'
import { codeText, errorCode, isFinal, isRetriable, isStaleLeader } from './kafka-errors.ts'
import { retryDelayMs, sleep } from './waiting.ts'
import { call, kafkaCompression, type Node, requests } from './wire.ts'

interface Assigned extends TopicPartition {
  position: number
  /** Of the leader under which the last batch before the position was written; −1: not known. */
  epoch: number
  /** The topic that is read, whatever has its name; null before the first fetch. */
  topicId: string | null
  /** The position is outside the log, and where that ends is being asked. */
  isOutside: boolean
  isPaused: boolean
  /** A fetch for it is under way. */
  isFetching: boolean
  /** Fetched and not yet taken by the caller. */
  isWaiting: boolean
  /** Changes with every seek: an answer to an older question is dropped. */
  generation: number
  /** Where what can be read ended when the leader last said so; −1 before. */
  knownEnd: number
}

/** How long a broker may hold a fetch back when there is nothing to read. */
const fetchWaitMs = 500
const fullEpoch = -1

/**
 * Reads partitions without a group (D8). One fetch is under way per leader, for all its partitions that are neither paused
 * nor waiting to be taken; what arrives waits for the next `poll`. A broker that is away, and a leader that moved, are
 * ridden out: positions do not change, and the fetch is sent again where the leader is then.
 */
export class KafkaReader implements LogReader {
  readonly #cluster: Cluster
  readonly #pool: Pool
  readonly #isolation: 'read_committed' | 'read_uncommitted'
  readonly #partitionMaxBytes: number
  readonly #maxBytes: number
  #assigned = new Map<string, Assigned>()
  #ready: FetchedPartition[] = []
  /** For the next polls, one each. */
  #failures: StreamsError[] = []
  readonly #fetching = new Set<number>()
  #failedInARow = 0
  #refreshing: Promise<void> | null = null
  #wake: (() => void) | null = null
  #isClosed = false

  constructor(cluster: Cluster, options: LogReaderOptions) {
    this.#cluster = cluster
    this.#pool = cluster.openPool('fetch')
    this.#isolation = options.isolation ?? 'read_committed'
    this.#partitionMaxBytes = options.partitionMaxBytes ?? 1 << 20
    this.#maxBytes = options.maxBytes ?? 8 << 20
  }

  assign(positions: readonly ReadFrom[]): void {
    for (const old of this.#assigned.values()) old.generation = -1
    this.#ready = []
    this.#failures = []
    this.#assigned = new Map()
    this.add(positions)
  }

  add(positions: readonly ReadFrom[]): void {
    for (const { topic, partition, offset: position, leaderEpoch: epoch = -1 } of positions) {
      const states = { isOutside: false, isPaused: false, isFetching: false, isWaiting: false }
      const assigned = { topic, partition, position, epoch, topicId: null, ...states, generation: 0, knownEnd: -1 }
      this.#assigned.set(partitionKey(topic, partition), assigned)
    }
    if (this.#wake !== null) this.#startFetches()
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = partitionKey(topic, partition)
      const assigned = this.#assigned.get(key)
      if (assigned === undefined) continue
      assigned.generation = -1
      this.#assigned.delete(key)
      this.#forgetFailure(assigned)
      this.#ready = this.#ready.filter((ready) => ready.topic !== topic || ready.partition !== partition)
    }
  }

  remaining(partition: TopicPartition): number {
    const { knownEnd, position, isWaiting } = this.#find(partition)
    if (isWaiting) return Math.max(1, knownEnd - position)
    return knownEnd < 0 ? -1 : Math.max(0, knownEnd - position)
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    const assigned = this.#find({ topic, partition })
    assigned.position = offset
    assigned.epoch = -1
    assigned.isOutside = false
    assigned.generation++
    assigned.isWaiting = false
    this.#forgetFailure(assigned)
    this.#ready = this.#ready.filter((ready) => ready.topic !== topic || ready.partition !== partition)
  }

  pause(partition: TopicPartition): void {
    this.#find(partition).isPaused = true
  }

  resume(partition: TopicPartition): void {
    const assigned = this.#find(partition)
    assigned.isPaused = false
    if (assigned.isWaiting) this.wakeup()
    else if (this.#wake !== null) this.#startFetches()
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    // Whoever asks again and again, and is told nothing at once, would never let anything else in the process go on.
    if (this.#isClosed) throw new BrokerError('BROKER_UNAVAILABLE', 'the reader was closed', { retryable: false })
    // What had arrived for a partition before it was paused is kept for when it is resumed.
    const isWanted = (fetched: FetchedPartition): boolean => !this.#find(fetched).isPaused
    if (!this.#ready.some(isWanted) && this.#failures.length === 0 && maxWaitMs > 0) {
      this.#startFetches()
      await this.#waitForChange(maxWaitMs)
    }
    const failure = this.#failures.shift() ?? null
    const ready = failure === null ? this.#ready.filter(isWanted) : []
    if (ready.length > 0) this.#ready = this.#ready.filter((fetched) => !isWanted(fetched))
    for (const fetched of ready) this.#find(fetched).isWaiting = false
    // The next fetch travels while the caller works on this one; not earlier, or it would leave out what was just taken.
    this.#startFetches()
    if (failure !== null) throw failure
    return ready
  }

  wakeup(): void {
    this.#wake?.()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ready = []
    this.wakeup()
    await this.#pool.close().catch(() => undefined) // what is under way is not wanted any more
  }

  #startFetches(): void {
    if (this.#isClosed) return
    const byLeader = new Map<number, { readonly node: Node; readonly partitions: Assigned[] }>()
    let isLeaderMissing = false
    for (const assigned of this.#assigned.values()) {
      if (assigned.isPaused || assigned.isFetching || assigned.isWaiting || assigned.isOutside) continue
      const leader = this.#cluster.leader(assigned.topic, assigned.partition)
      const topic = this.#cluster.topic(assigned.topic)
      if (leader === null || topic === undefined) {
        isLeaderMissing = true
        continue
      }
      assigned.topicId ??= topic.topicId
      if (assigned.topicId !== topic.topicId && assigned.position > 0) {
        // Made anew under its name: the position may be inside it, and stands for nothing there.
        assigned.topicId = topic.topicId
        void this.#reportOutside(assigned, 0)
        continue
      }
      if (this.#fetching.has(leader.id)) continue
      const group = byLeader.get(leader.id)
      if (group) group.partitions.push(assigned)
      else byLeader.set(leader.id, { node: leader.node, partitions: [assigned] })
    }
    if (isLeaderMissing) this.#refresh()
    for (const [id, { node, partitions }] of byLeader) void this.#fetch(id, node, partitions)
  }

  /** Never rejects: what goes wrong is tried again, or kept for the next poll. */
  async #fetch(leaderId: number, node: Node, partitions: readonly Assigned[]): Promise<void> {
    this.#fetching.add(leaderId)
    for (const assigned of partitions) assigned.isFetching = true
    const asked = partitions.map((assigned) => ({
      assigned,
      generation: assigned.generation,
      position: assigned.position,
    }))
    try {
      const connection = await this.#pool.get(node)
      const bytes = await call(
        connection,
        requests.fetch,
        fetchWaitMs,
        1,
        this.#maxBytes,
        this.#isolation === 'read_committed' ? 1 : 0,
        0,
        fullEpoch,
        this.#requestTopics(partitions),
        [],
        '',
      )
      this.#failedInARow = 0
      this.#receive(bytes, asked)
    } catch (error) {
      if (this.#isClosed) return
      this.#note(error)
      for (const { topic, partition } of partitions) this.#cluster.forgetLeader(topic, partition)
      await sleep(retryDelayMs(2))
    } finally {
      this.#fetching.delete(leaderId)
      for (const assigned of partitions) assigned.isFetching = false
    }
    // The poll may have given up waiting long ago: the next one starts the next fetch.
    if (this.#wake !== null) this.#startFetches()
  }

  #requestTopics(partitions: readonly Assigned[]) {
    const topics = new Map<string, Assigned[]>()
    for (const assigned of partitions) {
      const list = topics.get(assigned.topic)
      if (list) list.push(assigned)
      else topics.set(assigned.topic, [assigned])
    }
    return [...topics].map(([topic, list]) => ({
      topicId: this.#cluster.topic(topic)!.topicId,
      // With both epochs a leader that was is found out, and so is a log that was cut (KIP-320).
      partitions: list.map(({ partition, position, epoch }) => ({
        partition,
        currentLeaderEpoch: this.#cluster.leader(topic, partition)?.epoch ?? -1,
        fetchOffset: BigInt(position),
        lastFetchedEpoch: epoch,
        partitionMaxBytes: this.#partitionMaxBytes,
      })),
    }))
  }

  #receive(bytes: Buffer, asked: readonly { assigned: Assigned; generation: number; position: number }[]): void {
    if (this.#isClosed) return
    const response = readFetchResponse(bytes)
    if (response.errorCode !== 0) throw new Error(`fetch answered ${codeText(response.errorCode)}`)
    const byKey = new Map(
      asked.map((question) => [partitionKey(question.assigned.topic, question.assigned.partition), question]),
    )
    let hasNews = false
    for (const fetched of response.partitions) {
      const topic = this.#cluster.topicName(fetched.topicId)
      const question = topic === undefined ? undefined : byKey.get(partitionKey(topic, fetched.partition))
      if (!question || question.assigned.generation !== question.generation) continue
      hasNews = this.#take(bytes, fetched, question.assigned, question.position) || hasNews
    }
    if (hasNews) this.wakeup()
  }

  /** Takes one partition's part; true if a poll should look. */
  #take(bytes: Buffer, fetched: FetchedBytes, assigned: Assigned, position: number): boolean {
    const { topic, partition } = assigned
    if (fetched.errorCode === errorCode.offsetOutOfRange || fetched.divergedAt >= 0) {
      void this.#reportOutside(assigned, fetched.divergedAt)
      return false
    }
    if (isStaleLeader(fetched.errorCode)) {
      this.#cluster.forgetLeader(topic, partition)
      this.#refresh()
      return false
    }
    if (fetched.errorCode === errorCode.corruptMessage) {
      const text = `the broker found its own record batch at offset ${position} of ${topic} partition ${partition} corrupt`
      this.#failures.push(new BrokerError('CORRUPT_LOG', text, { retryable: false }))
      return true
    }
    if (fetched.errorCode !== 0) {
      const text = `fetching ${topic} partition ${partition}: the broker answered ${codeText(fetched.errorCode)}`
      this.#failures.push(new BrokerError('BROKER_REFUSED', text, { retryable: isRetriable(fetched.errorCode) }))
      return true
    }
    assigned.knownEnd = this.#isolation === 'read_committed' ? fetched.lastStableOffset : fetched.highWatermark
    const last = lastBatch(bytes, fetched.start, fetched.end)
    if (last === null || last.nextOffset <= position) return false
    assigned.position = last.nextOffset
    assigned.epoch = last.leaderEpoch
    assigned.isWaiting = true
    // To the end of the next request: a response that is full leaves out the partitions asked for last.
    const key = partitionKey(topic, partition)
    this.#assigned.delete(key)
    this.#assigned.set(key, assigned)
    const { highWatermark, lastStableOffset, logStartOffset, abortedTransactions } = fetched
    this.#ready.push({
      topic,
      partition,
      highWatermark,
      lastStableOffset,
      logStartOffset,
      records: new RecordBatchReader(bytes, fetched.start, fetched.end, {
        fromOffset: position,
        isolation: this.#isolation,
        abortedTransactions,
        codecs: kafkaCompression,
        where: `${topic} partition ${partition}`,
      }),
    })
    return true
  }

  /** Says it to the next poll, with where the log begins and ends. Never rejects. */
  async #reportOutside(assigned: Assigned, divergedAt: number): Promise<void> {
    const { topic, partition, position: offset, generation } = assigned
    assigned.isOutside = true
    const admin = new KafkaAdmin(this.#cluster)
    const ask = (at: 'earliest' | 'latest'): Promise<number> =>
      admin.listOffsets([{ topic, partition }], at).then(
        ([found]) => found!,
        () => -1,
      )
    const [logStartOffset, logEndOffset] = [await ask('earliest'), await ask('latest')]
    if (assigned.generation !== generation || this.#isClosed) return
    assigned.isOutside = false
    const at = { topic, partition, offset, logStartOffset, logEndOffset }
    this.#forgetFailure(assigned)
    this.#failures.push(new OffsetOutOfRangeError({ ...at, divergedAt: divergedAt < 0 ? null : divergedAt }))
    this.wakeup()
  }

  /** Where it is read from is decided anew. */
  #forgetFailure({ topic, partition }: TopicPartition): void {
    const isOther = (failure: StreamsError): boolean =>
      !(failure instanceof OffsetOutOfRangeError) || failure.topic !== topic || failure.partition !== partition
    this.#failures = this.#failures.filter(isOther)
  }

  /** Looks leaders up, once at a time and with a pause when that does not help. */
  #refresh(): void {
    if (this.#refreshing || this.#isClosed) return
    const topics = [...new Set([...this.#assigned.values()].map(({ topic }) => topic))]
    this.#refreshing = this.#cluster
      .refresh(topics)
      .then(() => {
        const refusal = topics.map((topic) => this.#cluster.refusal(topic)).find((found) => found !== null)
        if (refusal) this.#note(refusal)
      })
      .catch((error: unknown) => this.#note(error))
      .then(() => sleep(retryDelayMs(1)))
      .finally(() => {
        this.#refreshing = null
        if (this.#wake !== null) this.#startFetches()
      })
  }

  /** What goes wrong is tried again; what that does not mend, the next poll tells. */
  #note(error: unknown): void {
    if (isFinal(error)) {
      if (this.#failures.length === 0) this.#failures.push(error)
      this.wakeup()
      return
    }
    this.#failedInARow++
    const { logger } = this.#cluster
    const event = { event: 'fetch.failed', error: (error as Error).message }
    if (this.#failedInARow % 50 === 0) logger.warn(event, 'reading does not get on; trying again')
    else logger.debug(event, 'a fetch failed; trying again')
  }

  #waitForChange(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(finish, maxWaitMs)
      this.#wake = finish
    })
  }

  #find({ topic, partition }: TopicPartition): Assigned {
    const found = this.#assigned.get(partitionKey(topic, partition))
    if (found) return found
    throw new StreamsError('ILLEGAL_STATE', `${topic} partition ${partition} is not assigned here`)
  }
}
