import type { TopologyBuilder } from '../../topology/topology-builder.ts'
import type { Serde } from '../../common/serde.ts'
import type { OffsetReset, TimestampExtractor } from '../../topology/node.ts'

/** A repartition topic and the three nodes around it. */
export interface RepartitionDetails {
  readonly topic: string
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  /** Set by the optimiser: false where a join behind it wants records without a key. */
  dropsNullKeys: boolean
}

/** How a source reads its topics: two that read the same have to agree. */
export interface SourceReading {
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  readonly timestampExtractor: TimestampExtractor | null
  readonly offsetReset: OffsetReset
}

/** What the optimiser and the checks want to know of a node. */
export type GraphDetails =
  | { readonly kind: 'root' | 'processor' | 'sink' | 'store' | 'suppress' }
  | {
      readonly kind: 'stream-source'
      readonly topics: readonly string[] | null
      readonly pattern: RegExp | null
      readonly reading: SourceReading
    }
  | { readonly kind: 'table-source'; reusesSourceTopic: boolean }
  | { readonly kind: 'repartition'; readonly isOptimizable: boolean; readonly repartition: RepartitionDetails }
  /** A node that reads versioned tables differently (KIP-914). Told the names of its versioned parents. */
  | { readonly kind: 'versioned-aware'; readonly useVersioned: (parentName: string) => void }
  /** A windowed aggregation: what `suppress` has to wait after a window's end. */
  | { readonly kind: 'windowed-aggregation'; readonly graceMs: number }
  | { readonly kind: 'join-window' }
  | {
      readonly kind: 'stream-join'
      readonly thisWindowName: string
      readonly otherWindowName: string
      isSelfJoin: boolean
    }

/**
 * A node of the DSL's graph, before it becomes nodes of the topology: one operator may become several, and the optimiser
 * moves them (InternalStreamsBuilder's GraphNode). Children and parents keep the order in which they were added.
 */
export class GraphNode {
  readonly name: string
  readonly details: GraphDetails
  readonly #write: (builder: TopologyBuilder, parentNames: readonly string[]) => void
  readonly #children = new Set<GraphNode>()
  readonly #parents = new Set<GraphNode>()
  buildPriority = 0
  isWritten = false
  isKeyChanging = false
  isValueChanging = false
  isMerge = false
  /** Values leave it as they came, and its user code only looks at them. */
  keepsValues = false
  /** It asks only whether there is a value. */
  ignoresValues = false
  /** Whether its table is versioned; null: as its parents are. */
  isOutputVersioned: boolean | null = null
  /** A left or outer join, which wants records without a key (KIP-962). */
  wantsNullKeys = false

  constructor(
    name: string,
    details: GraphDetails,
    write: (builder: TopologyBuilder, parentNames: readonly string[]) => void,
  ) {
    this.name = name
    this.details = details
    this.#write = write
  }

  /** Snapshots: the graph may be changed while they are walked. */
  get children(): readonly GraphNode[] {
    return [...this.#children]
  }

  get parents(): readonly GraphNode[] {
    return [...this.#parents]
  }

  addChild(child: GraphNode): void {
    this.#children.add(child)
    child.#parents.add(this)
  }

  removeChild(child: GraphNode): void {
    if (this.#children.delete(child)) child.#parents.delete(this)
  }

  clearChildren(): void {
    for (const child of this.#children) child.#parents.delete(this)
    this.#children.clear()
  }

  /** Whatever comes to it has the values that were read from a topic of its sub-topology. */
  get getsValuesAsRead(): boolean {
    return [...this.#parents].every(
      ({ details, keepsValues, getsValuesAsRead }) =>
        details.kind === 'stream-source' || details.kind === 'repartition' || (keepsValues && getsValuesAsRead),
    )
  }

  get areParentsWritten(): boolean {
    for (const parent of this.#parents) if (!parent.isWritten) return false
    return true
  }

  write(builder: TopologyBuilder): void {
    this.#write(
      builder,
      [...this.#parents].map((parent) => parent.name),
    )
    this.isWritten = true
  }
}
