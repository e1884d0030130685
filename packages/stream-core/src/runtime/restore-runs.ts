import type { TaskState } from '../state/task-state.ts'

/** Restored entries that wait in memory before they are written to disk in one sorted run (D13), */
const entriesPerRun = 100_000
/** and bytes of rows that do, of all tasks: a long run touches each page of a large file once and not again and again. */
const bytesWaitingMax = 64 * 1024 * 1024
/** As many may wait when a task begins to run: they become a part of what it has in memory, all at once. */
const entriesAtTheEnd = 2000

export interface RestoreProgress {
  /** Nothing more is to be restored. */
  readonly isLast: boolean
  /** That are being restored. */
  readonly tasks: number
}

/** What was restored of a task is to be written to disk now. */
export function isRunDue(state: TaskState, { isLast, tasks }: RestoreProgress): boolean {
  const { frozenEntries, restoredRows, restoredBytes } = state
  if (frozenEntries - restoredRows >= entriesPerRun || restoredBytes >= bytesWaitingMax / tasks) return true
  return isLast && frozenEntries >= entriesAtTheEnd
}
