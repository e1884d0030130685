import type { TopicPartition } from '../common/record.ts'

/** Who commits offsets of a group: what the log checks before it takes them (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  /** −1 for a group without members. */
  readonly generationId: number
  /** '' for a group without members. */
  readonly memberId: string
  readonly instanceId: string | null
}

/** A group that nobody is a member of: whoever has its name may commit. */
export const withoutMembers = (groupId: string): GroupMetadata => ({
  groupId,
  generationId: -1,
  memberId: '',
  instanceId: null,
})

export const groupMetadata = (group: string | GroupMetadata): GroupMetadata =>
  typeof group === 'string' ? withoutMembers(group) : group

/** What a member tells the one that assigns. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Buffer
  readonly ownedPartitions: readonly TopicPartition[]
  /** In which the member came to own them; −1 before the first. */
  readonly generationId: number
}

export interface GroupPeer extends Subscription {
  readonly memberId: string
  readonly instanceId: string | null
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  /** Never empty: a group with user data cannot be converted by a stranger (KIP-848 migration). */
  readonly userData: Buffer
}

export interface GroupMemberOptions {
  readonly groupId: string
  /** Name of the way partitions are assigned; all members of a group have to know it. */
  readonly protocolName: string
  /** Static membership (KIP-345): a member that comes back under its name takes its place at once. */
  readonly instanceId?: string
  /** After this time without a heartbeat the member is taken for dead. */
  readonly sessionTimeoutMs: number
  /** How long the group waits for a member to join again. */
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Asked for at each join. */
  readonly subscription: () => Omit<Subscription, 'generationId'>
  /** Asked of the member that leads: who gets what. Every peer is in the result. */
  readonly assign: (peers: readonly GroupPeer[]) => Promise<ReadonlyMap<string, Assignment>>
  /** Something is to be looked at: `isRejoinDue`, `isLost` or `failure`. */
  readonly onChange: () => void
  /** What somebody should know, and need not do anything about. */
  readonly onWarning: (text: string) => void
}

/**
 * One member of a consumer group (D8, D14). Partitions never go away by themselves: whoever owns this object sees that a
 * rejoin is due, finishes what it has to, and joins; until then it may go on with what it has.
 */
export interface GroupMember {
  /** For the log to check; null outside the group. */
  readonly metadata: GroupMetadata | null
  /** The group is about to assign anew, or this member has asked for it: `join` when ready. */
  readonly isRejoinDue: boolean
  /** The group has gone on without this member: what it owned belongs to others, and nothing of it can be committed. */
  readonly isLost: boolean
  /** What cannot be mended by joining again: another process has the same instance id, or may not join. */
  readonly failure: Error | null
  /**
   * Joins, or joins again, and resolves with what this member got. Rejects with `MemberLostError` if the group had gone on
   * without it: give everything up, call `giveUp`, and then again. So a loss that comes between two looks is not overlooked,
   * and what the lost membership stood for is not committed in the name of the next one.
   */
  join(): Promise<Assignment & { readonly generationId: number }>
  /** What the lost membership stood for is given up: `isLost` is over. */
  giveUp(): void
  /** Makes the group assign anew, at the next `join`. */
  requestRejoin(): void
  /** Leaves, so that others get its partitions at once. Never rejects. */
  leave(): Promise<void>
  /** Stops without leaving. */
  close(): Promise<void>
}
