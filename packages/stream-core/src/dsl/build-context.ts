import { TopologyError } from '../common/errors.ts'
import type { Serde } from '../common/serde.ts'
import type { TimestampExtractor } from '../topology/node.ts'
import type { TopologyBuilder } from '../topology/topology-builder.ts'
import type { GraphNode } from './graph/graph-node.ts'
import type { StreamGraph } from './graph/stream-graph.ts'
import type { KStream } from './kstream.ts'
import type { KTable } from './ktable.ts'
import type { Names } from './names.ts'
import type { TableSource } from './table-source.ts'

/** What every stream and table of one builder shares. */
export interface BuildContext {
  readonly builder: TopologyBuilder
  readonly graph: StreamGraph
  readonly names: Names
  readonly defaultKey: Serde<unknown> | null
  readonly defaultValue: Serde<unknown> | null
  /** false: Java's rules, by which some operators forget serdes and fall back on the defaults. */
  readonly inheritsSerdes: boolean
  readonly defaultTimestampExtractor: TimestampExtractor | null
  readonly defaultStoreType: 'persistent' | 'in-memory'
  /** KAFKA-19668 mended: `process` counts as a change of key and value, `processValues` as one of the value. */
  readonly processChangesRecords: boolean
  /** Serdes that nobody gave, with what needs them: filled while the topology is written. */
  readonly missingSerdes: string[]
  /** Kafka Streams to the letter, for the conformance runner. */
  readonly javaRules: boolean
  /** Makes streams and tables: they lead to each other, and files must not import each other in circles. */
  readonly stream: <K, V>(state: StreamState) => KStream<K, V>
  readonly table: <K, V>(state: StreamState, source: TableSource<K, V>) => KTable<K, V>
}

/** Where a stream or table stands: the node it leaves, and what is known of it. */
export interface StreamState {
  readonly context: BuildContext
  readonly name: string
  readonly node: GraphNode
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  /** Sources it comes from, back to the last topic: what has to be co-partitioned with another's. */
  readonly sources: readonly string[]
  /** Those of them that Java's check of the built topology sees: it loses sight of them behind suppress and cogroup. */
  readonly checkedSources: readonly string[]
  /** The key may have changed since it was read: a key-based operator needs a repartition topic first. */
  readonly isRepartitionRequired: boolean
}

/** Leads from a stream or table to its state, for the other classes of the DSL. */
export const state = Symbol('state')

export const erased = <T>(serde: Serde<T> | undefined | null): Serde<unknown> | null =>
  (serde as Serde<unknown> | null | undefined) ?? null

/** Of operators that ask user code about a value and hand the same one on: whoever changes it there changes it for everybody. */
export function keepingValues<S extends { readonly [state]: StreamState }>(stream: S): S {
  stream[state].node.keepsValues = true
  return stream
}

/** The serde to use. One that nobody gave is noted: `build` throws, with all of them in one message. */
export function requiredSerde(
  context: BuildContext,
  serde: Serde<unknown> | null,
  part: 'key' | 'value',
  where: string,
  option: string,
): Serde<unknown> {
  const found = serde ?? (part === 'key' ? context.defaultKey : context.defaultValue)
  if (found !== null) return found
  const message = `${where} does not know how to serialise its ${part}: give ${option}`
  context.missingSerdes.push(message)
  const fail = (): never => {
    throw new TopologyError(message, [], 'MISSING_SERDE')
  }
  return { name: 'missing', write: fail, read: fail }
}

/** Sources of both, each once. */
export const united = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])]

/** A stream or table behind a topic of its own: nothing before it has to be co-partitioned any more. */
export const behindTopic = (sourceName: string) => ({
  sources: [sourceName],
  checkedSources: [sourceName],
  isRepartitionRequired: false,
})

/** Notes that streams or tables have to have the same partitions, and returns the sources of all. */
export function copartitioned(
  one: StreamState,
  ...others: readonly StreamState[]
): Pick<StreamState, 'sources' | 'checkedSources'> {
  const sources = others.reduce((all, other) => united(all, other.sources), one.sources)
  const checkedSources = others.reduce((all, other) => united(all, other.checkedSources), one.checkedSources)
  one.context.builder.copartition(sources, checkedSources)
  return { sources, checkedSources }
}
