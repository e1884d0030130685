import type { Record } from '../common/record.ts'
import type { StateStore } from '../state/state-store.ts'

/** Where the record that is being processed came from; null inside a punctuation. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What a schedule goes by: event time of the task, or the wall clock. */
export type PunctuationType = 'stream-time' | 'wall-clock-time'

export interface Cancellable {
  cancel(): void
}

/** What the engine offers a processor. Valid from `init` until `close`. */
export interface ProcessorContext<K = unknown, V = unknown> {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** Hands a record to the children, depth first, before it returns; to one of them if `childName` is given. */
  forward(record: Record<K, V>, childName?: string): void
  /** A store this node is connected to; throws a TopologyError that says how to connect another. */
  getStateStore<S extends StateStore>(name: string): S
  /**
   * Calls `punctuate` each time the clock passes a multiple of `intervalMs` (stream time), or that long after the last
   * call (wall clock). Missed calls become one.
   */
  schedule(intervalMs: number, type: PunctuationType, punctuate: (timestampMs: number) => void): Cancellable
  /** Asks for a commit at the end of this round of the loop. */
  commit(): void
  recordMetadata(): RecordMetadata | null
  /** Largest event time this task has seen; −1 before the first record. */
  currentStreamTimeMs(): number
  currentSystemTimeMs(): number
  /** Counts a record that goes no further, with the reason; nothing is dropped silently. */
  drop(reason: string): void
  /** The record cache of a store of this node: `onFlush` is called with what is due, in order (see RecordCache). */
  onFlush(flush: () => void): void
}
