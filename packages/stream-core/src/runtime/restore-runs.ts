import type { Logger } from '../common/logger.ts'
import type { TaskState } from '../state/task-state.ts'
import type { StreamTask } from './stream-task.ts'
import { yieldToLoop } from './yield-to-loop.ts'

/** Restored entries that wait in memory before they are written to disk in one sorted run (D13), */
const entriesPerRun = 100_000
/** rows that do, which take less: a long run touches each page of a large file once and not again and again, */
const rowsPerRun = 250_000
/** and bytes of them, of all tasks together, */
const bytesWaitingMax = 64 * 1024 * 1024
/** of which a task has no less than this. */
const bytesPerRunMin = 4 * 1024 * 1024
/** As many may wait when a task begins to run: they become a part of what it has in memory, all at once. */
const entriesAtTheEnd = 2000

/** What was restored of a task is to be written to disk now; `tasks`: that are being restored. */
export function isRunDue(state: TaskState, tasks: number): boolean {
  const { frozenEntries, restoredRows, restoredBytes } = state
  if (frozenEntries - restoredRows >= entriesPerRun || restoredRows >= rowsPerRun) return true
  return restoredBytes >= Math.max(bytesPerRunMin, bytesWaitingMax / tasks)
}

/**
 * Before a task runs: all but a little. On a disk that refuses it stays in memory, as whatever is written later, and the task runs none
 * the worse.
 */
export async function writeRest({ state, taskId }: StreamTask, logger: Logger): Promise<void> {
  if (state.frozenEntries < entriesAtTheEnd) return
  try {
    await state.persistAll(yieldToLoop)
    state.checkpointIfDue()
  } catch (error) {
    const event = { event: 'state.persist-failed', task: taskId, error: String(error) }
    logger.error(event, 'state could not be written to disk')
  }
}
