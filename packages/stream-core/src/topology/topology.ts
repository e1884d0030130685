import { javaRules } from '../common/java-rules.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { describeTopology } from './describe.ts'
import type { TopologyNode } from './node.ts'
import { type Subtopology, subtopologies } from './subtopology.ts'
import { lintTopology, type TopologyFinding } from './lint.ts'

/** A topic that the topology writes and reads itself, named with the application id before it. */
export interface RepartitionTopic {
  readonly name: string
  /** null: as many partitions as the topics that feed it. */
  readonly partitions: number | null
}

/** A name that the builder made up, because the user gave none: it changes when the topology does. */
export interface GeneratedName {
  readonly kind: 'store' | 'changelog' | 'repartition'
  readonly name: string
}

/**
 * A program as data (D5): built by `StreamsBuilder` or `TopologyBuilder`, printed by `describe`, run by `Streams` and by
 * `TopologyTestDriver`. Frozen; may be shared.
 */
export interface Topology {
  /** In the order of building: a node follows its parents. */
  readonly nodes: readonly TopologyNode[]
  readonly stores: readonly StoreSpec[]
  readonly globalStores: readonly StoreSpec[]
  readonly repartitionTopics: readonly RepartitionTopic[]
  /** Sources that have to have the same number of partitions, by node name. */
  readonly copartitionGroups: readonly (readonly string[])[]
  /** Stores whose changelog is a topic that the topology reads anyhow. */
  readonly sourceChangelogs: ReadonlyMap<string, string>
  readonly generatedNames: readonly GeneratedName[]
  /** What would fail at the start: serdes that nobody gave. Empty unless it was built so on purpose. */
  readonly missingSerdes: readonly string[]
  readonly [javaRules]: boolean
  readonly subtopologies: readonly Subtopology[]
  /** The same text as Kafka Streams' `Topology#describe()`. */
  describe(): string
  /** Traps that are legal: each with what happens and what to do about it. */
  lint(): readonly TopologyFinding[]
}

export type TopologyParts = Omit<Topology, 'subtopologies' | 'describe' | 'lint'>

export function freezeTopology(parts: TopologyParts): Topology {
  const groups = subtopologies(parts.nodes, parts.stores)
  return Object.freeze({
    nodes: Object.freeze(parts.nodes.map((node) => Object.freeze(node))),
    stores: Object.freeze([...parts.stores]),
    globalStores: Object.freeze([...parts.globalStores]),
    repartitionTopics: Object.freeze([...parts.repartitionTopics]),
    copartitionGroups: Object.freeze([...parts.copartitionGroups]),
    sourceChangelogs: parts.sourceChangelogs,
    generatedNames: Object.freeze([...parts.generatedNames]),
    missingSerdes: Object.freeze([...parts.missingSerdes]),
    [javaRules]: parts[javaRules],
    subtopologies: Object.freeze(groups),
    describe: () => describeTopology(parts.nodes, groups),
    lint: () => lintTopology(parts),
  })
}
