import { latin1Slice } from '../common/buffer-text.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ChangelogPosition } from '../state/task-database.ts'
import type { StreamTask } from './stream-task.ts'

/** `active`: to be complete before it processes. `standby`: a copy that is kept up to date. */
export type TaskRole = 'active' | 'standby'

/** One store that is brought up to date from its changelog. */
export interface Following {
  readonly task: StreamTask
  readonly store: StateStore
  readonly topic: string
  readonly topicId: string
  /**
   * Up to where, and no further; Infinity: whatever comes. A topic that is also read as input says at its committed position
   * what the store has seen.
   */
  stopAt: number
  position: number
  /** Where it began. */
  readonly from: number
  restoredRecords: number
  /** Of those, how many are in the metrics. */
  countedRecords: number
  /** As what somebody was told that this has begun; null: nobody was, or it is over. */
  announcedAs: TaskRole | null
  /** Of keys and values. */
  restoredBytes: number
  /** The task is not followed any more. */
  isGone: boolean
}

/** How long a restore goes on if it goes on as it did until now; null: not known yet. */
export function remainingMs(followings: readonly Following[], passedMs: number): number | null {
  let [done, left] = [0, 0]
  for (const { from, position, stopAt } of followings) {
    done += position - from
    left += Math.max(0, stopAt - position)
  }
  if (left === 0) return 0
  return done <= 0 || left === Infinity ? null : (passedMs / done) * left
}

/** Records applied before timers, sockets and the processing of running tasks get their turn. */
export const recordsPerSlice = 2000

/** Applies at most a slice of what was fetched; true when nothing of it is left, or none is wanted. */
export function applySlice(following: Following, records: RecordBatchReader): boolean {
  const { store, stopAt } = following
  for (let left = recordsPerSlice; left > 0; left--) {
    if (!records.next()) {
      following.position = Math.min(records.position, stopAt)
      return true
    }
    if (records.offset >= stopAt) {
      following.position = stopAt
      return true
    }
    following.position = records.offset + 1
    if (records.keyStart < 0) continue // nothing this library writes
    const key = latin1Slice(records.bytes, records.keyStart, records.keyEnd)
    const value = records.value()
    // Copied: a view would keep the whole fetched buffer alive.
    store.restore(key, value === null ? null : Buffer.from(value), records.timestampMs, records.headers())
    following.restoredRecords++
    following.restoredBytes += records.keyEnd - records.keyStart + (value?.length ?? 0)
  }
  return false
}

export function notePosition({ task, store, topicId, position }: Following, clusterId: string, nowMs: number): void {
  task.state.setPositions(new Map([[store.spec.name, { offset: position, clusterId, topicId, savedAtMs: nowMs }]]))
}

export interface LogFacts {
  readonly clusterId: string
  readonly topicId: string
  /** First offset of the changelog that is there. */
  readonly start: number
  readonly end: number
  readonly nowMs: number
}

const dayMs = 86_400_000

/** Why a stored position in a topic of such settings cannot be continued from; null when it can, or when there is none (D12). */
export function mistrust(
  position: ChangelogPosition | null,
  configs: { readonly [name: string]: string },
  topic: string,
  log: LogFacts,
): string | null {
  if (position === null) return null
  if (position.clusterId !== log.clusterId) return `it belongs to another cluster (${position.clusterId})`
  if (position.topicId !== log.topicId) return `the changelog ${topic} was made anew`
  if (position.offset > log.end) return `its position ${position.offset} is beyond the end ${log.end} of ${topic}`
  // The head of a compacted topic never goes; a start above the position means that records were deleted unseen.
  if (position.offset < log.start) return `its position ${position.offset} is below the start ${log.start} of ${topic}`
  const keepsMs = Number(configs['delete.retention.ms'] ?? dayMs)
  const isCompacted = (configs['cleanup.policy'] ?? 'compact').includes('compact')
  if (isCompacted && position.offset < log.end && log.nowMs - position.savedAtMs > keepsMs / 2) {
    // Deletions may have been compacted away that this state never saw: their keys would come back.
    return `it is older than half the time for which ${topic} keeps deletions`
  }
  return null
}
