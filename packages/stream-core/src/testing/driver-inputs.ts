import type { InputPosition, StreamTask } from '../runtime/stream-task.ts'

/** Which task reads what, topics included that only a source's pattern matches: those are opened when they come up. */
export class DriverInputs {
  readonly #partitionCount: (topic: string) => number
  readonly #positionOf: (topic: string, partition: number) => InputPosition
  /** Topics that a pattern matches, kept over restarts. */
  readonly #matched = new Set<string>()
  readonly #readers = new Map<string, (StreamTask | undefined)[]>()
  #tasks: readonly StreamTask[] = []

  constructor(
    partitionCount: (topic: string) => number,
    positionOf: (topic: string, partition: number) => InputPosition,
  ) {
    this.#partitionCount = partitionCount
    this.#positionOf = positionOf
  }

  /** Tasks that were initialised, in the place of earlier ones. */
  assign(tasks: readonly StreamTask[]): void {
    this.#tasks = tasks
    this.#readers.clear()
    for (const task of tasks) {
      for (const topic of task.inputTopics) {
        const readers = this.#readers.get(topic) ?? []
        this.#readers.set(topic, readers)
        if (task.partition < this.#partitionCount(topic)) readers[task.partition] = task
      }
    }
    for (const topic of this.#matched) this.#openMatching(topic)
  }

  get topics(): readonly string[] {
    return [...this.#readers.keys()]
  }

  has(topic: string): boolean {
    return this.#readers.has(topic) || this.#openMatching(topic)
  }

  readerOf(topic: string, partition: number): StreamTask | undefined {
    return this.has(topic) ? this.#readers.get(topic)![partition] : undefined
  }

  #openMatching(topic: string): boolean {
    const readers: (StreamTask | undefined)[] = []
    for (const task of this.#tasks) {
      if (task.partition >= this.#partitionCount(topic)) continue
      if (task.openMatching(topic, this.#positionOf(topic, task.partition))) readers[task.partition] = task
    }
    if (readers.length === 0) return false
    this.#readers.set(topic, readers)
    this.#matched.add(topic)
    return true
  }
}
