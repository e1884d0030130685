import type { Logger } from '../common/logger.ts'
import type { RebalanceReason } from './group-session.ts'

export interface RestoreProgress {
  readonly taskId: string
  readonly store: string
  readonly restoredRecords: number
  /** Of their keys and values. */
  readonly restoredBytes: number
  /** Offsets still to read. */
  readonly remaining: number
}

/** A store whose state is brought up to date from its changelog. */
export interface RestoredStore {
  readonly taskId: string
  readonly store: string
  readonly topic: string
  readonly partition: number
}

/**
 * Told how tasks that were given to this instance get their state (Kafka Streams' StateRestoreListener). What it throws is
 * logged, and changes nothing.
 */
export interface RestoreListener {
  /** From `startOffset` on, up to `endOffset`. They are the same where nothing is missing. */
  onStart?(restore: RestoredStore & { readonly startOffset: number; readonly endOffset: number }): void
  onProgress?(progress: RestoreProgress): void
  /** The store is complete; its task runs once all of its stores are. */
  onEnd?(restore: RestoredStore & { readonly restoredRecords: number }): void
  /** The task goes elsewhere, or the restore begins again, before the store was complete. */
  onSuspended?(restore: RestoredStore & { readonly restoredRecords: number }): void
}

/** Told of copies of other instances' state that are kept here (Kafka Streams' StandbyUpdateListener, KIP-988). */
export interface StandbyListener {
  onStart?(standby: RestoredStore & { readonly startOffset: number }): void
  onProgress?(standby: RestoredStore & { readonly loadedRecords: number; readonly remaining: number | null }): void
  /** `promoted`: the task is to run here; `migrated`: the copy is not wanted here any more. */
  onSuspended?(standby: RestoredStore & { readonly reason: 'promoted' | 'migrated' }): void
}

/** Told what the group has decided for this instance. */
export interface RebalanceListener {
  /** The assignment is carried out: what left is committed and closed, what came is being restored. */
  onAssigned?(assignment: {
    readonly generationId: number
    readonly active: readonly string[]
    readonly standby: readonly string[]
    readonly added: readonly string[]
    readonly removed: readonly string[]
    readonly reason: RebalanceReason
    /** From the join, which waits for all others, to when it was carried out; records are processed meanwhile. */
    readonly durationMs: number
  }): void
  /** The group went on without this instance: what these tasks had not committed is dropped. */
  onLost?(lost: { readonly active: readonly string[]; readonly error: Error }): void
}

export interface Listeners {
  readonly restore: RestoreListener
  readonly standby: StandbyListener
  readonly rebalance: RebalanceListener
}

/** A listener that never throws: somebody who only wants to know does not stop what he watches. */
export function guarded<L extends RestoreListener | StandbyListener | RebalanceListener>(
  listener: L | undefined,
  logger: Logger,
): L {
  const call = (name: string | symbol, given: unknown): void => {
    const method = (listener as { readonly [name: string | symbol]: unknown } | undefined)?.[name]
    if (typeof method !== 'function') return
    try {
      method.call(listener, given)
    } catch (error) {
      logger.warn({ event: 'listener.failed', listener: String(name), error: String(error) }, 'a listener has thrown')
    }
  }
  return new Proxy({} as L, { get: (_target, name) => (given: unknown) => call(name, given) })
}
