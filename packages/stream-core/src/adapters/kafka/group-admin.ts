import type { CommittedOffset, GroupMemberDescription } from '../../broker/broker.ts'
import { partitionsByTopic } from '../../broker/partitions-by-topic.ts'
import { StreamsError } from '../../common/errors.ts'
import type { TopicPartition } from '../../common/record.ts'
import type { Cluster } from './cluster.ts'
import { errorCode, isRetriable, refused, unavailable } from './kafka-errors.ts'
import { call, type Connection, requests } from './wire.ts'

const deadlineAfterMs = 30_000
/** What a group is said to be that nobody is in. */
const withoutMembers: ReadonlySet<string> = new Set(['Empty', 'Dead', ''])

/** The groups of a cluster: who is in them, and where they have read to. */
export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Each broker knows of the groups that it coordinates: by id, what state they are in. */
  async states(): Promise<ReadonlyMap<string, string>> {
    const what = 'listing groups'
    return this.#cluster.retrying(what, Date.now() + deadlineAfterMs, async () => {
      const states = new Map<string, string>()
      await this.#cluster.refresh([])
      for (const node of this.#cluster.brokers) {
        const connection = await this.#cluster.connect('admin', node)
        const answer = await ask(what, () => call(connection, requests.listGroups, [], []))
        check(what, answer.errorCode)
        for (const { groupId, groupState } of answer.groups) states.set(groupId, groupState)
      }
      return states
    })
  }

  async members(groupId: string): Promise<readonly GroupMemberDescription[]> {
    const what = `members of the group ${groupId}`
    const described = await this.#ofCoordinator(what, groupId, async (connection) => {
      const { groups } = await call(connection, requests.describeGroups, [groupId], false)
      const [group] = groups
      if (group === undefined) throw unavailable(what, new Error('the broker described none'))
      if (group.errorCode !== errorCode.groupIdNotFound) check(what, group.errorCode)
      return group
    })
    const members = described.members.map(({ memberId, groupInstanceId, clientId, clientHost }) => ({
      memberId,
      instanceId: groupInstanceId ?? null,
      clientId,
      host: clientHost,
    }))
    if (members.length > 0 || described.groupState !== 'Dead') return members
    // One of the newer protocols is described by requests of its own, and here it is dead; the list knows better.
    const state = (await this.states()).get(groupId) ?? ''
    if (withoutMembers.has(state)) return []
    return [{ memberId: `members of another protocol (${state})`, instanceId: null, clientId: '', host: '' }]
  }

  async offsets(groupId: string): Promise<readonly CommittedOffset[]> {
    const what = `offsets of ${groupId}`
    return this.#ofCoordinator(what, groupId, async (connection) => {
      // No list of topics: all that there are.
      const group = { groupId, memberId: null, memberEpoch: -1, topics: null as never }
      const answer = await call(connection, requests.offsetFetch, [group], false)
      const found: CommittedOffset[] = []
      for (const { errorCode: code, topics } of answer.groups) {
        if (code === errorCode.groupIdNotFound) continue
        check(what, code)
        for (const { name, partitions } of topics) {
          for (const { partitionIndex, committedOffset, metadata, errorCode: partitionCode } of partitions) {
            check(what, partitionCode)
            const offset = Number(committedOffset)
            if (offset >= 0) found.push({ topic: name, partition: partitionIndex, offset, metadata: metadata ?? '' })
          }
        }
      }
      return found
    })
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    // A broker takes this request from a group that is subscribed to other topics, too.
    if ((await this.members(groupId)).length > 0) {
      throw refused(`deleting positions of the group "${groupId}": it has members`, errorCode.nonEmptyGroup)
    }
    const what = `deleting positions of the group "${groupId}"`
    const topics = partitionsByTopic(partitions).map(({ topic, partitions: list }) => ({
      name: topic,
      partitions: list.map((partitionIndex) => ({ partitionIndex })),
    }))
    await this.#ofCoordinator(what, groupId, async (connection) => {
      const answer = await call(connection, requests.offsetDelete, groupId, topics)
      if (answer.errorCode === errorCode.groupIdNotFound) return
      check(what, answer.errorCode)
      for (const { name, partitions: list } of answer.topics) {
        for (const { partitionIndex, errorCode: code } of list) {
          // A topic that is gone took its positions with it.
          if (code !== errorCode.unknownTopicOrPartition) check(`${what} in ${name}-${partitionIndex}`, code)
        }
      }
    })
  }

  #ofCoordinator<T>(what: string, groupId: string, send: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#cluster.askCoordinator('group', groupId, what, Date.now() + deadlineAfterMs, send)
  }
}

function check(what: string, code: number): void {
  if (code === 0) return
  throw isRetriable(code) ? unavailable(what, refused(what, code)) : refused(what, code)
}

async function ask<T>(what: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw error instanceof StreamsError ? error : unavailable(what, error)
  }
}
