import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { BrokerError } from '../common/errors.ts'
import type { Headers, TopicPartition } from '../common/record.ts'
import type { GroupMember, GroupMemberOptions, GroupMetadata } from './group.ts'

/**
 * The port to a log (D2, D8): topics cut into partitions, appended to and read by offset. Two adapters, `embedded` and
 * `kafka`, pass one contract suite (test/contracts/broker.contract.ts). Offsets, timestamps and epochs are numbers.
 * Every rejection is a `BrokerError` or a `StreamsError` of common/errors.ts, never a client's own.
 */
export interface Broker {
  readonly admin: Admin
  openReader(options?: LogReaderOptions): LogReader
  /**
   * Opens a producer. With a `transactionalId` this also ends whatever an earlier holder of the id left open and fences
   * it: its next call rejects with `FencedError`.
   */
  openProducer(options?: LogProducerOptions): Promise<LogProducer>
  /** Nothing is sent before its `join`. */
  openGroupMember(options: GroupMemberOptions): GroupMember
  /** Closes what was opened through it. Never rejects for a broker that is gone. */
  close(): Promise<void>
}

export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
  /** Kafka's topic settings, for example `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: { readonly [name: string]: string }
}

export interface TopicDescription {
  readonly topic: string
  /** Changes when a topic is deleted and created again under its name. */
  readonly topicId: string
  readonly partitionCount: number
}

/** `{ timestampMs }`: the first record of that time or later; the end where there is none. */
export type OffsetSpec = 'earliest' | 'latest' | 'latest-stable' | { readonly timestampMs: number }

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read; −1 when the group has none. */
  readonly offset: number
  /** Free text kept beside the offset, or ''. */
  readonly metadata: string
  /** Of the record before the offset: with it a log that was cut there and has grown again is found out (KIP-320). */
  readonly leaderEpoch?: number
}

/** Where reading begins. */
export interface ReadFrom extends TopicPartition {
  readonly offset: number
  /** As in `CommittedOffset`; left out where it is not known. */
  readonly leaderEpoch?: number | undefined
}

/** A member of a group, as the log sees it. */
export interface GroupMemberDescription {
  readonly memberId: string
  /** Of a static member. */
  readonly instanceId: string | null
  /** What it calls itself, and where it is; '' where the log does not say. */
  readonly clientId: string
  readonly host: string
}

export interface Admin {
  clusterId(): Promise<string>
  /** The names of all topics that may be read; not those that the log keeps for itself. */
  listTopics(): Promise<readonly string[]>
  /** The topics that exist, by name; a name that is absent does not exist. */
  describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /**
   * Creates what is missing and resolves when every partition can be written; topics that exist are left as they are. Rejects with a
   * ConfigError if one of them has another number of partitions than is asked for: then nothing is created.
   */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  /**
   * Offsets per partition, in the order asked. `latest` is the high watermark, also of uncommitted records;
   * `latest-stable` the end of what a read_committed reader can see.
   */
  listOffsets(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<readonly number[]>
  /** With `requireStable` it waits while an open transaction may still move one of the offsets. */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: { readonly requireStable: boolean },
  ): Promise<readonly CommittedOffset[]>
  /** The ids of all groups that there are, with members or with positions only. */
  listGroups(): Promise<readonly string[]>
  /** Who is in a group now; [] for one without members, and for one that does not exist. */
  groupMembers(groupId: string): Promise<readonly GroupMemberDescription[]>
  /** Every position that a group has. Offsets that an open transaction is to commit are not among them. */
  groupOffsets(groupId: string): Promise<readonly CommittedOffset[]>
  /**
   * Forgets positions of a group; those that it does not have are passed over. Rejects with `BROKER_REFUSED` while the group
   * has members.
   */
  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
  /**
   * Ends what producers left open whose transactional ids `isGone` says yes to, and fences them: readers would have to
   * wait for the transactions' timeouts. Those that have nothing open are left alone.
   */
  abortTransactions(isGone: (transactionalId: string) => boolean): Promise<readonly string[]>
  /** Deletes records below an offset. */
  deleteRecords(before: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>
}

export interface LogReaderOptions {
  /** Default `read_committed`: records of aborted and of open transactions are not seen. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** The most bytes one poll brings per partition. Default 1 MiB. */
  readonly partitionMaxBytes?: number
  /** The most bytes one request brings in all. Default 8 MiB. */
  readonly maxBytes?: number
}

/** One partition's share of a poll. `records` reads lazily; it must be used up, or `seek` called, before it is dropped. */
export interface FetchedPartition extends TopicPartition {
  readonly records: RecordBatchReader
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

/** Reads partitions from given offsets, without a group (D8). */
export interface LogReader {
  /** Replaces the assignment; each partition is read from `offset`. */
  assign(positions: readonly ReadFrom[]): void
  /** Adds partitions to the assignment; the others go on where they are. */
  add(positions: readonly ReadFrom[]): void
  /** Takes partitions out of the assignment; what was fetched of them is dropped. */
  remove(partitions: readonly TopicPartition[]): void
  /** How many offsets of a partition it has still to bring, by the log's last answer; −1 before the first. Without I/O. */
  remaining(partition: TopicPartition): number
  seek(partition: TopicPartition, offset: number): void
  /** A paused partition is left out of the next request and keeps its position. */
  pause(partition: TopicPartition): void
  resume(partition: TopicPartition): void
  /**
   * What has arrived since the last call, or waits up to `maxWaitMs` for it; [] when nothing came. Rejects with
   * `OFFSET_OUT_OF_RANGE` (BrokerError) when a position is outside the log. A broker that is away is waited for,
   * within `maxWaitMs`, and retried by the next call.
   */
  poll(maxWaitMs: number): Promise<readonly FetchedPartition[]>
  /** Makes a waiting `poll` return at once. */
  wakeup(): void
  close(): Promise<void>
}

export interface LogProducerOptions {
  readonly transactionalId?: string
  /** After this time without a commit the broker aborts a transaction. Default 60 s. */
  readonly transactionTimeoutMs?: number
  /** How long `flush` tries before it rejects. Default 120 s. */
  readonly deliveryTimeoutMs?: number
  readonly compression?: 'none' | 'lz4' | 'zstd'
}

/** Told once about one record. `nextOffset` is the offset after it, or −1 when the broker did not say. Must not throw. */
export type OnDelivered = (error: Error | null, nextOffset: number) => void

/**
 * Asked about one record that the log will not have, and of which certainly nothing was written: too large for its topic, for
 * example. True: it is left out, and what else is flushed goes on, in the same transaction. False: the flush fails, as
 * without it; what it throws is what the flush fails with. What it appends meanwhile goes out with the same flush.
 */
export type OnRefused = (error: BrokerError) => boolean

/**
 * Appends to partitions, each in order and without duplicates (idempotent). With a transactional id, everything
 * appended since the last commit or abort is one transaction, begun by the first append.
 */
export interface LogProducer {
  /**
   * Puts a record into the partition's open batch; nothing is sent before `flush`. Key and value are copied at once. A
   * record appended while an earlier flush is still waiting to be sent may go out with it.
   * `key` and `value` are bytes, or a latin1 string of them (D11), or null.
   */
  append(
    topic: string,
    partition: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers?: Headers,
    onDelivered?: OnDelivered,
    onRefused?: OnRefused,
  ): void
  /**
   * Sends what was appended and resolves when all of it is acknowledged by every in-sync replica. On a rejection the
   * records of this flush have been given up, each `onDelivered` was called, and, in a transaction, only `abort` is left.
   */
  flush(): Promise<void>
  /** Bytes appended and not yet acknowledged. */
  readonly pendingBytes: number
  /** The offset after the last acknowledged record of a partition, −1 when none was written or the broker did not say. */
  nextOffset(topic: string, partition: number): number
  /**
   * Adds offsets to the open transaction, or begins one; they take effect with its commit. `group` is the id of a group
   * without members, or says which member commits: rejects with `MemberLostError` when the group does not know it (any
   * more); the transaction stays as it is.
   */
  sendOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void>
  /**
   * Flushes, then commits. Nothing appended or sent since the last one: does nothing. Repeats the same request while the
   * answer is lost. Rejects with `TransactionAbortableError` (call `abort`) or `FencedError` (close).
   */
  commit(): Promise<void>
  /** Gives up the open transaction; its records are never seen by read_committed readers. */
  abort(): Promise<void>
  /** Commits offsets outside a transaction (at-least-once). `group` as in `sendOffsets`. */
  commitOffsets(group: string | GroupMetadata, offsets: readonly CommittedOffset[]): Promise<void>
  close(): Promise<void>
}
