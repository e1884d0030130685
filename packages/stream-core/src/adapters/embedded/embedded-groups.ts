import { randomUUID } from 'node:crypto'
import type { GroupMemberDescription } from '../../broker/broker.ts'
import type { GroupMetadata, GroupPeer, Subscription } from '../../broker/group.ts'
import {
  type GroupCoordinator,
  groupCode,
  type JoinAnswer,
  type JoinRequest,
  type MemberRequest,
  type SyncRequest,
} from '../../broker/group-coordinator.ts'
import type { Clock } from '../../common/clock.ts'
import { BrokerError, MemberLostError } from '../../common/errors.ts'

interface Member {
  readonly id: string
  readonly instanceId: string | null
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  subscription: Subscription
  session: AbortController
  /** Answers a join that waits for the others. */
  joining: ((answer: JoinAnswer) => void) | null
  syncing: ((answer: { errorCode: number; assignment: Buffer }) => void) | null
  assignment: Buffer
}

/** `preparing`: members are asked to join. `completing`: the leader assigns. */
type GroupState = 'empty' | 'preparing' | 'completing' | 'stable'

interface Group {
  state: GroupState
  generationId: number
  protocolName: string
  leaderId: string
  readonly members: Map<string, Member>
  /** Ends the wait for members that do not join. */
  waiting: AbortController | null
}

const refusal = (errorCode: number, memberId = ''): JoinAnswer => ({
  errorCode,
  memberId,
  generationId: -1,
  leaderId: '',
  skipsAssignment: false,
  peers: [],
})

/**
 * The groups of an embedded log: what a broker's group coordinator does for the classic protocol, in memory, for members
 * live in this process and end with it. One difference: the first member of a group need not wait for others.
 */
export class EmbeddedGroups {
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  coordinator(): GroupCoordinator {
    return {
      join: (request) => this.#join(request),
      sync: (request) => this.#sync(request),
      heartbeat: async (request) => this.#heartbeat(request),
      leave: async (request) => this.#leave(request),
      close: async () => undefined,
    }
  }

  /** Groups that have members. */
  get ids(): readonly string[] {
    return [...this.#groups].flatMap(([id, { members }]) => (members.size > 0 ? [id] : []))
  }

  members(groupId: string): GroupMemberDescription[] {
    const members = [...(this.#groups.get(groupId)?.members.values() ?? [])]
    return members.map(({ id, instanceId }) => ({ memberId: id, instanceId, clientId: '', host: '' }))
  }

  /** Whether offsets may be committed in the name of a member; throws `MemberLostError` if not. */
  checkMember({ groupId, memberId, generationId }: GroupMetadata): void {
    const group = this.#groups.get(groupId)
    const isEmpty = group === undefined || group.state === 'empty'
    if (generationId < 0 && isEmpty) return
    if (group?.members.has(memberId) && group.generationId === generationId) return
    throw new MemberLostError(`committing offsets of the group "${groupId}": it has gone on without this member`)
  }

  close(): void {
    this.#isClosed = true
    for (const group of this.#groups.values()) {
      group.waiting?.abort()
      for (const member of group.members.values()) {
        member.session.abort()
        member.joining?.(refusal(groupCode.unknownMemberId))
        member.syncing?.({ errorCode: groupCode.unknownMemberId, assignment: Buffer.alloc(0) })
      }
    }
    this.#groups.clear()
  }

  #join(request: JoinRequest): Promise<JoinAnswer> {
    if (this.#isClosed) {
      return Promise.reject(new BrokerError('BROKER_UNAVAILABLE', 'the log is closed', { retryable: false }))
    }
    const { groupId, memberId, instanceId, protocolName, subscription } = request
    let group = this.#groups.get(groupId)
    if (group === undefined) {
      group = { state: 'empty', generationId: 0, protocolName, leaderId: '', members: new Map(), waiting: null }
      this.#groups.set(groupId, group)
    }
    if (group.members.size > 0 && group.protocolName !== protocolName) {
      return Promise.resolve(refusal(groupCode.inconsistentProtocol))
    }
    group.protocolName = protocolName
    const standing = instanceId === null ? undefined : byInstance(group, instanceId)
    if (memberId !== '' && !group.members.has(memberId)) {
      const isReplaced = standing !== undefined
      return Promise.resolve(refusal(isReplaced ? groupCode.fencedInstanceId : groupCode.unknownMemberId))
    }
    if (memberId === '' && standing !== undefined) return this.#replace(group, standing, request)
    const member = group.members.get(memberId) ?? this.#add(group, request)
    member.subscription = subscription
    this.#beat(group, member)
    const joined = new Promise<JoinAnswer>((resolve) => (member.joining = resolve))
    if (group.state !== 'preparing') this.#prepare(group)
    this.#completeIfAllJoined(group)
    return joined
  }

  /** A static member that comes back takes its place, and in a group at rest nobody else is disturbed (KIP-345). */
  #replace(group: Group, old: Member, request: JoinRequest): Promise<JoinAnswer> {
    old.session.abort()
    old.joining?.(refusal(groupCode.fencedInstanceId))
    old.syncing?.({ errorCode: groupCode.fencedInstanceId, assignment: Buffer.alloc(0) })
    group.members.delete(old.id)
    const member = this.#add(group, request)
    member.assignment = old.assignment
    const isLeader = group.leaderId === old.id
    if (isLeader) group.leaderId = member.id
    if (group.state === 'stable') {
      const { generationId, leaderId } = group
      const peers = isLeader ? peersOf(group) : []
      return Promise.resolve({
        errorCode: 0,
        generationId,
        memberId: member.id,
        leaderId,
        skipsAssignment: isLeader,
        peers,
      })
    }
    const joined = new Promise<JoinAnswer>((resolve) => (member.joining = resolve))
    if (group.state !== 'preparing') this.#prepare(group)
    this.#completeIfAllJoined(group)
    return joined
  }

  #add(group: Group, request: JoinRequest): Member {
    const { instanceId, sessionTimeoutMs, rebalanceTimeoutMs, subscription } = request
    const member: Member = {
      id: `${instanceId ?? 'member'}-${randomUUID()}`,
      instanceId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      subscription,
      session: new AbortController(),
      joining: null,
      syncing: null,
      assignment: Buffer.alloc(0),
    }
    group.members.set(member.id, member)
    this.#beat(group, member)
    return member
  }

