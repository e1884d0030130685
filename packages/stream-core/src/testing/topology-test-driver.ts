import { ConfigError, StreamsError } from '../common/errors.ts'
import { partitionForKey } from '../common/murmur2.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import { GlobalTask } from '../runtime/global-task.ts'
import { changelogTopic } from '../runtime/internal-topics.ts'
import type { StreamTask } from '../runtime/stream-task.ts'
import type { InputPosition } from '../runtime/stream-task-options.ts'
import { Waker } from '../runtime/waker.ts'
import { faceOf } from '../state/open-store.ts'
import { RecordCache } from '../state/record-cache.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Topology } from '../topology/topology.ts'
import {
  checkDriverOptions,
  checkOutput,
  checkedCrash,
  checkedPatience,
  checkPlace,
  type DrainOptions,
  type DriverCommitOptions,
  type TopologyTestDriverOptions,
  wholeMs,
  globalHandlersOf,
  handlersOf,
} from './driver-options.ts'
import { DriverInputs } from './driver-inputs.ts'
import { batchOf, DriverLog, type ProducedRecord } from './driver-log.ts'
import { restoreTask, type CommittedInputs, committedInputs } from './driver-restore.ts'
import { partitionCounts } from './driver-partitions.ts'
import { type DriverTaskOptions, oneTask, tasksByPartition } from './driver-tasks.ts'
import { TestInputTopic, type TestInputOptions, TestOutputTopic, type TopicSerdes } from './test-topics.ts'
import { VirtualSleeps } from './virtual-sleeps.ts'

/**
 * Runs a topology without a broker, a clock or a disk, for tests: records in, records out, everything in between is the code
 * that runs in production. By default it behaves as Kafka Streams' TopologyTestDriver, commit after each record included;
 * what that one lacks are the options `partitions`, `cacheMaxBytes`, `commits`, crashes, and asynchronous operators.
 */
export class TopologyTestDriver {
  readonly #options: TopologyTestDriverOptions
  readonly #applicationId: string
  readonly #topology: Topology
  readonly #partitionCount: (topic: string) => number
  readonly #log: DriverLog
  readonly #waker = new Waker()
  readonly #sleeps = new VirtualSleeps(() => this.#wallClockMs)
  #tasks: readonly StreamTask[] = []
  #global: GlobalTask
  /** One for all stores, global ones too. */
  #cache: RecordCache | null = null
  readonly #inputs: DriverInputs
  /** What was produced and not yet committed. */
  #pending: [topic: string, record: ProducedRecord][] = []
  #committed: CommittedInputs = new Map()
  #wallClockMs: number
  #isClosed = false

