import type { StreamTask } from './stream-task.ts'
import type { StreamsState } from './streams-config.ts'

export interface StreamsDescription {
  readonly state: StreamsState
  readonly applicationId: string
  readonly error: string | null
  readonly tasks: readonly TaskDescription[]
}

export interface TaskDescription {
  readonly taskId: string
  readonly recordsProcessed: number
  readonly streamTimeMs: number
  /** Records that went no further, by `node/reason`. */
  readonly dropped: { readonly [nodeAndReason: string]: number }
  readonly inputs: readonly { readonly topic: string; readonly partition: number; readonly position: number }[]
  readonly stores: readonly string[]
}

export function describeState(
  state: StreamsState,
  applicationId: string,
  tasks: readonly StreamTask[],
  failure: Error | null,
): StreamsDescription {
  return {
    state,
    applicationId,
    error: failure?.message ?? null,
    tasks: tasks.map((task) => ({
      taskId: task.taskId,
      recordsProcessed: task.metrics.recordsProcessed,
      streamTimeMs: task.streamTimeMs,
      dropped: Object.fromEntries(task.metrics.dropped),
      inputs: [...task.queues].map(({ topic, partition, committable }) => ({
        topic,
        partition,
        position: committable,
      })),
      stores: [...task.state.stores.keys()],
    })),
  }
}
