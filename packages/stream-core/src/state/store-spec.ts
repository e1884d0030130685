import type { Serde } from '../common/serde.ts'
import type { CustomRows } from './custom-store.ts'

interface StoreSpecBase {
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Kafka Streams' record cache: updates of one key between two commits are forwarded once. */
  readonly caching: boolean
  /** `null`: no changelog topic; the state is lost with the disk. Else its topic settings. */
  readonly logging: { readonly [config: string]: string } | null
  /** Kept in memory only, and restored from the changelog at every start. */
  readonly inMemory: boolean
}

/** A key-value store; `timestamped` ones keep each value's event time, as every store of the DSL does. */
export interface KeyValueStoreSpec extends StoreSpecBase {
  readonly kind: 'keyValue'
  readonly timestamped: boolean
  /** Keeps this many keys, the ones used last; null keeps all. */
  readonly maxEntries: number | null
}

/** A store of values by key and window start, which forgets what is older than its retention. */
export interface WindowStoreSpec extends StoreSpecBase {
  readonly kind: 'window'
  readonly timestamped: boolean
  readonly windowSizeMs: number
  readonly retentionMs: number
  /** Keeps every value put under one key and start, instead of the last. */
  readonly retainDuplicates: boolean
  /** Of a stream-stream join: its changelog records carry the headers of the joined ones. */
  readonly logsHeaders: boolean
  /** For results that are emitted when a window closes: scans go by time, and see one millisecond more. */
  readonly emitFinal: boolean
}

/** A store of values by key and session, which forgets what ended longer ago than its retention. */
export interface SessionStoreSpec extends StoreSpecBase {
  readonly kind: 'session'
  readonly retentionMs: number
  readonly emitFinal: boolean
}

/** A store that answers as of a time: every value a key had within the retention (KIP-889). */
export interface VersionedStoreSpec extends StoreSpecBase {
  readonly kind: 'versioned'
  readonly historyRetentionMs: number
  readonly segmentIntervalMs: number
}

/** A buffer of records that wait: for a window to close or a time to pass (suppress), or for a table to catch up (grace). */
export interface BufferStoreSpec extends StoreSpecBase {
  readonly kind: 'suppressBuffer' | 'graceBuffer'
  /** Of a grace buffer. */
  readonly graceMs: number
}

/** What waits for a match in a left or outer stream-stream join. */
export interface OuterJoinStoreSpec extends StoreSpecBase {
  readonly kind: 'outerJoin'
  readonly otherValue: Serde<unknown>
}

/** Who subscribed to which foreign key. Keys and values are bytes that the join makes. */
export interface SubscriptionStoreSpec extends StoreSpecBase {
  readonly kind: 'subscription'
}

/** A store of the user's own making, on rows of bytes. */
export interface CustomStoreSpec extends StoreSpecBase {
  readonly kind: 'custom'
  /** Makes the store's face on its rows: when a task opens it, and again after rows were rolled back or restored. */
  readonly open: (rows: CustomRows) => unknown
}

/** What a store is, as data: the topology holds specs, a task opens them. */
export type StoreSpec =
  | KeyValueStoreSpec
  | WindowStoreSpec
  | SessionStoreSpec
  | VersionedStoreSpec
  | BufferStoreSpec
  | OuterJoinStoreSpec
  | SubscriptionStoreSpec
  | CustomStoreSpec

/** Width of the slices in which a window store forgets: as in Kafka Streams' segments. */
export const segmentIntervalMs = (retentionMs: number): number =>
  // A store that keeps everything has one slice.
  Number.isFinite(retentionMs) ? Math.max(Math.trunc(retentionMs / 2), 60_000) : Number.MAX_SAFE_INTEGER
