import { TopologyError } from '../common/errors.ts'
import type { Serde } from '../common/serde.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { TopologyBuilder } from '../topology/topology-builder.ts'
import type { KStream } from './kstream.ts'
import type { Names } from './names.ts'

/** What every stream and table of one builder shares. */
export interface BuildContext {
  readonly builder: TopologyBuilder
  readonly names: Names
  readonly defaultKey: Serde<unknown> | null
  readonly defaultValue: Serde<unknown> | null
  /** Makes a stream: tables lead to streams and streams to tables, and files must not import each other in circles. */
  readonly stream: <K, V>(position: Position) => KStream<K, V>
}

/** Where a stream or table stands: the node it leaves, and what is known of its serdes. */
export interface Position {
  readonly context: BuildContext
  readonly nodeName: string
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  /** The key may have changed since it was read: a key-based operator needs a repartition topic first. */
  readonly isRepartitionRequired: boolean
}

export function addProcessor<KIn, VIn, KOut, VOut>(
  from: Position,
  name: string,
  supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
  stores: readonly string[] = [],
): void {
  from.context.builder.addProcessor({
    name,
    parents: [from.nodeName],
    supplier: supplier,
    stores,
  })
}

/** The serde to use, or a TopologyError that says which node lacks it and where to give it. */
export function requireSerde(
  serde: Serde<unknown> | null,
  part: 'key' | 'value',
  where: string,
  option: string,
): Serde<unknown> {
  if (serde !== null) return serde
  throw new TopologyError(
    `${where} does not know how to serialise its ${part}: give ${option}, or a default to new StreamsBuilder({ defaults })`,
  )
}

/** The topic's key and value serdes as the engine holds them. */
export const anySerde = <T>(serde: Serde<T> | undefined, fallback: Serde<unknown> | null): Serde<unknown> | null =>
  serde === undefined ? fallback : serde
