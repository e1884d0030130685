import type { Logger } from '../common/logger.ts'
import type { StreamTask } from './stream-task.ts'

interface Told {
  late: number
  readonly deadLetters: Map<string, number>
}

/** Says in the log what was not counted, or was sent aside, since it said so last: nobody is to find that out from the results. */
export class DropReport {
  readonly #logger: Logger
  readonly #told = new WeakMap<StreamTask, Told>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  tell(tasks: readonly StreamTask[]): void {
    let late = 0
    const deadLetters: { [topicAndClass: string]: number } = {}
    for (const task of tasks) {
      const told = this.#toldOf(task)
      late += task.metrics.late - told.late
      told.late = task.metrics.late
      for (const [topicAndClass, count] of task.metrics.deadLetters) {
        const more = count - (told.deadLetters.get(topicAndClass) ?? 0)
        if (more === 0) continue
        deadLetters[topicAndClass] = (deadLetters[topicAndClass] ?? 0) + more
        told.deadLetters.set(topicAndClass, count)
      }
    }
    if (late > 0) {
      this.#logger.warn(
        { event: 'records.late', late },
        'records came too late for their windows: is the grace too short, or maxTimeSkewMs too large?',
      )
    }
    const count = Object.values(deadLetters).reduce((sum, more) => sum + more, 0)
    if (count > 0) {
      this.#logger.warn(
        { event: 'records.dead-letter', count, deadLetters },
        'records failed and went to the dead-letter topic: `stream-core dead-letters` shows them',
      )
    }
  }

  #toldOf(task: StreamTask): Told {
    const known = this.#told.get(task)
    if (known !== undefined) return known
    const told: Told = { late: 0, deadLetters: new Map() }
    this.#told.set(task, told)
    return told
  }
}