  constructor(topology: Topology, options: TopologyTestDriverOptions = {}) {
    checkDriverOptions(topology, options)
    if (topology.missingSerdes.length > 0) throw new ConfigError('defaults', topology.missingSerdes.join('; '))
    this.#options = options
    this.#topology = topology
    this.#applicationId = options.applicationId ?? 'app'
    this.#wallClockMs = options.wallClockStartMs ?? 0
    this.#partitionCount = partitionCounts(topology, this.#applicationId, options.partitions)
    this.#log = new DriverLog(this.#partitionCount)
    this.#inputs = new DriverInputs(topology, this.#partitionCount, (topic, partition) =>
      this.#positionOf(topic, partition),
    )
    this.#global = this.#newGlobal()
    this.#start()
    this.#settle()
  }

  /** A topic to put records into: one that the topology reads. */
  createInputTopic<K, V>(
    topic: string,
    serdes: TopicSerdes<K, V>,
    options: TestInputOptions = {},
  ): TestInputTopic<K, V> {
    this.#checkInput(topic)
    return new TestInputTopic(
      topic,
      serdes,
      options,
      (key, value, timestampMs, headers, partition) => this.#pipe(topic, key, value, timestampMs, headers, partition),
      () => this.#wallClockMs,
    )
  }

  /** A topic to read records from, internal ones included. */
  createOutputTopic<K, V>(topic: string, serdes: TopicSerdes<K, V>): TestOutputTopic<K, V> {
    checkOutput(this.#topology, topic, this.#options)
    return new TestOutputTopic(topic, serdes, this.#log)
  }

  /** Sends raw bytes: also ones that do not decode. */
  pipeBytes(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestampMs: number,
    headers: Headers = noHeaders,
  ): void {
    this.#checkInput(topic)
    this.#pipe(topic, key, value, timestampMs, headers, undefined)
  }

  /** Moves the wall clock and runs what is due. */
  advanceWallClockTime(byMs: number): void {
    this.#checkOpen()
    this.#wallClockMs += wholeMs('byMs', byMs)
    this.#sleeps.wakeDue()
    for (const task of this.#tasks) task.punctuate('wall-clock-time')
    if (this.#commitsEachRecord) for (const task of this.#tasks) this.#commitTask(task)
    this.#settle()
    this.#run()
  }

  /** With `commits: 'manual'`: commits, and goes on with what becomes visible by it, until nothing is left. */
  commit(options: DriverCommitOptions = {}): void {
    this.#checkOpen()
    const crash = checkedCrash(options)
    if (this.#tasks.some((task) => task.pendingCalls > 0)) {
      throw new StreamsError('ILLEGAL_STATE', 'asynchronous calls are under way: await drain() before commit()')
    }
    for (const task of this.#tasks) task.flushCaches()
    this.#appendChangelogs()
    if (crash === 'before-the-log') return this.crash()
    this.#committed = committedInputs(this.#tasks)
    const pending = this.#takePending()
    if (crash === 'after-the-log') {
      for (const [topic, record] of pending) this.#log.append(topic, record, 'topology')
      return this.#restart()
    }
    for (const task of this.#tasks) {
      task.state.freeze(new Map())
      task.markCommitted()
    }
    this.#publish(pending)
    this.#run()
    if (this.#tasks.some((task) => task.isDirty)) this.commit()
  }

  /** The process dies now, with nothing committed since the last time, and starts again. */
  crash(): void {
    this.#checkOpen()
    // At least once: what was produced is in the log, though the positions are not; changelogs are written at the commit.
    const survivors = this.#options.processingGuarantee === 'at-least-once' ? this.#takePending() : []
    this.#pending = []
    for (const [topic, record] of survivors) this.#log.append(topic, record, 'topology')
    this.#restart()
  }

  /** Waits for all asynchronous calls and retries; rejects when none has ended or begun for `patienceMs` of real time (5000). */
  async drain(options: DrainOptions = {}): Promise<void> {
    const patienceMs = checkedPatience(options)
    this.#checkOpen()
    for (;;) {
      let hasRun = false
      for (const task of this.#tasks) if (task.completeAsync()) hasRun = true
      this.#settle()
      this.#run()
      if (hasRun) continue
      if (this.#tasks.every((task) => task.pendingCalls === 0)) break
      await this.#sleeps.patiently(this.#waker.next(), patienceMs, this.#tasks)
    }
    if (this.#commitsEachRecord) for (const task of this.#tasks) this.#commitTask(task)
    this.#settle()
    this.#run()
  }

  /** A store of the topology, to look at or to fill; with several partitions, that of one. */
  store<S>(name: string, partition = 0): S {
    this.#checkOpen()
    for (const task of this.#tasks) {
      const store = task.state.stores.get(name)
      if (store !== undefined && task.partition === partition) return faceOf(store) as S
    }
    const global = this.#global.store(name)
    if (global !== undefined) return faceOf(global) as S
    throw new StreamsError('ILLEGAL_STATE', `the topology has no store "${name}" in partition ${partition}`)
  }

  /** All stores of partition 0, global ones too. */
  get stores(): ReadonlyMap<string, StateStore> {
    this.#checkOpen()
    const tasks = this.#tasks.filter(({ partition }) => partition === 0)
    return new Map([...tasks.flatMap((task) => [...task.state.stores]), ...this.#global.state.stores])
  }

  /** Records that went no further, by `node/reason`. */
  get dropped(): ReadonlyMap<string, number> {
    const sum = new Map(this.#global.metrics.dropped)
    for (const { metrics } of this.#tasks) {
      for (const [reason, count] of metrics.dropped) sum.set(reason, (sum.get(reason) ?? 0) + count)
    }
    return sum
  }

  /** How many of them Kafka Streams' `dropped-records` would count. */
  get droppedRecords(): number {
    return this.#tasks.reduce((sum, { metrics }) => sum + metrics.droppedRecords, this.#global.metrics.droppedRecords)
  }

  /** The largest event time that any task has seen; −1 before the first record. */
  get streamTimeMs(): number {
    return Math.max(...this.#tasks.map((task) => task.streamTimeMs))
  }

  /** Every visible record of a topic, internal ones too, in bytes. */
  producedRecords(topic: string): readonly ProducedRecord[] {
    return this.#log.records(topic)
  }

  get producedTopics(): readonly string[] {
    return this.#log.topics
  }

  /** Ends it; what was written can still be read. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const task of this.#tasks) task.close()
    this.#global.close()
  }

  get #commitsEachRecord(): boolean {
    return this.#options.commits !== 'manual'
  }

  #newGlobal(): GlobalTask {
    const { cacheMaxBytes = 0 } = this.#options
    this.#cache = cacheMaxBytes === 0 ? null : new RecordCache(cacheMaxBytes)
    return new GlobalTask({
      applicationId: this.#applicationId,
      topology: this.#topology,
      stateDirectory: null,
      handlers: globalHandlersOf(this.#options, this.#topology),
      nowMs: () => this.#wallClockMs,
      cache: this.#cache,
    })
  }

  #taskOptions(): DriverTaskOptions {
    const { emitIntervalMs = 0, deadLetterTopic = null } = this.#options
    return {
      topology: this.#topology,
      applicationId: this.#applicationId,
      handlers: handlersOf(this.#options),
      deadLetterTopic,
      nowMs: () => this.#wallClockMs,
      output: {
        append: (topic, partition, key, value, timestampMs, headers) =>
          this.#pending.push([topic, { key: copy(key), value: copy(value), timestampMs, headers, partition }]),
        partitionCount: this.#partitionCount,
      },
      globalStore: (name) => this.#global.store(name),
      cache: this.#cache,
      emitIntervalMs,
      wake: () => this.#waker.wake(),
      sleep: (delayMs, signal, purpose) => this.#sleeps.sleep(delayMs, signal, purpose),
    }
  }

  /** Makes the tasks, with what the log holds of their state, and reads on from the committed positions. */
  #start(): void {
    const options = this.#taskOptions()
    this.#tasks =
      this.#options.partitions === undefined ? oneTask(options) : tasksByPartition(options, this.#partitionCount)
    for (const task of this.#tasks) {
      restoreTask(task, this.#topology, this.#applicationId, this.#log, this.#committed)
    }
    this.#inputs.assign(this.#tasks)
  }

  #restart(): void {
    for (const task of this.#tasks) task.reset()
    this.#global.close()
    this.#global = this.#newGlobal()
    for (const topic of this.#global.topics) {
      for (let partition = 0; partition < this.#partitionCount(topic); partition++) {
        for (const [offset, record] of this.#log.partition(topic, partition).entries()) {
          this.#global.add(topic, partition, batchOf(topic, offset, record, this.#wallClockMs))
        }
      }
    }
    this.#start()
    for (const topic of this.#inputs.topics) {
      for (let partition = 0; partition < this.#partitionCount(topic); partition++) {
        const records = this.#log.partition(topic, partition)
        const { offset } = this.#positionOf(topic, partition)
        for (let i = this.#inputs.indexOf(topic, partition, offset); i < records.length; i++) {
          this.#inputs.add(topic, i, records[i]!, this.#wallClockMs)
        }
      }
    }
    this.#settle()
    this.#run()
  }

  #positionOf(topic: string, partition: number): InputPosition {
    return this.#committed.get(`${topic}:${partition}`) ?? { offset: 0, partitionTimeMs: -1 }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StreamsError('ILLEGAL_STATE', 'the test driver is closed: make a new one')
  }

  #checkInput(topic: string): void {
    this.#checkOpen()
    if (this.#inputs.has(topic) || this.#global.topics.includes(topic)) return
    const known = [...this.#inputs.topics, ...this.#global.topics]
    throw new StreamsError('INVALID_ARGUMENT', `the topology does not read "${topic}"; it reads ${known.join(', ')}`)
  }

  #pipe(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestampMs: number,
    headers: Headers,
    partition: number | undefined,
  ): void {
    this.#checkOpen()
    const count = this.#partitionCount(topic)
    checkPlace(topic, timestampMs, partition, count)
    const chosen = partition ?? (key === null ? 0 : partitionForKey(key, count))
    this.#publish([[topic, { key, value, timestampMs, headers, partition: chosen }]], 'test')
    this.#run()
  }

  #run(): void {
    for (let isProgressing = true; isProgressing;) {
      isProgressing = false
      for (const task of this.#tasks) {
        while (task.processNext()) {
          isProgressing = true
          task.punctuate('stream-time')
          if (this.#commitsEachRecord && task.pendingCalls === 0) this.#commitTask(task)
          this.#settle()
        }
      }
    }
  }

  #commitTask(task: StreamTask): void {
    if (task.pendingCalls > 0) return
    task.flushCaches()
    this.#appendChangelogsOf(task)
    task.state.freeze(new Map())
    task.markCommitted()
    for (const [key, input] of committedInputs([task])) (this.#committed as Map<string, typeof input>).set(key, input)
  }

  #appendChangelogs(): void {
    for (const task of this.#tasks) this.#appendChangelogsOf(task)
  }

  #appendChangelogsOf(task: StreamTask): void {
    for (const store of task.state.stores.values()) {
      if (store.spec.logging === null) continue
      const topic = changelogTopic(this.#applicationId, store.spec.name)
      store.changes((key, value, timestampMs, headers) => {
        const bytes = { key: Buffer.from(key, 'latin1'), value: value && copy(value) }
        this.#pending.push([topic, { ...bytes, timestampMs, headers, partition: task.partition }])
      })
    }
  }

  /** Makes visible what was produced, if it is so without a commit. */
  #settle(): void {
    if (this.#commitsEachRecord || this.#options.processingGuarantee === 'at-least-once')
      this.#publish(this.#takePending())
  }

  #takePending(): [topic: string, record: ProducedRecord][] {
    const pending = this.#pending
    this.#pending = []
    return pending
  }

  /** Appends to the log, and hands over what is read here. What a test sends is nothing that was produced. */
  #publish(
    records: readonly (readonly [topic: string, record: ProducedRecord])[],
    from: 'topology' | 'test' = 'topology',
  ): void {
    for (const [topic, record] of records) {
      const offset = this.#log.partition(topic, record.partition).length
      this.#log.append(topic, record, from)
      if (this.#global.topics.includes(topic)) {
        this.#global.add(topic, record.partition, batchOf(topic, offset, record, this.#wallClockMs))
      } else {
        this.#inputs.add(topic, offset, record, this.#wallClockMs)
      }
    }
  }
}

const copy = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))
