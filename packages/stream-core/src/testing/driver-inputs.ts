import type { SourceNode } from '../topology/node.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'
import { batchOf, type ProducedRecord } from './driver-log.ts'
import type { StreamTask } from '../runtime/stream-task.ts'
import type { InputPosition } from '../runtime/stream-task-options.ts'

/** Which task reads what, topics included that only a source's pattern matches: those are opened when they come up. */
export class DriverInputs {
  readonly #partitionCount: (topic: string) => number
  readonly #positionOf: (topic: string, partition: number) => InputPosition
  /** Topics that a pattern matches, kept over restarts. */
  readonly #matched = new Set<string>()
  readonly #readers = new Map<string, (StreamTask | undefined)[]>()
  readonly #topology: Topology
  /** Records of all topics that a pattern matches, by partition. */
  readonly #patternEnds = new Map<RegExp, number[]>()
  /** Offsets of the records of a topic that a pattern matches, by topic and partition. */
  readonly #offsets = new Map<string, number[]>()
  #tasks: readonly StreamTask[] = []

  constructor(
    topology: Topology,
    partitionCount: (topic: string) => number,
    positionOf: (topic: string, partition: number) => InputPosition,
  ) {
    this.#topology = topology
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

  /** Hands the record at an index of its partition to the task that reads it, if one does. */
  add(topic: string, index: number, record: ProducedRecord, nowMs: number): void {
    const task = this.readerOf(topic, record.partition)
    if (task !== undefined && this.#matched.has(topic)) shareTime(task, topic)
    task?.add(topic, batchOf(topic, this.#offsetOf(topic, record.partition, index), record, nowMs))
  }

  /**
   * The offset of the record at an index of its partition, which is the index; but Java's test driver counts the topics that a
   * pattern matches together.
   */
  #offsetOf(topic: string, partition: number, index: number): number {
    if (!this.#matched.has(topic)) return index
    const offsets = this.#offsetsOf(topic, partition)
    if (index === offsets.length) {
      const ends = this.#endsOf(topic)
      ends[partition] = (ends[partition] ?? 0) + 1
      offsets.push(ends[partition] - 1)
    }
    return offsets[index]!
  }

  /** Where in a partition the first record from an offset on is. */
  indexOf(topic: string, partition: number, offset: number): number {
    if (!this.#matched.has(topic)) return offset
    const offsets = this.#offsetsOf(topic, partition)
    const index = offsets.findIndex((one) => one >= offset)
    return index === -1 ? offsets.length : index
  }

  #offsetsOf(topic: string, partition: number): number[] {
    const place = `${topic}:${partition}`
    const offsets = this.#offsets.get(place) ?? []
    this.#offsets.set(place, offsets)
    return offsets
  }

  #endsOf(topic: string): number[] {
    const source = this.#topology.nodes.find(
      (node) => node.kind === 'source' && node.pattern !== null && matchesTopic(node.pattern, topic),
    ) as SourceNode & { readonly pattern: RegExp }
    const ends = this.#patternEnds.get(source.pattern) ?? []
    this.#patternEnds.set(source.pattern, ends)
    return ends
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

/** Java's test driver has one partition for all topics that a pattern matches, and so one partition time. */
function shareTime(task: StreamTask, topic: string): void {
  const queues = [...task.queues]
  const source = queues.find((queue) => queue.topic === topic)?.source
  const alike = queues.filter((queue) => queue.source === source)
  const timeMs = Math.max(...alike.map(({ partitionTimeMs }) => partitionTimeMs))
  for (const queue of alike) queue.partitionTimeMs = timeMs
}
