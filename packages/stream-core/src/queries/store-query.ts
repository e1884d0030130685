import type { Serde } from '../common/serde.ts'
import type { Isolation } from '../state/layered-table.ts'
import type { QueryKind } from './read-only-stores.ts'

/** How a store is read from outside. */
export interface StoreQuery<K, V, Kind extends QueryKind = QueryKind> {
  /** What the store is; the timestamped kinds give values with their event times. */
  readonly kind: Kind
  /** The serde of its keys: says their type, and is compared with the store's own. Left out: keys are `unknown`. */
  readonly key?: Serde<K>
  /** The serde of its values. */
  readonly value?: Serde<V>
  /**
   * Default `read_committed`: what the last commit has left. `read_uncommitted` sees more, up to `commitIntervalMs`
   * earlier, which may be rolled back and come to nothing.
   */
  readonly isolation?: Isolation
  /**
   * Reads standbys too, and tasks that are still being restored: an older state of the store, when nothing was restored yet
   * the empty one. `maxLag`: only from those that are known to be at most so many changelog offsets behind. Default false.
   */
  readonly allowStale?: boolean | { readonly maxLag: number }
  /** Only these partitions, all of which have to be here. Default: those that are here. */
  readonly partitions?: readonly number[]
  /** How records came to their partitions, if not by Kafka's hash of their keys. */
  readonly partitioner?: KeyPartitioner<K>
  /**
   * How far the inputs must have been read, for whoever reads what he has written himself: of topics that the store's tasks
   * read, each with the offset behind the last record that has to be in the answer. Until then reading throws a
   * StoreNotAvailableError. Copies do not know how far their inputs were read: only a task that runs can answer.
   */
  readonly atLeast?: readonly InputBound[]
}

/** All records of a partition below an offset. */
export interface InputBound {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The partition of a key; of `partitionCount`, from 0. */
export type KeyPartitioner<K> = (key: K, partitionCount: number) => number

/** An instance of the application. */
export interface InstanceInfo {
  readonly processId: string
  /** The option `endpoint` of that instance; null: it has none. */
  readonly endpoint: string | null
  /** It is the one that was asked. */
  readonly isLocal: boolean
}

/** Where a key is, as far as the instance that was asked knows. */
export interface KeyMetadata {
  readonly store: string
  /** null: a global store, which every instance has as a whole. */
  readonly partition: number | null
  /** null: nobody has it now; it is on its way from one to another. */
  readonly active: InstanceInfo | null
  readonly standbys: readonly InstanceInfo[]
}

/** What an instance has of a store. */
export interface StoreMetadata extends InstanceInfo {
  readonly activePartitions: readonly number[]
  readonly standbyPartitions: readonly number[]
}

/** How far a copy of a store is behind its changelog, in offsets. */
export interface StoreLag {
  readonly store: string
  readonly partition: number
  readonly phase: 'running' | 'restoring' | 'standby'
  readonly position: number
  readonly endOffset: number
  /** 0 where the task runs: it writes the changelog. */
  readonly lag: number
}
