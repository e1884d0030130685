import type { Logger } from '../common/logger.ts'
import type { Following, TaskRole } from './following.ts'
import type { Listeners, RestoredStore, RestoreProgress } from './listeners.ts'
import type { ThreadMetrics } from './thread-metrics.ts'

export interface AnnouncerOptions {
  readonly listeners: Listeners
  readonly onRestoreProgress?: ((progress: RestoreProgress) => void) | undefined
  readonly metrics: ThreadMetrics
  readonly logger: Logger
}

/** Tells listeners and counters what the state updater does: of each store a beginning, and then one end. */
export class Announcer {
  readonly #options: AnnouncerOptions

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  begin(following: Following, role: TaskRole): void {
    if (following.announcedAs === role) return
    const { restore, standby } = this.#options.listeners
    const store = about(following)
    if (following.announcedAs === 'standby') standby.onSuspended?.({ ...store, reason: 'promoted' })
    following.announcedAs = role
    const startOffset = following.position
    if (role === 'active') restore.onStart?.({ ...store, startOffset, endOffset: following.stopAt })
    else standby.onStart?.({ ...store, startOffset })
  }

  /** `remaining`: offsets still to read; null: not known. */
  progress(following: Following, remaining: number | null): void {
    const { listeners, metrics, onRestoreProgress } = this.#options
    const { restoredRecords, restoredBytes } = following
    const added = restoredRecords - following.countedRecords
    following.countedRecords = restoredRecords
    const store = about(following)
    if (following.announcedAs === 'standby') {
      metrics.standbyRecords += added
      listeners.standby.onProgress?.({ ...store, loadedRecords: restoredRecords, remaining })
      return
    }
    metrics.restoredRecords += added
    const progress = {
      taskId: store.taskId,
      store: store.store,
      restoredRecords,
      restoredBytes,
      remaining: remaining ?? 0,
    }
    onRestoreProgress?.(progress)
    listeners.restore.onProgress?.(progress)
  }

  complete(following: Following): void {
    if (following.announcedAs === 'active') {
      this.#options.listeners.restore.onEnd?.({ ...about(following), restoredRecords: following.restoredRecords })
    }
    following.announcedAs = null
  }

  /** All of a task's stores are complete, and this was read for them. */
  restored(task: string, records: number, durationMs: number): void {
    const { logger, metrics } = this.#options
    logger.info({ event: 'restore.done', task, records, durationMs }, 'state restored')
    metrics.timeline.note('restored', `task ${task} has its state: ${records} records of its changelogs`, durationMs)
  }

  suspend(following: Following): void {
    const { restore, standby } = this.#options.listeners
    const store = about(following)
    if (following.announcedAs === 'active') {
      restore.onSuspended?.({ ...store, restoredRecords: following.restoredRecords })
    } else if (following.announcedAs === 'standby') {
      standby.onSuspended?.({ ...store, reason: 'migrated' })
    }
    following.announcedAs = null
  }
}

const about = ({ task, store, topic }: Following): RestoredStore => ({
  taskId: task.taskId,
  store: store.spec.name,
  topic,
  partition: task.partition,
})
