import type { Serde } from '../common/serde.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'

/** Decides a record's event time; a negative result drops the record. Default: the time in the record. */
export type TimestampExtractor = (
  record: { readonly key: unknown; readonly value: unknown; readonly timestampMs: number },
  partitionTimeMs: number,
) => number

/** The nodes of a topology are frozen data (D5); only the suppliers inside them are code. */
export interface SourceNode {
  readonly kind: 'source'
  readonly name: string
  readonly topics: readonly string[]
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly timestampExtractor: TimestampExtractor | null
}

export interface ProcessorNode {
  readonly kind: 'processor'
  readonly name: string
  readonly parents: readonly string[]
  readonly supplier: ProcessorSupplier<unknown, unknown, unknown, unknown>
  readonly stores: readonly string[]
}

export interface SinkNode {
  readonly kind: 'sink'
  readonly name: string
  readonly parents: readonly string[]
  readonly topic: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Partition of a record; null: Kafka's default, by the hash of the key's bytes. */
  readonly partitioner: ((key: unknown, value: unknown, partitionCount: number) => number) | null
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode
