import type { Broker } from '../broker/broker.ts'
import { latin1Slice } from '../common/buffer-text.ts'
import type { Logger } from '../common/logger.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import { partitionKey } from '../common/record.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ChangelogPosition } from '../state/task-database.ts'
import type { StreamTask } from './stream-task.ts'

/** Restored entries that wait in memory before they are written to disk in one sorted run (D13). */
const entriesPerRun = 100_000

export interface RestoreProgress {
  readonly taskId: string
  readonly store: string
  readonly restoredRecords: number
  /** Offsets still to read. */
  readonly remaining: number
}

export interface RestorerOptions {
  readonly broker: Broker
  readonly clusterId: string
  readonly topicId: (topic: string) => string
  /** The topic a store is restored from; undefined: none. */
  readonly changelogTopic: (store: string) => string | undefined
  /** Where the input of a store stands whose changelog is a topic that is read anyhow; undefined for others. */
  readonly sourcePosition: (store: string, partition: number) => number | undefined
  readonly logger: Logger
  readonly nowMs: () => number
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined
}

interface Restoring {
  readonly task: StreamTask
  readonly store: StateStore
  readonly topic: string
  readonly target: number
  position: number
  restoredRecords: number
}

/**
 * Brings the stores of tasks up to what the log has committed (D13):
 *
 *   1. Decide per store where to begin: behind what is on disk, or at the log's start when that cannot be trusted.
 *   2. The target is the high watermark, asked for after the committed input offsets were read with requireStable:
 *      markers reach partitions one by one, so a last stable offset may lag behind what is committed (KAFKA-10167).
 *   3. Read read_committed until the batch position reaches the target, straight into the committed layers.
 *   4. Note the positions reached.
 */
export async function restoreTasks(tasks: readonly StreamTask[], options: RestorerOptions): Promise<void> {
  const startedMs = options.nowMs()
  const all = await openRestores(tasks, options)
  const restores = new Map(
    all.filter((r) => r.position < r.target).map((r) => [partitionKey(r.topic, r.task.partition), r]),
  )
  if (restores.size > 0) {
    const reader = options.broker.openReader({ isolation: 'read_committed' })
    try {
      reader.assign(
        [...restores.values()].map((r) => ({ topic: r.topic, partition: r.task.partition, offset: r.position })),
      )
      while (restores.size > 0) {
        for (const { topic, partition, records } of await reader.poll(500)) {
          const restore = restores.get(partitionKey(topic, partition))
          if (!restore) continue
          applyRecords(restore, records)
          const { position, target, task, store } = restore
          const remaining = Math.max(0, target - position)
          options.onProgress?.({
            taskId: task.taskId,
            store: store.spec.name,
            restoredRecords: restore.restoredRecords,
            remaining,
          })
          if (remaining === 0) {
            restores.delete(partitionKey(topic, partition))
            reader.pause({ topic, partition })
          }
        }
        await persistFull(all, options)
      }
    } finally {
      await reader.close()
    }
  }
  for (const restore of all) restore.task.state.setPositions(positionOf(restore, options))
  const records = all.reduce((sum, restore) => sum + restore.restoredRecords, 0)
  if (records > 0) {
    options.logger.info({ event: 'restore.done', records, durationMs: options.nowMs() - startedMs }, 'state restored')
  }
}

function applyRecords(restore: Restoring, records: RecordBatchReader): void {
  const { store } = restore
  while (records.next()) {
    if (records.keyStart < 0) continue // nothing this library writes
    const key = latin1Slice(records.bytes, records.keyStart, records.keyEnd)
    const value = records.value()
    // Copied: a view would keep the whole fetched buffer alive.
    store.restore(key, value === null ? null : Buffer.from(value), records.timestampMs, records.headers())
    restore.restoredRecords++
  }
  restore.position = records.position
}

async function openRestores(tasks: readonly StreamTask[], options: RestorerOptions): Promise<Restoring[]> {
  const restores: Restoring[] = []
  for (const task of tasks) {
    const logged = [...task.state.stores.values()].flatMap((store) => {
      const topic = options.changelogTopic(store.spec.name)
      return topic === undefined ? [] : [{ store, at: { topic, partition: task.partition } }]
    })
    const partitions = logged.map(({ at }) => at)
    const starts = await options.broker.admin.listOffsets(partitions, 'earliest')
    const ends = await options.broker.admin.listOffsets(partitions, 'latest')
    // A topic that is also read as input is restored up to where the task reads on, and no further.
    const targets = logged.map(({ store }, i) => options.sourcePosition(store.spec.name, task.partition) ?? ends[i]!)
    const wrong = logged.find(({ store }, i) => {
      const why = mistrust(task.state.position(store.spec.name), partitions[i]!.topic, starts[i]!, ends[i]!, options)
      if (why !== null) {
        options.logger.warn(
          { event: 'state.wiped', task: task.taskId, store: store.spec.name, reason: why },
          `local state cannot be used: ${why}; it is restored from the changelog`,
        )
      }
      return why !== null
    })
    if (wrong) task.state.wipe()
    for (const [i, name] of logged.map(({ store }) => store.spec.name).entries()) {
      const position = Math.max(task.state.position(name)?.offset ?? starts[i]!, starts[i]!)
      const store = task.state.stores.get(name)!
      restores.push({ task, store, topic: partitions[i]!.topic, target: targets[i]!, position, restoredRecords: 0 })
    }
  }
  return restores
}

/** Why a stored position cannot be continued from; null when it can, or when there is none. */
function mistrust(
  position: ChangelogPosition | null,
  topic: string,
  start: number,
  end: number,
  options: RestorerOptions,
): string | null {
  if (position === null) return null
  if (position.clusterId !== options.clusterId) return `it belongs to another cluster (${position.clusterId})`
  if (position.topicId !== options.topicId(topic)) return `the changelog ${topic} was made anew`
  if (position.offset > end) return `its position ${position.offset} is beyond the end ${end} of ${topic}`
  // The head of a compacted topic never goes; a start above the position means that records were deleted unseen.
  if (position.offset < start) return `its position ${position.offset} is below the start ${start} of ${topic}`
  return null
}

async function persistFull(restores: readonly Restoring[], options: RestorerOptions): Promise<void> {
  for (const task of new Set(restores.map((restore) => restore.task))) {
    if (task.state.frozenEntries < entriesPerRun) continue
    for (const restore of restores) if (restore.task === task) task.state.setPositions(positionOf(restore, options))
    await task.state.persist(yieldToLoop)
    task.state.checkpointIfDue()
  }
}

function positionOf(restore: Restoring, options: RestorerOptions): Map<string, ChangelogPosition> {
  const { store, topic, position } = restore
  const at = {
    offset: position,
    clusterId: options.clusterId,
    topicId: options.topicId(topic),
    savedAtMs: options.nowMs(),
  }
  return new Map([[store.spec.name, at]])
}

export const yieldToLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
