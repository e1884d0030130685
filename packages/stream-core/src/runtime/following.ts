import type { Admin } from '../broker/broker.ts'
import { latin1Slice } from '../common/buffer-text.ts'
import type { Clock } from '../common/clock.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { TopicPartition } from '../common/record.ts'
import type { StateStore } from '../state/state-store.ts'
import { type LogFacts, patienceMs } from './changelog-trust.ts'
import type { StreamTask } from './stream-task.ts'
import type { Seams } from './streams-config.ts'

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
  /**
   * It is to be seen whether what lies before `position` is committed: of a log that has lost the end of a transaction, and aborted
   * it, state is ahead.
   */
  isUnverified: boolean
  /** What lies right before `position` was aborted, and passed over. */
  endsAborted: boolean
  /** When the changelog was last heard of. */
  heardMs: number
  /**
   * Up to here nothing may be missing in the changelog, for what is here is older than the time for which deletions are kept:
   * one of them that was compacted away would bring its key back. −1: whatever is missing was superseded.
   */
  wholeUntil: number
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

/** How far a task's stores have come. */
export interface CatchUp {
  /** Offsets that were read since it began, and that are still to be read; Infinity for a standby. */
  readonly done: number
  readonly left: number
  /** How long it goes on if it goes on as it did until now; null: not known yet. */
  readonly leftMs: number | null
  /** Where each changelog began to be read, and where that is now. */
  readonly stores: readonly Pick<Following, 'topic' | 'from' | 'position' | 'stopAt'>[]
}

export function catchUpOf(stores: readonly Following[], passedMs: number): CatchUp {
  let [done, left] = [0, 0]
  for (const { from, position, stopAt } of stores) {
    done += position - from
    left += Math.max(0, stopAt - position)
  }
  const isUnknown = done <= 0 || left === Infinity
  return { done, left, leftMs: left === 0 ? 0 : isUnknown ? null : (passedMs / done) * left, stores }
}

/** Records applied before timers, sockets and the processing of running tasks get their turn. */
export const recordsPerSlice = 2000

interface Begin {
  readonly stopAt: number
  /** When the log was asked for these. */
  readonly askedMs: number
  readonly seams: Seams
}

/** From where the state that is here ends. */
export function beginFollowing(task: StreamTask, store: StateStore, log: LogFacts, begin: Begin): Following {
  const { topic, topicId, start, end } = log
  const { stopAt, askedMs, seams } = begin
  const { suspectsOldState = true, verifiesState = true } = seams
  const position = task.state.position(store.spec.name)
  const isOld = suspectsOldState && position !== null && askedMs - position.savedAtMs > patienceMs(store)
  const from = Math.max(position?.offset ?? start, start)
  const hasEnd = position !== null && position.offset > start && position.offset <= Math.min(end, stopAt)
  return {
    task,
    store,
    topic,
    topicId,
    stopAt,
    position: from,
    from,
    isUnverified: verifiesState && hasEnd && !position.endsAborted && store.spec.logging !== null,
    endsAborted: position?.endsAborted ?? false,
    heardMs: askedMs,
    wholeUntil: isOld ? Math.min(end, stopAt) : -1,
    restoredRecords: 0,
    countedRecords: 0,
    announcedAs: null,
    restoredBytes: 0,
    isGone: false,
  }
}

/** It has all that is wanted. */
export const isComplete = ({ position, stopAt, isUnverified }: Following): boolean =>
  position >= stopAt && !isUnverified

/** From where its changelog is read: what is to be verified is read once more. */
export const readsFrom = ({ position, isUnverified }: Following): number => position - (isUnverified ? 1 : 0)

export type SliceEnd = 'more' | 'done' | 'gap' | 'ahead'

/** Why what is here cannot be used any more. */
export const whyNot = {
  gap: 'deletions may be missing that it never saw',
  ahead: 'the log has aborted what it ends with',
} as const

