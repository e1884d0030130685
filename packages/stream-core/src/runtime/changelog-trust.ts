import type { StateStore } from '../state/state-store.ts'
import type { ChangelogPosition } from '../state/task-database.ts'

/** What the log says of a changelog partition. */
export interface LogFacts {
  readonly topic: string
  readonly clusterId: string
  readonly topicId: string
  /** First offset of the changelog that is there. */
  readonly start: number
  readonly end: number
}

/** Why a stored position cannot be continued from; null when it can, or when there is none (D12). Its age is looked at apart. */
export function mistrust(position: ChangelogPosition | null, log: LogFacts): string | null {
  const { topic } = log
  if (position === null) return null
  if (position.clusterId !== log.clusterId) return `it belongs to another cluster (${position.clusterId})`
  if (position.topicId !== log.topicId) return `the changelog ${topic} was made anew`
  if (position.offset > log.end) return `its position ${position.offset} is beyond the end ${log.end} of ${topic}`
  // The head of a compacted topic never goes; a start above the position means that records were deleted unseen.
  if (position.offset < log.start) return `its position ${position.offset} is below the start ${log.start} of ${topic}`
  return null
}

const dayMs = 86_400_000

/** For how long a store may not hear of its changelog: half the time for which that keeps deletions. */
export function patienceMs({ spec }: StateStore): number {
  const configs = spec.logging ?? {}
  if (!(configs['cleanup.policy'] ?? 'compact').includes('compact')) return Infinity
  return Number(configs['delete.retention.ms'] ?? dayMs) / 2
}
