import { assert } from '../common/assert.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { Cancellable, PunctuationType, RecordMetadata } from '../processor/processor-context.ts'
import { TaskState } from '../state/task-state.ts'
import type { SourceNode } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'
import type { ErrorHandlers } from './handlers.ts'
import { PartitionGroup } from './partition-group.ts'
import { Punctuations } from './punctuations.ts'
import type { Output } from './record-collector.ts'
import { RecordQueue } from './record-queue.ts'
import { type RunningNode, RunningProcessor, RunningSink, type TaskServices } from './running-node.ts'
import { TaskMetrics } from './task-metrics.ts'

export interface StreamTaskOptions {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  readonly partition: number
  readonly topology: Topology
  /** Nodes of this task's sub-topology. */
  readonly nodeNames: readonly string[]
  readonly storeNames: readonly string[]
  /** Folder of the state; null keeps it in memory. */
  readonly stateDirectory: string | null
  readonly output: Output
  readonly handlers: ErrorHandlers
  readonly nowMs: () => number
  /** A topology's name for a topic to the log's: internal ones carry the application id. */
  readonly topicName: (name: string) => string
}

/**
 * The unit of work: one sub-topology over one partition of its topics, with its state. Production, test driver and
 * simulation run this same class; they differ in where records come from and go to.
 *
 *   created → initialise() → processing ⇄ suspended for a commit → close()
 *                  ↑______ reset() after an abort ______|
 *
 * Everything here is synchronous: one record goes through all its processors before the next is taken (D10).
 */
export class StreamTask {
  readonly taskId: string
  readonly partition: number
  readonly state: TaskState
  readonly metrics = new TaskMetrics()
  readonly #options: StreamTaskOptions
  readonly #queues = new Map<string, RecordQueue>()
  readonly #group = new PartitionGroup()
  #punctuations = new Punctuations()
  #processors: RunningProcessor[] = []
  readonly #entry = new Map<string, RunningNode[]>()
  #flushes: (() => void)[] = []
  #streamTimeMs = -1
  #recordTimeMs = -1
  #metadata: RecordMetadata | null = null
  /** Something happened since the last commit: records, punctuations, or flushed caches. */
  #isDirty = false
  #isCommitRequested = false

  constructor(options: StreamTaskOptions) {
    this.#options = options
    this.taskId = options.taskId
    this.partition = options.partition
    const stores = options.topology.stores.filter((store) => options.storeNames.includes(store.name))
    this.state = new TaskState({
      directory: options.stateDirectory,
      stores,
      currentRecordTimeMs: () => this.#recordTimeMs,
    })
  }

  get isDirty(): boolean {
    return this.#isDirty
  }

  get isCommitRequested(): boolean {
    return this.#isCommitRequested
  }

  get hasRecords(): boolean {
    return !this.#group.isEmpty
  }

  get streamTimeMs(): number {
    return this.#streamTimeMs
  }

  get queues(): Iterable<RecordQueue> {
    return this.#queues.values()
  }

  /** Topics (as the log names them) this task reads its partition of. */
  get inputTopics(): readonly string[] {
    return this.#sources().flatMap((source) => source.topics.map((topic) => this.#options.topicName(topic)))
  }

  /** Builds the processors; state must be restored before. `positions` says from where each input is read. */
  initialise(positions: ReadonlyMap<string, number>): void {
    this.#buildNodes()
    for (const source of this.#sources()) {
      for (const name of source.topics) {
        const topic = this.#options.topicName(name)
        const position = positions.get(topic)
        if (position === undefined) continue
        this.#queues.set(topic, this.#openQueue(source, topic, position))
      }
    }
    for (const processor of this.#processors) processor.init()
  }

  /** Back to `created`: after an abort, what processors remember is as wrong as the active layers. */
  reset(): void {
    this.#queues.clear()
    this.#group.clear()
    this.#entry.clear()
    this.#flushes = []
    this.#punctuations = new Punctuations()
    this.#processors = []
    this.#isDirty = this.#isCommitRequested = false
    this.#metadata = null
    this.state.dropActive()
  }

  /** Takes fetched batches of one of its topics. */
  add(topic: string, records: RecordBatchReader): void {
    const queue = this.#queues.get(topic)
    assert(queue !== undefined, `task ${this.taskId} does not read ${topic}`)
    const before = queue.committable
    if (queue.add(records)) this.#group.offer(queue)
    // Only markers or skipped records: still progress to commit.
    else if (queue.committable !== before) this.#isDirty = true
  }

  /** Processes the record with the lowest event time; false when there is none. */
  processNext(): boolean {
    const queue = this.#group.poll()
    if (queue === null) return false
    const offset = queue.headOffset
    const record = queue.take()
    if (queue.head !== null) this.#group.offer(queue)
    if (record.timestampMs > this.#streamTimeMs) this.#streamTimeMs = record.timestampMs
    this.#recordTimeMs = record.timestampMs
    this.#metadata = { topic: queue.topic, partition: queue.partition, offset }
    this.#isDirty = true
    const entry = this.#entry.get(queue.source.name)!
    for (let i = 0; i < entry.length; i++) entry[i]!.process(record)
    this.metrics.recordsProcessed++
    this.#metadata = null
    return true
  }

  /** Runs schedules that are due; true if any was. */
  punctuate(type: PunctuationType): boolean {
    const timeMs = type === 'stream-time' ? this.#streamTimeMs : this.#options.nowMs()
    const hasRun = this.#punctuations.punctuate(type, timeMs)
    if (hasRun) this.#isDirty = true
    return hasRun
  }

  nextWallClockMs(): number {
    return this.#punctuations.nextWallClockMs()
  }

  /** Empties the record caches; forwarding from one may fill the next, so caches are emptied in topological order. */
  flushCaches(): void {
    for (const flush of this.#flushes) flush()
  }

  /** The commit is done. */
  markCommitted(): void {
    for (const queue of this.#queues.values()) queue.committed = queue.committable
    this.#isDirty = this.#isCommitRequested = false
  }

  close(): void {
    for (const processor of this.#processors) processor.close()
    this.state.close()
  }

  #sources(): readonly SourceNode[] {
    const names = new Set(this.#options.nodeNames)
    return this.#options.topology.nodes.filter(
      (node): node is SourceNode => node.kind === 'source' && names.has(node.name),
    )
  }

  #openQueue(source: SourceNode, topic: string, position: number): RecordQueue {
    return new RecordQueue(source, topic, this.partition, position, {
      onUndecodable: (error, offset) => {
        const record = { topic, partition: this.partition, offset, nodeName: source.name, taskId: this.taskId }
        const decision = this.#options.handlers.deserialization(error, record)
        if (decision === 'continue') this.metrics.drop(source.name, 'deserialization-failed')
        return decision
      },
      onDropped: (reason) => this.metrics.drop(source.name, reason),
    })
  }

  #buildNodes(): void {
    const { topology, output, topicName } = this.#options
    const names = new Set(this.#options.nodeNames)
    const services = this.#services()
    const built = new Map<string, RunningNode>()
    // Nodes are in building order, so children come after their parents: connect each to those already there.
    for (const node of topology.nodes) {
      if (!names.has(node.name)) continue
      if (node.kind === 'source') {
        this.#entry.set(node.name, [])
        continue
      }
      const running =
        node.kind === 'sink'
          ? new RunningSink(node, topicName(node.topic), output)
          : new RunningProcessor(node, services)
      built.set(node.name, running)
      if (running instanceof RunningProcessor) this.#processors.push(running)
      for (const parentName of node.parents) {
        const parent = built.get(parentName)
        if (parent instanceof RunningProcessor) parent.children.push(running)
        else this.#entry.get(parentName)!.push(running)
      }
    }
  }

  #services(): TaskServices {
    const { applicationId, handlers, nowMs } = this.#options
    return {
      applicationId,
      taskId: this.taskId,
      stores: this.state.stores,
      schedule: (_node, intervalMs, type, run): Cancellable => this.#punctuations.add(intervalMs, type, nowMs(), run),
      requestCommit: () => void (this.#isCommitRequested = true),
      metadata: () => this.#metadata,
      streamTimeMs: () => this.#streamTimeMs,
      nowMs,
      drop: (nodeName, reason) => this.metrics.drop(nodeName, reason),
      mayContinue: (error, nodeName) => {
        const at = this.#metadata ?? { topic: '', partition: this.partition, offset: -1 }
        return handlers.processing(error, { ...at, nodeName, taskId: this.taskId }) === 'continue'
      },
      addFlush: (flush) => void this.#flushes.push(flush),
    }
  }
}
