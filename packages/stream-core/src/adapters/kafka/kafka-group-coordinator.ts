import type { AssignmentCodec } from '../../broker/classic-group-member.ts'
import type {
  GroupCoordinator,
  JoinAnswer,
  JoinRequest,
  MemberRequest,
  SyncRequest,
} from '../../broker/group-coordinator.ts'
import { partitionsByTopic } from '../../broker/partitions-by-topic.ts'
import type { TopicPartition } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import type { Pool } from './connection-pool.ts'
import { isRetriable, refused, unavailable } from './kafka-errors.ts'
import { call, type Connection, groupProtocol, type Node, requests } from './wire.ts'

/** Kafka's own name for what members of a consumer group speak: its tools show such groups. */
const protocolType = 'consumer'
const subscriptionVersion = 3
const assignmentVersion = 1
/** A coordinator that is away is waited for: without it there is nothing to do. */
const deadlineAfterMs = 120_000
const heartbeatDeadlineMs = 5000

/**
 * The group requests, sent to the broker that coordinates the group. A broker answers one request at a time per connection
 * and holds joins back, so that a member has connections of its own: one to join and synchronise, one for the rest.
 */
export class KafkaGroupCoordinator implements GroupCoordinator {
  readonly #cluster: Cluster
  readonly #joins: Pool
  readonly #rest: Pool

  constructor(cluster: Cluster, rebalanceTimeoutMs: number) {
    this.#cluster = cluster
    this.#joins = cluster.openPool('join', rebalanceTimeoutMs + 10_000)
    this.#rest = cluster.openPool('group', 10_000)
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, memberId, instanceId, protocolName, sessionTimeoutMs, rebalanceTimeoutMs, subscription } = request
    const metadata = groupProtocol.encodeSubscription({
      version: subscriptionVersion,
      topics: [...subscription.topics],
      userData: subscription.userData,
      ownedPartitions: partitionsByTopic(subscription.ownedPartitions),
      generationId: subscription.generationId,
    })
    return this.#ask(groupId, 'joining', this.#joins, deadlineAfterMs, async (connection) => {
      const answer = await call(
        connection,
        requests.joinGroup,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        instanceId,
        protocolType,
        [{ name: protocolName, metadata }],
      )
      checkCoordinator('joining', answer.errorCode)
      const { errorCode, generationId, leader: leaderId, skipAssignment, members } = answer
      const peers = members.map(({ memberId: id, groupInstanceId, metadata: bytes }) => {
        const said = groupProtocol.decodeSubscription(bytes)
        return {
          memberId: id,
          instanceId: groupInstanceId ?? null,
          topics: said.topics,
          userData: said.userData,
          ownedPartitions: flat(said.ownedPartitions),
          generationId: said.generationId,
        }
      })
      return { errorCode, generationId, memberId: answer.memberId, leaderId, skipsAssignment: skipAssignment, peers }
    })
  }

  sync({ groupId, memberId, instanceId, generationId, protocolName, assignments }: SyncRequest) {
    const list = [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }))
    return this.#ask(groupId, 'synchronising', this.#joins, deadlineAfterMs, async (connection) => {
      const api = requests.syncGroup
      const answer = await call(
        connection,
        api,
        groupId,
        generationId,
        memberId,
        instanceId,
        protocolType,
        protocolName,
        list,
      )
      checkCoordinator('synchronising', answer.errorCode)
      return { errorCode: answer.errorCode, assignment: answer.assignment }
    })
  }

  heartbeat({ groupId, memberId, instanceId, generationId }: MemberRequest): Promise<number> {
    return this.#ask(groupId, 'a heartbeat', this.#rest, heartbeatDeadlineMs, async (connection) => {
      const answer = await call(connection, requests.heartbeat, groupId, generationId, memberId, instanceId)
      checkCoordinator('a heartbeat', answer.errorCode)
      return answer.errorCode
    })
  }

  leave({ groupId, memberId, instanceId }: MemberRequest): Promise<number> {
    return this.#ask(groupId, 'leaving', this.#rest, heartbeatDeadlineMs, async (connection) => {
      const answer = await call(connection, requests.leaveGroup, groupId, [{ memberId, groupInstanceId: instanceId }])
      checkCoordinator('leaving', answer.errorCode)
      return answer.errorCode
    })
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#joins.close(), this.#rest.close()])
  }

  #ask<T>(
    groupId: string,
    what: string,
    pool: Pool,
    waitMs: number,
    ask: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const connect = (node: Node): Promise<Connection> => pool.get(node)
    const text = `${what} of the group ${groupId}`
    return this.#cluster.askCoordinator('group', groupId, text, Date.now() + waitMs, ask, connect)
  }
}

export const assignmentCodec: AssignmentCodec = {
  encode: ({ partitions, userData }) =>
    groupProtocol.encodeAssignment({
      version: assignmentVersion,
      assignedPartitions: partitionsByTopic(partitions),
      userData,
    }),
  decode(bytes) {
    if (bytes.length === 0) return { partitions: [], userData: Buffer.alloc(0) }
    const { assignedPartitions, userData } = groupProtocol.decodeAssignment(bytes)
    return { partitions: flat(assignedPartitions), userData }
  },
}

const flat = (topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))

/** What only says that the coordinator is somewhere else, or not ready, is for `askCoordinator`; the rest is an answer. */
function checkCoordinator(what: string, code: number): void {
  if (code !== 0 && isRetriable(code)) throw unavailable(what, refused(what, code))
}
