import type { GroupPeer, Subscription } from './group.ts'

export interface JoinRequest {
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | null
  readonly protocolName: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly subscription: Subscription
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly memberId: string
  readonly leaderId: string
  /** A static leader that came back: it leads, and assigns nothing (KIP-814). */
  readonly skipsAssignment: boolean
  /** Only the leader is told. */
  readonly peers: readonly GroupPeer[]
}

export interface MemberRequest {
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
}

export interface SyncRequest extends MemberRequest {
  readonly protocolName: string
  /** From the leader; empty from the others. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

/**
 * The four requests of Kafka's classic group protocol, answered by a broker or by the embedded log, with Kafka's error
 * codes. Each is sent again by the one who implements it while the coordinator cannot be reached or is moving.
 */
export interface GroupCoordinator {
  join(request: JoinRequest): Promise<JoinAnswer>
  sync(request: SyncRequest): Promise<{ readonly errorCode: number; readonly assignment: Buffer }>
  heartbeat(request: MemberRequest): Promise<number>
  leave(request: MemberRequest): Promise<number>
  close(): Promise<void>
}

/** Codes of the protocol that a member reacts to (clients: Errors.java). */
export const groupCode = {
  none: 0,
  illegalGeneration: 22,
  inconsistentProtocol: 23,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  memberIdRequired: 79,
  groupMaxSizeReached: 81,
  fencedInstanceId: 82,
} as const
