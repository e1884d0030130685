import type { Duration } from '../common/duration.ts'
import type { Serde } from '../common/serde.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { OffsetReset, StreamPartitioner, TimestampExtractor } from '../topology/node.ts'

export interface Named {
  /** Name of the node in the topology; generated if left out. */
  readonly name?: string
}

/** How a topic is read. */
export interface Consumed<K, V> extends Named {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  /** Default: that of the builder, or the time in the record, which must not be negative. */
  readonly timestampExtractor?: TimestampExtractor<NoInfer<K>, NoInfer<V>>
  /** Where the topic is read from when the application has no committed position in it. Default `earliest`. */
  readonly offsetReset?: OffsetReset
}

/** How a topic is written. */
export interface Produced<K, V> extends Named {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly partitioner?: StreamPartitioner<K, V>
}

/** How a stream is grouped; the serdes are those of the repartition topic, if one is needed, which has this name. */
export interface Grouped<K, V> extends Named {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

/** A repartition topic that is always made. */
export interface Repartitioned<K, V> extends Grouped<K, V> {
  /** Default: as many as the topics that feed it. */
  readonly partitions?: number
  readonly partitioner?: StreamPartitioner<K, V>
}

/** How a stream meets a table. */
export interface Joined<K, V> extends Named {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  /** The stream's records wait this long, in event time, for the table, which must be versioned (KIP-923). */
  readonly grace?: Duration
}

/** Where one side of a stream-stream join is kept, if not where the join itself decides. */
export interface JoinStore {
  readonly name: string
  /** Must be the join's window size plus grace, and its window size: a check, not a choice. */
  readonly retentionMs: number
  readonly windowSizeMs: number
  readonly retainDuplicates?: boolean
  readonly type?: 'persistent' | 'in-memory'
}

/** How two streams meet. */
export interface StreamJoined<K, V, V2> extends Named {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly otherValue?: Serde<V2>
  /** Beginning of the stores' names. */
  readonly storeName?: string
  readonly type?: 'persistent' | 'in-memory'
  /** false: no changelogs. An object: settings of the changelog topics. Default true. Not for stores that are given. */
  readonly logging?: boolean | { readonly [config: string]: string }
  readonly thisStore?: JoinStore
  readonly otherStore?: JoinStore
}

/** How two tables meet by a foreign key. A key of a table is in one partition. */
export interface TableJoined<K, FK> extends Named {
  /** Has to agree with how the left table's topic is partitioned. */
  readonly partitioner?: (key: K, value: null, partitionCount: number) => number | null
  /** Has to agree with how the right table's topic is partitioned. */
  readonly otherPartitioner?: (key: FK, value: null, partitionCount: number) => number | null
}

/** Kafka Streams' Materialized: what the store behind a table is called and how it is kept. */
export interface StoreOptions<K, V> {
  readonly name?: string
  readonly key?: Serde<NoInfer<K>>
  readonly value?: Serde<NoInfer<V>>
  /** Hold updates back until the commit and forward the last of each key. Default true. */
  readonly caching?: boolean
  /** false: no changelog. An object: settings of the changelog topic. Default true. */
  readonly logging?: boolean | { readonly [config: string]: string }
  /** Windowed stores: how long a window is kept. Default and least: window size plus grace. */
  readonly retentionMs?: number
  readonly type?: 'persistent' | 'in-memory'
  /** Keeps this many keys, the ones used last, in memory (Kafka Streams' `lruMap`). Not for windows and versioned stores. */
  readonly maxEntries?: number
  /** Keeps every value of this long back, and answers as of a time (KIP-889). Needs a name; not for windows. */
  readonly versioned?: { readonly historyRetentionMs: number; readonly segmentIntervalMs?: number }
}

/** A topic for a global store, and the store. */
export interface GlobalStoreOptions<K, V> {
  readonly store: StoreSpec
  readonly topic: string
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly name?: string
}
