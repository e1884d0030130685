import type { SleepPurpose } from '../processor/processor-context.ts'
import type { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreTimes } from '../state/store-times.ts'
import type { Topology } from '../topology/topology.ts'
import type { ErrorHandlers } from './handlers.ts'
import type { Output } from './record-collector.ts'

/** What is known of an input where a task begins to read it. */
export interface InputPosition {
  readonly offset: number
  /** Of the record before it, where it is known. */
  readonly leaderEpoch?: number | undefined
  /** Largest event time of the partition so far; −1 when none is known. */
  readonly partitionTimeMs: number
}

export interface StreamTaskOptions {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  readonly partition: number
  readonly topology: Topology
  /** Nodes of this task's sub-topology. */
  readonly nodeNames: readonly string[]
  /** In the order in which they are opened, and their caches flushed. */
  readonly storeNames: readonly string[]
  /** Folder of the state; null keeps it in memory. */
  readonly stateDirectory: string | null
  readonly output: Output
  readonly handlers: ErrorHandlers
  /** Where handlers may send records that failed; null: nowhere. */
  readonly deadLetterTopic: string | null
  readonly nowMs: () => number
  /** A topology's name for a topic to the log's: internal ones carry the application id. */
  readonly topicName: (name: string) => string
  /** Stores that hold the whole of a topic. */
  readonly globalStore: (name: string) => StateStore | undefined
  /** null: no record cache; every update is forwarded at once. */
  readonly cache: RecordCache | null
  /** See `StoreHost`. */
  readonly hasExactCacheSizes: boolean
  /** Least wall-clock time between two attempts to emit what has closed. */
  readonly emitIntervalMs: number
  /** For tests: values that are written as they were read are compared with what was read. Default false. */
  readonly looksForChanges?: boolean
  /** Default: calls of the stores are not timed. */
  readonly storeTimes?: StoreTimes | undefined
  /** Asks the loop to come by soon: an asynchronous call has ended. */
  readonly wake: () => void
  readonly sleep: (delayMs: number, signal: AbortSignal, purpose: SleepPurpose) => Promise<void>
}
