import type { Placement } from '../assignment/user-data.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamThread } from './stream-thread.ts'
import type { StreamsState } from './streams-config.ts'

export interface StreamsDescription {
  readonly state: StreamsState
  readonly applicationId: string
  readonly error: string | null
  readonly tasks: readonly TaskDescription[]
  /** Generation of the group whose assignment this instance carries out; −1: it is no member yet. */
  readonly generationId: number
  /** Where the tasks of the whole application are, as of that generation. */
  readonly placements: readonly Placement[]
}

export interface TaskDescription {
  readonly taskId: string
  readonly phase: 'running' | 'restoring' | 'standby'
  /** Changelog records its state is behind; null: not known, or it runs. */
  readonly lag: number | null
  readonly recordsProcessed: number
  readonly streamTimeMs: number
  /** How often a record came too late for a window or a version: part of `dropped`. */
  readonly late: number
  /** Records that went no further, by `node/reason`. */
  readonly dropped: { readonly [nodeAndReason: string]: number }
  readonly inputs: readonly { readonly topic: string; readonly partition: number; readonly position: number }[]
  readonly stores: readonly string[]
}

export function describeState(
  state: StreamsState,
  applicationId: string,
  thread: StreamThread | null,
  failure: Error | null,
): StreamsDescription {
  const manager = thread?.manager
  const running = new Set(manager?.running)
  const describe = (task: StreamTask): TaskDescription => ({
    taskId: task.taskId,
    phase: running.has(task) ? 'running' : manager!.active.has(task.taskId) ? 'restoring' : 'standby',
    lag: running.has(task) ? null : thread!.lag(task),
    recordsProcessed: task.metrics.recordsProcessed,
    streamTimeMs: task.streamTimeMs,
    late: task.metrics.late,
    dropped: Object.fromEntries(task.metrics.dropped),
    inputs: [...task.queues].map(({ topic, partition, committable }) => ({ topic, partition, position: committable })),
    stores: [...task.state.stores.keys()],
  })
  return {
    state,
    applicationId,
    error: failure?.message ?? null,
    tasks: (manager?.all ?? []).map(describe),
    generationId: thread?.session.generationId ?? -1,
    placements: thread?.session.placements ?? [],
  }
}