  #prepare(group: Group): void {
    group.state = 'preparing'
    for (const member of group.members.values()) {
      member.syncing?.({ errorCode: groupCode.rebalanceInProgress, assignment: Buffer.alloc(0) })
      member.syncing = null
    }
    const waiting = (group.waiting = new AbortController())
    const longestMs = Math.max(...[...group.members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
    void this.#clock.sleep(longestMs, waiting.signal).then(() => {
      if (waiting.signal.aborted) return
      for (const member of group.members.values()) if (member.joining === null) this.#remove(group, member)
      this.#completeIfAllJoined(group)
    })
  }

  #completeIfAllJoined(group: Group): void {
    if (group.state !== 'preparing') return
    const members = [...group.members.values()]
    if (members.length === 0) {
      group.waiting?.abort()
      group.state = 'empty'
      return
    }
    if (members.some((member) => member.joining === null)) return
    group.waiting?.abort()
    group.generationId++
    group.state = 'completing'
    if (!group.members.has(group.leaderId)) group.leaderId = members[0]!.id
    const { generationId, leaderId } = group
    for (const member of members) {
      const peers = member.id === leaderId ? peersOf(group) : []
      const answer = { errorCode: 0, generationId, memberId: member.id, leaderId, skipsAssignment: false, peers }
      this.#beat(group, member)
      member.joining!(answer)
      member.joining = null
    }
  }

  async #sync(request: SyncRequest): Promise<{ errorCode: number; assignment: Buffer }> {
    const none = Buffer.alloc(0)
    const group = this.#groups.get(request.groupId)
    const errorCode = refusalOf(group, request)
    if (errorCode !== 0 || group === undefined) return { errorCode, assignment: none }
    if (group.state === 'preparing') return { errorCode: groupCode.rebalanceInProgress, assignment: none }
    const member = group.members.get(request.memberId)!
    this.#beat(group, member)
    if (group.state === 'stable') return { errorCode: 0, assignment: member.assignment }
    if (request.memberId !== group.leaderId) return new Promise((resolve) => (member.syncing = resolve))
    group.state = 'stable'
    for (const each of group.members.values()) {
      each.assignment = request.assignments.get(each.id) ?? none
      each.syncing?.({ errorCode: 0, assignment: each.assignment })
      each.syncing = null
    }
    return { errorCode: 0, assignment: member.assignment }
  }

  #heartbeat(request: MemberRequest): number {
    const group = this.#groups.get(request.groupId)
    const errorCode = refusalOf(group, request)
    if (errorCode !== 0) return errorCode
    this.#beat(group!, group!.members.get(request.memberId)!)
    return group!.state === 'preparing' ? groupCode.rebalanceInProgress : 0
  }

  #leave({ groupId, memberId, instanceId }: MemberRequest): number {
    const group = this.#groups.get(groupId)
    const member =
      memberId === '' && instanceId !== null && group !== undefined
        ? byInstance(group, instanceId)
        : group?.members.get(memberId)
    if (group === undefined || member === undefined) return groupCode.unknownMemberId
    this.#remove(group, member)
    return 0
  }

  #remove(group: Group, member: Member): void {
    member.session.abort()
    group.members.delete(member.id)
    member.joining?.(refusal(groupCode.unknownMemberId))
    member.syncing?.({ errorCode: groupCode.unknownMemberId, assignment: Buffer.alloc(0) })
    if (group.members.size > 0 && (group.state === 'stable' || group.state === 'completing')) this.#prepare(group)
    if (group.members.size === 0) group.state = 'preparing'
    this.#completeIfAllJoined(group)
  }

  /** The member is alive: its session begins anew. */
  #beat(group: Group, member: Member): void {
    member.session.abort()
    const session = (member.session = new AbortController())
    void this.#clock.sleep(member.sessionTimeoutMs, session.signal).then(() => {
      // Whoever waits for the others is alive.
      if (!session.signal.aborted && member.joining === null) this.#remove(group, member)
    })
  }
}

const byInstance = (group: Group, instanceId: string): Member | undefined =>
  [...group.members.values()].find((member) => member.instanceId === instanceId)

const peersOf = (group: Group): GroupPeer[] =>
  [...group.members.values()].map(({ id, instanceId, subscription }) => ({ ...subscription, memberId: id, instanceId }))

function refusalOf(group: Group | undefined, { memberId, instanceId, generationId }: MemberRequest): number {
  if (group === undefined) return groupCode.unknownMemberId
  if (!group.members.has(memberId)) {
    const isReplaced = instanceId !== null && byInstance(group, instanceId) !== undefined
    return isReplaced ? groupCode.fencedInstanceId : groupCode.unknownMemberId
  }
  return group.generationId === generationId ? 0 : groupCode.illegalGeneration
}
