import type { StoreSpec } from '../state/store-spec.ts'
import { describeTopology } from './describe.ts'
import type { TopologyNode } from './node.ts'
import { type Subtopology, subtopologies } from './subtopology.ts'

/** A repartition topic: written and read by the topology itself, named with the application id before it. */
export interface RepartitionTopic {
  readonly name: string
  /** null: as many partitions as the topics that feed it. */
  readonly partitions: number | null
}

/**
 * A program as data (D5): built by `StreamsBuilder` or `TopologyBuilder`, printed by `describe`, run by `Streams` and by
 * `TopologyTestDriver`. Frozen; may be shared.
 */
export interface Topology {
  /** In the order of building: a node follows its parents. */
  readonly nodes: readonly TopologyNode[]
  readonly stores: readonly StoreSpec[]
  readonly repartitionTopics: readonly RepartitionTopic[]
  readonly subtopologies: readonly Subtopology[]
  /** The same text as Kafka Streams' `Topology#describe()`. */
  describe(): string
}

export function freezeTopology(parts: Pick<Topology, 'nodes' | 'stores' | 'repartitionTopics'>): Topology {
  const groups = subtopologies(parts.nodes, parts.stores)
  return Object.freeze({
    nodes: Object.freeze(parts.nodes.map((node) => Object.freeze(node))),
    stores: Object.freeze([...parts.stores]),
    repartitionTopics: Object.freeze([...parts.repartitionTopics]),
    subtopologies: Object.freeze(groups),
    describe: () => describeTopology(parts.nodes, groups),
  })
}
