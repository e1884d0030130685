import type { Serde } from '../common/serde.ts'
import type { TimestampExtractor } from '../topology/node.ts'

/** How a topic is read. */
export interface Consumed<K, V> {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly timestampExtractor?: TimestampExtractor
  readonly name?: string
}

/** How a topic is written. */
export interface Produced<K, V> {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly partitioner?: (key: K, value: V, partitionCount: number) => number
  readonly name?: string
}

/** How a stream is grouped; the serdes are those of the repartition topic, if one is needed. */
export interface Grouped<K, V> {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  readonly name?: string
}

export interface Named {
  readonly name?: string
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
}
