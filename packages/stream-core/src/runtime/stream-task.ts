import { assert } from '../common/assert.ts'
import { javaRules } from '../common/java-rules.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import { noHeaders, noRecordContext, type RecordContext } from '../common/record.ts'
import type { PunctuationType } from '../processor/processor-context.ts'
import type { StoreHost } from '../state/store-host.ts'
import { TaskState } from '../state/task-state.ts'
import type { SourceNode } from '../topology/node.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { RawRecord } from './dead-letters.ts'
import { buildNodes, enter, noNodes } from './node-graph.ts'
import { PartitionGroup } from './partition-group.ts'
import { Punctuations } from './punctuations.ts'
import { flushFailure } from './flush-failure.ts'
import { RecordQueue, type TakenRecord } from './record-queue.ts'
import type { RunningNode, RunningProcessor } from './running-node.ts'
import type { TaskServices } from './task-services.ts'
import type { InputPosition, StreamTaskOptions } from './stream-task-options.ts'
import { TaskFailures } from './task-failures.ts'
import { TaskMetrics } from './task-metrics.ts'

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
  readonly #host: StoreHost
  readonly #queues = new Map<string, RecordQueue>()
  readonly #group = new PartitionGroup()
  readonly #failures: TaskFailures
  #punctuations = new Punctuations()
  #graph = noNodes
  #asyncNodes: readonly RunningProcessor[] = []
  /** Numbers that operators keep with the committed offsets. */
  readonly #numbers = new Map<string, number>()
  /** Those that are asked for at each commit. */
  readonly #kept = new Map<string, () => number>()
  #streamTimeMs = -1
  #taken: TakenRecord | null = null
  /** A call may end, and fail, when other records have been read: with a dead-letter topic its record's bytes are kept. */
  readonly #rawOfCalls = new WeakMap<RecordContext, RawRecord>()
  /** Something happened since the last commit: records, punctuations, or flushed caches. */
  #isDirty = false
  #isCommitRequested = false
  /** Set while the calls under way are waited for, before a commit. */
  isIntakeStopped = false

  constructor(options: StreamTaskOptions) {
    this.#options = options
    this.taskId = options.taskId
    this.partition = options.partition
    const specs = new Map(options.topology.stores.map((spec) => [spec.name, spec]))
    const host: StoreHost = {
      recordContext: noRecordContext,
      cache: options.cache,
      hasExactCacheSizes: options.hasExactCacheSizes,
      isGlobal: false,
      isReadOnly: false,
      drop: (storeName, reason) => this.metrics.drop(storeName, reason),
    }
    this.#host = host
    this.#failures = new TaskFailures({
      ...options,
      host,
      metrics: this.metrics,
      rawOf: (context) => this.#rawOf(context),
      onSent: () => void (this.#isDirty = true),
    })
    const stores = options.storeNames.map((name) => specs.get(name)!)
    this.state = new TaskState({ ...options, directory: options.stateDirectory, stores, host })
  }

  get isDirty(): boolean {
    return this.#isDirty
  }

  get isCommitRequested(): boolean {
    return this.#isCommitRequested
  }

  /** A record can be processed now. */
  get hasRecords(): boolean {
    return !this.#group.isEmpty && !this.isIntakeStopped && !this.#isAsyncFull
  }

  /** Event time of the record that `processNext` would take; Infinity when there is none. */
  get nextTimeMs(): number {
    return this.#group.nextTimeMs
  }

  /** Asynchronous calls whose results were not taken. */
  get pendingCalls(): number {
    let pending = 0
    for (const { asyncWork } of this.#asyncNodes) pending += asyncWork!.pending
    return pending
  }

  /** Calls under way, by the name of their node. */
  get callsUnderWay(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const node of this.#asyncNodes) {
      const { running } = node.asyncWork!
      if (running > 0) counts.set(node.name, running)
    }
    return counts
  }

  /** A call has failed while the application closes: its record is to be read again. */
  get hasLeftCalls(): boolean {
    return this.#asyncNodes.some((node) => node.asyncWork!.left > 0)
  }

  /** The application closes: no call is tried again. */
  endRetries(): void {
    for (const node of this.#asyncNodes) node.asyncWork!.endRetries()
  }

  /** Before a close: gives up what was done since the last commit. Processors stay, for they are to be closed. */
  abandon(): void {
    for (const { asyncWork } of this.#asyncNodes) asyncWork!.cancel()
    this.isIntakeStopped = true
    this.state.dropActive()
  }

  get #isAsyncFull(): boolean {
    const nodes = this.#asyncNodes
    for (let i = 0; i < nodes.length; i++) if (nodes[i]!.asyncWork!.isFull) return true
    return false
  }

  get streamTimeMs(): number {
    return this.#streamTimeMs
  }

  /** As `queues`, without an iterator. */
  queueList: readonly RecordQueue[] = []

  /** Its processors and sinks; none while it is not initialised. */
  get nodes(): readonly RunningNode[] {
    return this.#graph.nodes
  }

  get queues(): Iterable<RecordQueue> {
    return this.#queues.values()
  }

  /** Numbers that operators keep with the committed offsets, by name. */
  get committedNumbers(): ReadonlyMap<string, number> {
    for (const [name, read] of this.#kept) {
      const value = read()
      if (value >= 0) this.#numbers.set(name, value)
    }
    return this.#numbers
  }

  /** Topics (as the log names them) this task reads its partition of; those that patterns match are not among them. */
  get inputTopics(): readonly string[] {
    return this.#sources().flatMap((source) => source.topics.map((topic) => this.#options.topicName(topic)))
  }

  /**
   * Builds the processors; state must be restored before. `positions` says from where each input is read, `numbers` what
   * operators kept with these positions.
   */
  initialise(positions: ReadonlyMap<string, InputPosition>, numbers: ReadonlyMap<string, number> = new Map()): void {
    this.#numbers.clear()
    this.#kept.clear()
    for (const [name, value] of numbers) this.#numbers.set(name, value)
    const { topology, output, topicName } = this.#options
    const names = new Set(this.#options.nodeNames)
    const nodes = topology.nodes.filter((node) => names.has(node.name))
    this.#graph = buildNodes(nodes, this.#services(), output, topicName)
    for (const source of this.#sources()) {
      for (const name of source.topics) {
        const topic = topicName(name)
        const position = positions.get(topic)
        if (position === undefined) continue
        const queue = this.#openQueue(source, topic, position)
        this.#queues.set(topic, queue)
        if (queue.partitionTimeMs > this.#streamTimeMs) this.#streamTimeMs = queue.partitionTimeMs
      }
    }
    this.queueList = [...this.#queues.values()]
    for (const processor of this.#graph.processors) processor.init()
    this.#asyncNodes = this.#graph.processors.filter(({ asyncWork }) => asyncWork !== null)
  }

  /** Reads a topic that nobody named, if a source's pattern matches it; false if none does. */
  openMatching(topic: string, position: InputPosition): boolean {
    const source = this.#sources().find(({ pattern }) => pattern !== null && matchesTopic(pattern, topic))
    if (source === undefined) return false
    this.#queues.set(topic, this.#openQueue(source, topic, position))
    this.queueList = [...this.#queues.values()]
    return true
  }

  /** Back to `created`: after an abort, what processors remember is as wrong as the active layers. */
  reset(dropsActive = true): void {
    for (const { asyncWork } of this.#asyncNodes) asyncWork!.cancel()
    this.#asyncNodes = []
    this.isIntakeStopped = false
    this.#queues.clear()
    this.queueList = []
    this.#group.clear()
    this.#graph = noNodes
    this.#punctuations = new Punctuations()
    this.#isDirty = this.#isCommitRequested = false
    this.#streamTimeMs = -1
    this.#host.recordContext = noRecordContext
    if (dropsActive) this.state.dropActive()
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

  /** Takes results of asynchronous calls that have ended; true if there were any. */
  completeAsync(): boolean {
    let hasRun = false
    for (const node of this.#asyncNodes) if (node.completeAsync()) hasRun = true
    if (hasRun) this.#isDirty = true
    return hasRun
  }

  /** Processes the record with the lowest event time; false when there is none, or none may be taken. */
  processNext(): boolean {
    if (this.isIntakeStopped || (this.#asyncNodes.length > 0 && this.#isAsyncFull)) return false
    const queue = this.#group.poll()
    if (queue === null) return false
    const offset = queue.headOffset
    const record = queue.take()
    if (queue.head !== null) this.#group.offer(queue)
    this.#taken = queue.taken
    const { timestampMs, headers } = record
    if (timestampMs > this.#streamTimeMs) this.#streamTimeMs = timestampMs
    const context = { timestampMs, headers, topic: queue.topic, partition: queue.partition, offset }
    this.#host.recordContext = context
    if (this.#asyncNodes.length > 0 && this.#options.deadLetterTopic !== null) {
      this.#rawOfCalls.set(context, queue.takenRaw(Math.max(0, timestampMs), headers))
    }
    this.#isDirty = true
    enter(this.#graph.entry.get(queue.source.name)!, record)
    this.metrics.recordsProcessed++
    return true
  }

  /** Runs schedules that are due; true if any was. */
  punctuate(type: PunctuationType): boolean {
    const timeMs = type === 'stream-time' ? this.#streamTimeMs : this.#options.nowMs()
    const hasRun = this.#punctuations.punctuate(type, timeMs)
    if (hasRun) this.#isDirty = true
    return hasRun
  }

  nextWallClockMs = (): number => this.#punctuations.nextWallClockMs()

  /**
   * Empties the record caches in the order of the stores, which is topological: forwarding from one may fill the next. All
   * are emptied even if one fails; then the first failure is thrown.
   */
  flushCaches(): void {
    let failure: Error | null = null
    for (const store of this.state.stores.values()) {
      try {
        store.flushCache()
      } catch (error) {
        failure ??= flushFailure(store.spec.name, error as Error, this.#options.topology[javaRules])
      }
    }
    if (failure !== null) throw failure
  }

  /** The commit is done. */
  markCommitted(): void {
    for (const queue of this.#queues.values()) queue.committed = queue.committable
    this.#isDirty = this.#isCommitRequested = this.isIntakeStopped = false
  }

  /** Tells the processors that their task ends; a second call does nothing. */
  closeProcessors(): void {
    const { processors } = this.#graph
    this.#graph = noNodes
    const failures: unknown[] = []
    for (const processor of processors) {
      try {
        processor.close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  close(): void {
    this.closeProcessors()
    this.state.close()
  }

  #sources(): readonly SourceNode[] {
    const names = new Set(this.#options.nodeNames)
    return this.#options.topology.nodes.filter(
      (node): node is SourceNode => node.kind === 'source' && names.has(node.name),
    )
  }

  #openQueue(source: SourceNode, topic: string, { partitionTimeMs, ...from }: InputPosition): RecordQueue {
    const queue = new RecordQueue(source, topic, this.partition, from, {
      onUndecodable: (error, at, raw) => {
        const record = { topic, partition: this.partition, offset: at, nodeName: source.name, taskId: this.taskId }
        return this.#failures.onUndecodable(error, record, raw)
      },
      onDropped: (reason) => this.metrics.drop(source.name, reason),
    })
    queue.partitionTimeMs = partitionTimeMs
    return queue
  }

  #services(): TaskServices {
    const { applicationId, nowMs, globalStore, emitIntervalMs, wake, sleep } = this.#options
    const failures = this.#failures
    return {
      applicationId,
      taskId: this.taskId,
      host: this.#host,
      emitIntervalMs,
      passesCastsOn: this.#options.topology[javaRules],
      taken: () => this.#taken,
      looksForChanges: this.#options.looksForChanges ?? false,
      store: (name) => this.state.stores.get(name),
      globalStore,
      schedule: (intervalMs, type, startMs, run) =>
        this.#punctuations.add({
          intervalMs,
          type,
          startMs,
          nowMs: type === 'stream-time' ? this.#streamTimeMs : nowMs(),
          run: (timestampMs) => this.#runPunctuation(timestampMs, run),
        }),
      requestCommit: () => void (this.#isCommitRequested = true),
      streamTimeMs: () => this.#streamTimeMs,
      nowMs,
      drop: (nodeName, reason) => this.metrics.drop(nodeName, reason),
      mayContinue: (error, nodeName) => failures.mayContinue(error, nodeName),
      mayContinueWithout: (error, nodeName, outputTopic) => failures.mayContinueWithout(error, nodeName, outputTopic),
      onRefused: (nodeName, outputTopic) => failures.onRefused(nodeName, outputTopic),
      committedNumber: (name) => this.#numbers.get(name),
      setCommittedNumber: (name, value) => void this.#numbers.set(name, value),
      keepNumber: (name, read) => {
        this.#kept.set(name, read)
        return this.#numbers.get(name) ?? -1
      },
      shared: new Map(),
      wake,
      sleep,
    }
  }

  /** The bytes of the record that is being processed, or that a call is about; none for what a schedule is about. */
  #rawOf(context: RecordContext): RawRecord {
    const kept = this.#rawOfCalls.get(context)
    if (kept !== undefined) return kept
    const { topic, offset, timestampMs, headers } = context
    const queue = topic === null ? undefined : this.#queues.get(topic)
    const atMs = Math.max(0, timestampMs)
    if (queue?.takenOffset === offset) return queue.takenRaw(atMs, headers)
    return { key: null, value: null, timestampMs: atMs, headers }
  }

  /** No record is being processed while a schedule runs: what it forwards has its time, and no place in a topic. */
  #runPunctuation(timestampMs: number, run: (timestampMs: number) => void): void {
    const outer = this.#host.recordContext
    const context: RecordContext = { timestampMs, headers: noHeaders, topic: null, partition: -1, offset: -1 }
    this.#host.recordContext = context
    try {
      run(timestampMs)
    } finally {
      this.#host.recordContext = outer
    }
  }
}
