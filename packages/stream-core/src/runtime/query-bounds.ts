import { ArgumentError, StoreNotAvailableError } from '../common/errors.ts'
import { shown } from '../common/shown.ts'
import type { InputBound } from '../queries/store-query.ts'
import type { Isolation } from '../state/layered-table.ts'
import type { StreamTask } from './stream-task.ts'

/** A bound on a topic that the store's tasks do not read would never be reached, or always be. */
export function checkBoundTopics(
  store: string,
  bounds: readonly InputBound[],
  inputs: readonly string[],
  partitionCounts: ReadonlyMap<string, number>,
): void {
  for (const { topic, partition } of bounds) {
    if (inputs.includes(topic)) {
      const count = partitionCounts.get(topic)
      if (count === undefined || partition < count) continue
      throw new ArgumentError(
        'atLeast',
        `there is no partition ${partition} of ${shown(topic)}, which has ${count}: nothing says how far it was read`,
      )
    }
    const those = inputs.length === 0 ? 'is global' : `is fed from ${inputs.map((input) => `"${input}"`).join(', ')}`
    throw new ArgumentError(
      'atLeast',
      `the store "${store}" ${those}: it does not say how far ${shown(topic)} was read`,
    )
  }
}

/** Throws unless a task that runs has read its inputs that far, and what is seen of its store says so. */
export function checkReached(
  store: string,
  task: StreamTask,
  isRunning: boolean,
  bounds: readonly InputBound[],
  isolation: Isolation,
): void {
  for (const { topic, partition, offset } of bounds) {
    if (partition !== task.partition) continue
    const queue = isRunning ? task.queueList.find((one) => one.topic === topic) : undefined
    const reached = queue === undefined ? -1 : isolation === 'read_committed' ? queue.committed : queue.committable
    if (reached >= offset) continue
    const how = queue === undefined ? 'by a copy, which does not know how far' : `up to ${reached}`
    throw new StoreNotAvailableError(
      `the store "${store}" has not seen all below offset ${offset} of ${topic} partition ${partition}: it was read ${how}`,
      { partition, endpoint: null },
    )
  }
}