/**
 * Applies at most a slice of what was fetched: `done` when nothing of it is left, or none is wanted; `gap` when something is
 * missing that may not be missing; `ahead` when the log does not know the end of what is here.
 */
export function applySlice(following: Following, records: RecordBatchReader): SliceEnd {
  const isBehind = records.position > following.position
  const isDone = apply(following, records)
  if (following.isUnverified && records.isStartAborted) return 'ahead'
  following.isUnverified = false
  if (following.wholeUntil >= 0 && (isBehind || records.hasGaps)) return 'gap'
  return isDone ? 'done' : 'more'
}

function apply(following: Following, records: RecordBatchReader): boolean {
  const { store, stopAt } = following
  for (let left = recordsPerSlice; left > 0; left--) {
    if (!records.next()) {
      if (records.position > following.position) following.endsAborted = records.isEndAborted
      following.position = Math.max(following.position, Math.min(records.position, stopAt))
      return true
    }
    if (records.offset >= stopAt) {
      following.position = stopAt
      return true
    }
    if (records.offset < following.position) continue
    following.position = records.offset + 1
    following.endsAborted = false
    if (records.keyStart < 0) continue // nothing this library writes
    if (!store.restoreRow(records)) {
      const key = latin1Slice(records.bytes, records.keyStart, records.keyEnd)
      const value = records.value()
      // Copied: a view would keep the whole fetched buffer alive.
      store.restore(key, value === null ? null : Buffer.from(value), records.timestampMs, records.headers())
    }
    following.restoredRecords++
    const valueBytes = records.valueStart < 0 ? 0 : records.valueEnd - records.valueStart
    following.restoredBytes += records.keyEnd - records.keyStart + valueBytes
  }
  return false
}

export function notePosition(following: Following, clusterId: string): void {
  const { task, store, topicId, position, heardMs, endsAborted } = following
  if (position >= following.wholeUntil) following.wholeUntil = -1
  // Until it is known to be whole it stays as old as it was.
  const savedAtMs = following.wholeUntil < 0 ? heardMs : (task.state.position(store.spec.name)?.savedAtMs ?? heardMs)
  task.state.setPositions(
    new Map([[store.spec.name, { offset: position, clusterId, topicId, savedAtMs, endsAborted }]]),
  )
}

/** How far the application has read is how far standbys may follow the topics that it reads: those that may go on. */
export async function raiseLimits(
  followings: readonly Following[],
  admin: Admin,
  applicationId: string,
): Promise<readonly TopicPartition[]> {
  const limited = followings.filter(({ stopAt }) => stopAt !== Infinity)
  if (limited.length === 0) return []
  const at = limited.map(({ topic, task }) => ({ topic, partition: task.partition }))
  const committed = await admin.committedOffsets(applicationId, at, { requireStable: false })
  return at.filter((_, i) => {
    const following = limited[i]!
    if (following.isGone || committed[i]!.offset <= following.stopAt) return false
    following.stopAt = committed[i]!.offset
    return true
  })
}

/**
 * Copies that have not heard of their changelog for too long: this process was suspended, or the log was away. Deletions may have
 * been compacted away that they never saw, and their keys would come back; so nothing may be missing up to where it ends now.
 */
export async function suspectSilent(
  followings: readonly Following[],
  { clock, seams }: { readonly clock: Clock; readonly seams: Seams },
  endsOf: (partitions: readonly TopicPartition[]) => Promise<readonly number[]>,
): Promise<void> {
  if (seams.suspectsOldState === false) return
  const nowMs = clock.nowMs()
  const silent = followings.filter(({ heardMs, store }) => nowMs - heardMs > patienceMs(store))
  if (silent.length > 0) {
    const ends = await endsOf(silent.map(({ topic, task }) => ({ topic, partition: task.partition })))
    for (const [i, following] of silent.entries()) following.wholeUntil = Math.min(ends[i]!, following.stopAt)
  }
  for (const following of followings) following.heardMs = nowMs
}
