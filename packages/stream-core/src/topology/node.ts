import { type Duration, toMs } from '../common/duration.ts'
import { TopologyError } from '../common/errors.ts'
import type { Headers } from '../common/record.ts'
import type { Serde } from '../common/serde.ts'
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'

/** Decides a record's event time; a negative result drops the record. Default: the time in the record. */
export type TimestampExtractor<K = unknown, V = unknown> = (
  record: { readonly key: K; readonly value: V; readonly timestampMs: number },
  partitionTimeMs: number,
) => number

/** Chooses the topic of each record; its function name stands in `describe()`. The topics must exist. */
export type TopicNameExtractor<K = unknown, V = unknown> = (
  key: K,
  value: V,
  record: { readonly timestampMs: number; readonly headers: Headers },
) => string

/**
 * Chooses the partition of a record; null: Kafka's default, by the hash of the key's bytes. Several: it is written to each of them
 * (KIP-837); none: to none, which is counted as dropped.
 */
export type StreamPartitioner<K = unknown, V = unknown> = (
  key: K,
  value: V,
  partitionCount: number,
) => number | readonly number[] | null

/**
 * Where an input is read from the first time: its beginning, its end, records of the last `ago` (KIP-1106), or nowhere, which
 * stops the application (Kafka Streams' AutoOffsetReset). With `latest` what is written before the first commit may be missed by a start that follows a crash.
 */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly ago: Duration }

/** Throws a TopologyError that names the source. */
export function checkOffsetReset(reset: OffsetReset, name: string): void {
  if (reset === 'earliest' || reset === 'latest' || reset === 'none') return
  try {
    toMs(reset?.ago, 'ago')
  } catch {
    throw new TopologyError(
      `the offsetReset of "${name}" must be 'earliest', 'latest', 'none' or { ago: a duration }; got ${JSON.stringify(reset)}`,
      [name],
    )
  }
}

/** The nodes of a topology are frozen data (D5); only the suppliers inside them are code. */
export interface SourceNode {
  readonly kind: 'source'
  readonly name: string
  /** Empty for a source with a pattern. */
  readonly topics: readonly string[]
  /** Every topic whose whole name matches. */
  readonly pattern: RegExp | null
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly timestampExtractor: TimestampExtractor | null
  /** Where reading begins when the application has no committed position. */
  readonly offsetReset: OffsetReset
  /** Feeds a global store: each instance reads all partitions, and no task does. */
  readonly isGlobal: boolean
}

/** A store of a processor: by name one that was added, as a spec one that comes with it. Two processors may bring the same. */
export type ProcessorStore = string | StoreSpec

export interface ProcessorNode {
  readonly kind: 'processor'
  readonly name: string
  readonly parents: readonly string[]
  readonly supplier:
    | ProcessorSupplier<unknown, unknown, unknown, unknown>
    | FixedKeyProcessorSupplier<unknown, unknown, unknown>
  readonly stores: readonly string[]
}

export interface SinkNode {
  readonly kind: 'sink'
  readonly name: string
  readonly parents: readonly string[]
  readonly topic: string | TopicNameExtractor
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly partitioner: StreamPartitioner | null
  /** Nothing between the source and here makes values: one that is as it was read is written as the bytes it was read from. */
  readonly passesBytes: boolean
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode
