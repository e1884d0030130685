import type {
  Admin,
  CommittedOffset,
  GroupMemberDescription,
  OffsetSpec,
  TopicDescription,
  TopicSpec,
} from '../../broker/broker.ts'
import { checkWidths } from '../../broker/topic-widths.ts'
import type { GroupMetadata } from '../../broker/group.ts'
import { StreamsError } from '../../common/errors.ts'
import { partitionKey, type TopicPartition } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import { GroupAdmin } from './group-admin.ts'
import { codeText, errorCode, isRetriable, isStaleLeader, refused, unavailable } from './kafka-errors.ts'
import { offsetTopics, TransactionManager } from './transaction-manager.ts'
import { sleep } from './waiting.ts'
import { call, type Connection, requests } from './wire.ts'

/** An administrator does not wait longer for a cluster that does not answer. */
const deadlineAfterMs = 30_000
const timestamps = { earliest: -2n, latest: -1n, 'latest-stable': -1n } as const
const timestampOf = (at: OffsetSpec): bigint => (typeof at === 'string' ? timestamps[at] : BigInt(at.timestampMs))

export class KafkaAdmin implements Admin {
  readonly #cluster: Cluster

  readonly #groups: GroupAdmin

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#groups = new GroupAdmin(cluster)
  }

  clusterId(): Promise<string> {
    return this.#retrying('cluster id', () => this.#cluster.clusterId())
  }

  async describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    if (topics.length > 0) await this.#retrying('metadata', () => this.#cluster.refresh(topics))
    const found = new Map<string, TopicDescription>()
    for (const topic of topics) {
      const known = this.#cluster.topic(topic)
      if (known) found.set(topic, { topic, ...known })
      else this.#checkSeen(topic)
    }
    return found
  }

  listTopics(): Promise<readonly string[]> {
    return this.#retrying('listing topics', () => this.#cluster.listTopics())
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const names = specs.map(({ topic }) => topic)
    const existing = await this.describeTopics(names)
    checkWidths(specs, existing)
    const missing = specs.filter(({ topic }) => !existing.has(topic))
    if (missing.length > 0) await this.#create(missing)
    await this.#untilWritable(names)
    // Somebody else may have come first.
    if (missing.length > 0) checkWidths(specs, await this.describeTopics(names))
  }

  #create(missing: readonly TopicSpec[]): Promise<void> {
    return this.#retrying('creating topics', async () => {
      const connection = await this.#cluster.connectAny('admin')
      const topics = missing.map(({ topic, partitions, configs = {} }) => ({
        name: topic,
        numPartitions: partitions,
        replicationFactor: -1,
        assignments: [],
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      }))
      const answer = await ask('creating topics', () => call(connection, requests.createTopics, topics, 20_000, false))
      for (const { name, errorCode: code, errorMessage } of answer.topics) {
        if (code === 0 || code === errorCode.topicAlreadyExists) continue
        const what = `creating the topic ${name}${errorMessage ? `: ${errorMessage}` : ''}`
        throw isRetriable(code) ? unavailable(what, refused(what, code)) : refused(what, code)
      }
    })
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return
    await this.#retrying('deleting topics', async () => {
      const connection = await this.#cluster.connectAny('admin')
      const named = topics.map((name) => ({ name }))
      const answer = await ask('deleting topics', () => call(connection, requests.deleteTopics, named, 20_000))
      for (const { name, errorCode: code } of answer.responses) {
        if (code !== 0 && code !== errorCode.unknownTopicOrPartition) throw refused(`deleting the topic ${name}`, code)
      }
    })
    // Metadata follows a little later; a topic made again at once must not be taken for the old one.
    const endMs = Date.now() + deadlineAfterMs
    while ((await this.describeTopics(topics)).size > 0 && Date.now() < endMs) await sleep(50)
  }

  async listOffsets(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<readonly number[]> {
    const found = new Map<string, number>()
    await this.#retrying('listing offsets', async () => {
      const left = partitions.filter(({ topic, partition }) => !found.has(partitionKey(topic, partition)))
      await this.#perLeader(left, async (connection, topics) => {
        const asked = topics.map(({ name, list }) => ({
          name,
          partitions: list.map(({ partition }) => ({
            partitionIndex: partition,
            currentLeaderEpoch: -1,
            timestamp: timestampOf(at),
          })),
        }))
        const isolation = at === 'latest-stable' ? 1 : 0
        const answer = await ask('listing offsets', () => call(connection, requests.listOffsets, -1, isolation, asked))
        for (const { name, partitions: answers } of answer.topics) {
          for (const { partitionIndex, errorCode: code, offset } of answers) {
            this.#check(`listing offsets of ${name} partition ${partitionIndex}`, name, partitionIndex, code)
            found.set(partitionKey(name, partitionIndex), Number(offset))
          }
        }
      })
    })
    // −1: no record is that late.
    const beyond = partitions.filter(({ topic, partition }) => found.get(partitionKey(topic, partition))! < 0)
    const ends = beyond.length === 0 ? [] : await this.listOffsets(beyond, 'latest-stable')
    for (const [i, { topic, partition }] of beyond.entries()) found.set(partitionKey(topic, partition), ends[i]!)
    return partitions.map(({ topic, partition }) => found.get(partitionKey(topic, partition))!)
  }

  async committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: { readonly requireStable: boolean },
  ): Promise<readonly CommittedOffset[]> {
    const found = new Map<string, CommittedOffset>()
    // A transaction that is open may stay so until its timeout: that is what requireStable waits for.
    const deadlineMs = Date.now() + (options.requireStable ? 120_000 : deadlineAfterMs)
    const what = `offsets of ${groupId}`
    await this.#cluster.askCoordinator('group', groupId, what, deadlineMs, async (connection) => {
      const topics = groupByTopic(partitions).map(({ name, list }) => ({
        name,
        partitionIndexes: list.map(({ partition }) => partition),
      }))
      const group = { groupId, memberId: null, memberEpoch: -1, topics }
      const answer = await call(connection, requests.offsetFetch, [group], options.requireStable)
      for (const { errorCode: code, topics: answers } of answer.groups) {
        checkOffsets(what, code)
        for (const { name, partitions: list } of answers) {
          for (const one of list) {
            const { partitionIndex, committedOffset, committedLeaderEpoch: leaderEpoch, metadata } = one
            checkOffsets(what, one.errorCode)
            const offset = {
              topic: name,
              partition: partitionIndex,
              offset: Number(committedOffset),
              metadata: metadata ?? '',
              ...(leaderEpoch >= 0 && { leaderEpoch }),
            }
            found.set(partitionKey(name, partitionIndex), offset)
          }
        }
      }
    })
    return partitions.map(
      ({ topic, partition }) =>
        found.get(partitionKey(topic, partition)) ?? { topic, partition, offset: -1, metadata: '' },
    )
  }

  async deleteRecords(before: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await this.#retrying('deleting records', () =>
      this.#perLeader(before, async (connection, topics) => {
        const asked = topics.map(({ name, list }) => ({
          name,
          partitions: list.map(({ partition, offset }) => ({ partitionIndex: partition, offset: BigInt(offset) })),
        }))
        const answer = await ask('deleting records', () => call(connection, requests.deleteRecords, asked, 20_000))
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, errorCode: code } of partitions) {
            this.#check(`deleting records of ${name} partition ${partitionIndex}`, name, partitionIndex, code)
          }
        }
      }),
    )
  }

  async listGroups(): Promise<readonly string[]> {
    return [...(await this.#groups.states()).keys()].sort()
  }

  groupMembers(groupId: string): Promise<readonly GroupMemberDescription[]> {
    return this.#groups.members(groupId)
  }

  groupOffsets(groupId: string): Promise<readonly CommittedOffset[]> {
    return this.#groups.offsets(groupId)
  }

  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#groups.deleteOffsets(groupId, partitions)
  }

  /** Each broker knows of the transactions that it coordinates. */
  async abortTransactions(isGone: (transactionalId: string) => boolean): Promise<readonly string[]> {
    const open = new Set<string>()
    await this.#retrying('listing transactions', async () => {
      await this.#cluster.refresh([])
      for (const node of this.#cluster.brokers) {
        const connection = await this.#cluster.connect('admin', node)
        const answer = await ask('listing transactions', () =>
          call(connection, requests.listTransactions, ['Ongoing'], [], -1n, null),
        )
        if (answer.errorCode !== 0) {
          const failure = refused('listing transactions', answer.errorCode)
          throw isRetriable(answer.errorCode) ? unavailable('listing transactions', failure) : failure
        }
        for (const { transactionalId } of answer.transactionStates) open.add(transactionalId)
      }
    })
    const gone = [...open].filter(isGone)
    for (const id of gone) await TransactionManager.open(this.#cluster, id, 60_000, Date.now() + deadlineAfterMs)
    return gone
  }

  /** A new topic is in one broker's metadata before it is in another's, and before its leaders answer. */
  async #untilWritable(topics: readonly string[]): Promise<void> {
    const described = await this.#retrying('waiting for new topics', async () => {
      await this.#cluster.refresh(topics)
      return topics.map((topic) => {
        const known = this.#cluster.topic(topic)
        if (known === undefined) throw unavailable(`topic ${topic}`, new Error('it is not in the metadata yet'))
        return { topic, count: known.partitionCount }
      })
    })
    const partitions = described.flatMap(({ topic, count }) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    )
    await this.listOffsets(partitions, 'latest')
  }

  async #perLeader<P extends TopicPartition>(
    partitions: readonly P[],
    send: (connection: Connection, topics: { name: string; list: P[] }[]) => Promise<void>,
  ): Promise<void> {
    if (partitions.length === 0) return
    const missing = partitions.filter(({ topic, partition }) => this.#cluster.leader(topic, partition) === null)
    if (missing.length > 0) await this.#cluster.refresh([...new Set(missing.map(({ topic }) => topic))])
    const byLeader = new Map<number, P[]>()
    for (const asked of partitions) {
      const leader = this.#cluster.leader(asked.topic, asked.partition)
      if (leader === null) {
        this.#checkSeen(asked.topic)
        throw unavailable(`${asked.topic} partition ${asked.partition}`, new Error('it has no leader'))
      }
      const list = byLeader.get(leader.id)
      if (list) list.push(asked)
      else byLeader.set(leader.id, [asked])
    }
    for (const list of byLeader.values()) {
      const { topic, partition } = list[0]!
      const { node } = this.#cluster.leader(topic, partition)!
      try {
        await send(await this.#cluster.connect('admin', node), groupByTopic(list))
      } catch (error) {
        for (const asked of list) this.#cluster.forgetLeader(asked.topic, asked.partition)
        throw error
      }
    }
  }

  /** A topic that may not be seen is not one that does not exist; one whose name is none does not. */
  #checkSeen(topic: string): void {
    const refusal = this.#cluster.refusal(topic)
    if (refusal !== null && !refusal.message.includes(codeText(errorCode.invalidTopic))) throw refusal
  }

  #check(what: string, topic: string, partition: number, code: number): void {
    if (code === 0) return
    if (isStaleLeader(code)) this.#cluster.forgetLeader(topic, partition)
    throw isRetriable(code) ? unavailable(what, refused(what, code)) : refused(what, code)
  }

  #retrying<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return this.#cluster.retrying(what, Date.now() + deadlineAfterMs, attempt)
  }
}

