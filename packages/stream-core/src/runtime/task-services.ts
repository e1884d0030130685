import type { OnRefused } from '../broker/broker.ts'
import type { Cancellable, PunctuationType, SleepPurpose } from '../processor/processor-context.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreHost } from '../state/store-host.ts'
import type { TakenRecord } from './record-queue.ts'

/** What a running node may use of its task. */
export interface TaskServices {
  readonly applicationId: string
  readonly taskId: string
  /** Holds the context of the record that is being processed. */
  readonly host: StoreHost
  readonly emitIntervalMs: number
  /** A failed cast is decided about by the node above, as in Java. */
  readonly passesCastsOn: boolean
  /** The record that is being processed, or was last, as it was read. */
  taken(): TakenRecord | null
  /** Values that are written as they were read are compared with what was read. */
  readonly looksForChanges: boolean
  store(name: string): StateStore | undefined
  /** A store that holds the whole of a topic, which every processor may read. */
  globalStore(name: string): StateStore | undefined
  schedule(
    intervalMs: number,
    type: PunctuationType,
    startMs: number | null,
    run: (timestampMs: number) => void,
  ): Cancellable
  requestCommit(): void
  streamTimeMs(): number
  nowMs(): number
  drop(nodeName: string, reason: string): void
  /** Decides about a record on which user code threw: true to go on without it. */
  mayContinue(error: Error, nodeName: string): boolean
  /** Decides about a record that a sink cannot write: true to go on without it. */
  mayContinueWithout(error: Error, nodeName: string, outputTopic: string): boolean
  /** Decides about the record that a sink is writing, if the log refuses it later; undefined: all fails then. */
  onRefused(nodeName: string, outputTopic: string): OnRefused | undefined
  committedNumber(name: string): number | undefined
  setCommittedNumber(name: string, value: number): void
  /** A number that is read at each commit; returns what the last one kept, or −1. */
  keepNumber(name: string, read: () => number): number
  readonly shared: Map<string, unknown>
  wake(): void
  sleep(delayMs: number, signal: AbortSignal, purpose: SleepPurpose): Promise<void>
}
