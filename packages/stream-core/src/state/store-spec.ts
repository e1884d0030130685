import type { Serde } from '../common/serde.ts'

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
}

/** A store of values by key and window start, which forgets what is older than its retention. */
export interface WindowStoreSpec extends StoreSpecBase {
  readonly kind: 'window'
  readonly windowSizeMs: number
  readonly retentionMs: number
}

/** What a store is, as data: the topology holds specs, a task opens them. */
export type StoreSpec = KeyValueStoreSpec | WindowStoreSpec

/** Width of the slices in which a window store forgets: as in Kafka Streams' segments. */
export const segmentIntervalMs = (retentionMs: number): number => Math.max(Math.floor(retentionMs / 2), 60_000)