/** Commits offsets outside a transaction. */
export async function commitGroupOffsets(
  cluster: Cluster,
  { groupId, generationId, memberId, instanceId }: GroupMetadata,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  const deadlineMs = Date.now() + deadlineAfterMs
  const what = `committing offsets of ${groupId}`
  await cluster.askCoordinator('group', groupId, what, deadlineMs, async (connection) => {
    const answer = await call(
      connection,
      requests.offsetCommit,
      groupId,
      generationId,
      memberId,
      instanceId,
      offsetTopics(offsets),
    )
    for (const { partitions } of answer.topics) {
      for (const { errorCode: code } of partitions) checkOffsets(what, code)
    }
  })
}

function checkOffsets(what: string, code: number): void {
  if (code === 0) return
  if (isRetriable(code) || code === errorCode.unstableOffsetCommit) throw unavailable(what, refused(what, code))
  throw refused(what, code)
}

function groupByTopic<P extends TopicPartition>(partitions: readonly P[]): { name: string; list: P[] }[] {
  const byTopic = new Map<string, P[]>()
  for (const asked of partitions) {
    const list = byTopic.get(asked.topic)
    if (list) list.push(asked)
    else byTopic.set(asked.topic, [asked])
  }
  return [...byTopic].map(([name, list]) => ({ name, list }))
}

async function ask<T>(what: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw error instanceof StreamsError ? error : unavailable(what, error)
  }
}
