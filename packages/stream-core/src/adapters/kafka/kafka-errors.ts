import { BrokerError, FencedError, MemberLostError, StreamsError } from '../../common/errors.ts'

/** Error codes of the protocol that this adapter knows by name (clients: Errors.java). */
export const errorCode = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  brokerNotAvailable: 8,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  invalidTimestamp: 32,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  topicAlreadyExists: 36,
  invalidPartitions: 37,
  invalidReplicationFactor: 38,
  invalidConfig: 40,
  notController: 41,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  transactionalIdAuthorizationFailed: 53,
  kafkaStorageError: 56,
  saslAuthenticationFailed: 58,
  unknownProducerId: 59,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  fencedInstanceId: 82,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  throttlingQuotaExceeded: 89,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
  transactionAbortable: 120,
} as const

/** The partition's leader has to be looked up again. */
const staleLeader: ReadonlySet<number> = new Set([
  errorCode.unknownTopicOrPartition,
  errorCode.leaderNotAvailable,
  errorCode.notLeaderOrFollower,
  errorCode.replicaNotAvailable,
  errorCode.kafkaStorageError,
  errorCode.fencedLeaderEpoch,
  errorCode.unknownLeaderEpoch,
  errorCode.unknownTopicId,
  errorCode.inconsistentTopicId,
])

const staleCoordinator: ReadonlySet<number> = new Set([
  errorCode.coordinatorLoadInProgress,
  errorCode.coordinatorNotAvailable,
  errorCode.notCoordinator,
])

const retriable: ReadonlySet<number> = new Set([
  ...staleLeader,
  ...staleCoordinator,
  errorCode.requestTimedOut,
  errorCode.networkException,
  errorCode.brokerNotAvailable,
  errorCode.notEnoughReplicas,
  errorCode.notEnoughReplicasAfterAppend,
  errorCode.notController,
  errorCode.concurrentTransactions,
  errorCode.offsetNotAvailable,
  errorCode.throttlingQuotaExceeded,
])

/** The leader appended the records and could not see them through, or cannot say. */
const undecidedWrite: ReadonlySet<number> = new Set([
  errorCode.requestTimedOut,
  errorCode.networkException,
  errorCode.notEnoughReplicasAfterAppend,
])

/** Said of the records of a batch, of which the leader has then appended none. */
const refusesRecords: ReadonlySet<number> = new Set([
  errorCode.messageTooLarge,
  errorCode.invalidTimestamp,
  errorCode.invalidRecord,
  errorCode.policyViolation,
])

/** Said of everything that is written to a topic. */
const refusesTopic: ReadonlySet<number> = new Set([errorCode.topicAuthorizationFailed, errorCode.invalidTopic])

export const isStaleLeader = (code: number): boolean => staleLeader.has(code)
export const isStaleCoordinator = (code: number): boolean => staleCoordinator.has(code)
export const isRetriable = (code: number): boolean => retriable.has(code)
export const isRefusalOfRecords = (code: number): boolean => refusesRecords.has(code)
export const isRefusalOfTopic = (code: number): boolean => refusesTopic.has(code)
export const isUndecidedWrite = (code: number): boolean => undecidedWrite.has(code)

const names = new Map<number, string>(Object.entries(errorCode).map(([name, code]) => [code, name]))

/** A code in words: `notLeaderOrFollower (6)`. */
export const codeText = (code: number): string => `${names.get(code) ?? 'error'} (${code})`

/** The group has gone on without the member that commits, or is about to assign anew. */
const lostMember: ReadonlySet<number> = new Set([
  errorCode.illegalGeneration,
  errorCode.unknownMemberId,
  errorCode.rebalanceInProgress,
  errorCode.fencedInstanceId,
])

/** The error of a request that a broker refused, with its code. */
export function refused(what: string, code: number): BrokerError {
  if (lostMember.has(code)) return new MemberLostError(`${what}: the broker answered ${codeText(code)}`)
  if (code === errorCode.producerFenced) return new FencedError(`${what}: another producer took over`)
  return new BrokerError('BROKER_REFUSED', `${what}: the broker answered ${codeText(code)}`, {
    retryable: isRetriable(code),
  })
}

export const unavailable = (what: string, cause: unknown, written: 'no' | 'unknown' = 'no'): BrokerError =>
  new BrokerError('BROKER_UNAVAILABLE', `${what}: ${reasonOf(cause)}`, { retryable: true, written, cause })

/** What trying again does not mend. */
export const isFinal = (error: unknown): error is StreamsError =>
  error instanceof StreamsError && !(error instanceof BrokerError && error.retryable)

/** The innermost message says most: the library wraps a refused connection several times. */
function reasonOf(cause: unknown): string {
  let error = cause as { message?: string; cause?: unknown; errors?: unknown[] } | null
  let text = ''
  for (let depth = 0; error && depth < 5; depth++) {
    if (error.message) text = error.message
    error = (error.errors?.[0] ?? error.cause ?? null) as typeof error
  }
  return text || String(cause)
}
