import {
  BrokerError,
  FlushError,
  ProcessingError,
  SerdeError,
  StreamsError,
  TaskCorruptedError,
  TopologyError,
} from '../common/errors.ts'
import { CastError } from '../common/cast-error.ts'
import { noRecordContext, type Record, type RecordContext } from '../common/record.ts'
import type {
  AsyncWork,
  Cancellable,
  EngineContext,
  PunctuationType,
  RecordMetadata,
  ScheduleOptions,
  SleepPurpose,
} from '../processor/processor-context.ts'
import type { Processor } from '../processor/processor.ts'
import { murmur2 } from '../common/murmur2.ts'
import { faceOf } from '../state/open-store.ts'
import type { StoreHost } from '../state/store-host.ts'
import type { ProcessorNode, SinkNode } from '../topology/node.ts'
import type { TaskServices } from './task-services.ts'
import { decide, isDecidedAbout } from './decided-failures.ts'
import { collect, hasWindow, type Output } from './record-collector.ts'
import { refuseAsync } from './refuse-async.ts'
import { refuseChanged } from './refuse-changed.ts'

/** A node of a task while it runs: a processor or a sink, called by its parents. */
export interface RunningNode {
  readonly name: string
  /** Records that were given to it since the task began here. */
  readonly taken: number
  process(record: Record<unknown, unknown>): void
  close(): void
}

export class RunningSink implements RunningNode {
  readonly name: string
  taken = 0
  readonly #sink: SinkNode
  readonly #output: Output
  readonly #topicName: (name: string) => string
  /** The log's name of the topic, unless it is chosen for each record. */
  readonly #topic: string | null
  readonly #services: TaskServices

  constructor(sink: SinkNode, topicName: (name: string) => string, output: Output, services: TaskServices) {
    this.name = sink.name
    this.#services = services
    this.#sink = sink
    this.#output = output
    this.#topicName = topicName
    this.#topic = typeof sink.topic === 'string' ? topicName(sink.topic) : null
  }

  process(record: Record<unknown, unknown>): void {
    this.taken++
    const services = this.#services
    let topic = this.#topic ?? ''
    try {
      if (this.#topic === null) topic = this.#choose(record)
      if (services.looksForChanges) refuseChanged(this.#sink, topic, record, services.taken())
      const isWritten = collect(
        this.#output,
        this.#sink,
        topic,
        record,
        services.taken(),
        services.onRefused(this.name, topic),
      )
      if (!isWritten) services.drop(this.name, 'no-partition-chosen')
    } catch (error) {
      if (error instanceof SerdeError) return this.#leaveOut(error, topic)
      if (error instanceof StreamsError) throw error
      throw new ProcessingError(
        this.name,
        `the sink "${this.name}" failed: ${(error as Error)?.message ?? String(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  close(): void {
    // Holds nothing.
  }

  #leaveOut(error: SerdeError, topic: string): void {
    // In Java the node above has the last word; the partitioner of a windowed key lets a failed cast through as it is.
    if (this.#services.passesCastsOn) {
      const isPartitioned = error.part === 'key' && hasWindow(this.#sink.key)
      throw isPartitioned && error.cause instanceof CastError ? error.cause : error
    }
    if (!decide(error, () => this.#services.mayContinueWithout(error, this.name, topic))) throw error
  }

  #choose(record: Record<unknown, unknown>): string {
    const { topic: choose } = this.#sink
    if (typeof choose === 'string') return this.#topicName(choose)
    const topic = choose(record.key, record.value, record)
    if (typeof topic === 'string' && topic !== '') return this.#topicName(topic)
    throw new ProcessingError(
      this.name,
      `the sink "${this.name}" chose no topic for a record: got ${JSON.stringify(topic)}`,
    )
  }
}

export class RunningProcessor implements RunningNode, EngineContext {
  readonly name: string
  taken = 0
  readonly applicationId: string
  readonly taskId: string
  readonly children: RunningNode[] = []
  readonly #node: ProcessorNode
  readonly #services: TaskServices
  readonly #host: StoreHost
  readonly #processor: Processor<unknown, unknown, unknown, unknown>
  /** Calls that this node has made and whose results were not taken; null: it makes none. */
  asyncWork: AsyncWork | null = null

  constructor(node: ProcessorNode, services: TaskServices) {
    this.name = node.name
    this.applicationId = services.applicationId
    this.taskId = services.taskId
    this.#node = node
    this.#services = services
    this.#host = services.host
    this.#processor = this.#make(node)
  }

  get emitIntervalMs(): number {
    return this.#services.emitIntervalMs
  }

  get recordContext(): RecordContext {
    return this.#host.recordContext
  }

  set recordContext(context: RecordContext) {
    this.#host.recordContext = context
  }

  /** Called once all children are connected, so that `init` may already forward. */
  init(): void {
    this.#guard(() => refuseAsync(this.#processor.init?.(this), this.name))
  }

  process(record: Record<unknown, unknown>): void {
    this.taken++
    try {
      const result = this.#processor.process(record) as unknown
      if (result !== undefined) refuseAsync(result, this.name)
    } catch (error) {
      // Java wraps it before it asks the handler (ProcessorNode#process).
      if (this.#services.passesCastsOn && error instanceof CastError) throw this.#wrap(error)
      this.#failed(error)
    }
  }

  close(): void {
    this.#guard(() => this.#processor.close?.())
  }

  forward(record: Record<unknown, unknown>, childName?: string): void {
    const host = this.#host
    const outer = host.recordContext
    if (outer !== noRecordContext && (record.timestampMs !== outer.timestampMs || record.headers !== outer.headers)) {
      checkTime(record.timestampMs, this.name)
      const { topic, partition, offset } = outer
      host.recordContext = { timestampMs: record.timestampMs, headers: record.headers, topic, partition, offset }
    }
    const { children } = this
    try {
      if (childName === undefined) for (let i = 0; i < children.length; i++) children[i]!.process(record)
      else this.#child(childName).process(record)
    } finally {
      host.recordContext = outer
    }
  }

  getStateStore<S>(name: string): S {
    const global = this.#services.globalStore(name)
    if (global !== undefined) return faceOf(global) as S
    if (!this.#node.stores.includes(name)) {
      throw new TopologyError(
        `"${this.name}" is not connected to a store "${name}": name it in the stores of that processor`,
        [this.name],
      )
    }
    return faceOf(this.#services.store(name)!) as S
  }

  taskStore<S>(name: string): S {
    return faceOf((this.#services.globalStore(name) ?? this.#services.store(name))!) as S
  }

  schedule(
    intervalMs: number,
    type: PunctuationType,
    punctuate: (timestampMs: number) => void,
    { startMs }: ScheduleOptions = {},
  ): Cancellable {
    return this.#services.schedule(intervalMs, type, startMs ?? null, (timestampMs) => {
      try {
        const result: unknown = punctuate(timestampMs)
        if (result !== undefined) refuseAsync(result, this.name)
      } catch (error) {
        this.#failed(error)
      }
    })
  }

  commit(): void {
    this.#services.requestCommit()
  }

  recordMetadata(): RecordMetadata | null {
    const { recordContext } = this.#host
    if (recordContext === noRecordContext) return null
    const { topic, partition, offset } = recordContext
    return { topic, partition, offset }
  }

  currentStreamTimeMs(): number {
    return this.#services.streamTimeMs()
  }

  currentSystemTimeMs(): number {
    return this.#services.nowMs()
  }

  drop(reason: string): void {
    this.#services.drop(this.name, reason)
  }

  committedNumber(name: string): number | undefined {
    return this.#services.committedNumber(name)
  }

  setCommittedNumber(name: string, value: number): void {
    this.#services.setCommittedNumber(name, value)
  }

  keepStreamTime(read: () => number): number {
    // Short: the log limits what a commit may say of a partition, to 4 KiB in Kafka.
    return this.#services.keepNumber(`t${(murmur2(Buffer.from(this.name)) >>> 0).toString(36)}`, read)
  }

  shared<T>(name: string, make: () => T): T {
    const { shared } = this.#services
    if (!shared.has(name)) shared.set(name, make())
    return shared.get(name) as T
  }

  addAsyncWork(work: AsyncWork): void {
    this.asyncWork = work
  }

  /** Takes results of calls that have ended; true if there were any. */
  completeAsync(): boolean {
    const work = this.asyncWork
    if (work === null) return false
    const outer = this.recordContext
    for (let hasRun = false; ; hasRun = true) {
      try {
        if (!work.runNext()) return hasRun
      } catch (error) {
        // Asked about the record of the call, and not about the one that was read last.
        this.#failed(error)
      } finally {
        this.recordContext = outer
      }
    }
  }

  wake(): void {
    this.#services.wake()
  }

  sleep(delayMs: number, signal: AbortSignal, purpose: SleepPurpose): Promise<void> {
    return this.#services.sleep(delayMs, signal, purpose)
  }

  /** Java's rule (ApiUtils#checkSupplier): an object that two tasks share would write into the stores of one of them. */
  #make({ supplier }: ProcessorNode): Processor<unknown, unknown, unknown, unknown> {
    let processor: Processor<unknown, unknown, unknown, unknown>
    try {
      processor = supplier()
    } catch (error) {
      throw this.#wrap(error)
    }
    if (typeof processor?.process !== 'function') {
      throw new TopologyError(`the supplier of "${this.name}" must return a processor: an object with process()`, [
        this.name,
      ])
    }
    if (made.has(processor)) {
      throw new TopologyError(
        `the supplier of "${this.name}" returns the same processor again: each task needs one of its own, so make it inside`,
        [this.name],
      )
    }
    made.add(processor)
    return processor
  }

  #child(name: string): RunningNode {
    const child = this.children.find((candidate) => candidate.name === name)
    if (child === undefined) throw new TopologyError(`"${this.name}" has no child "${name}"`, [this.name, name])
    return child
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      throw this.#wrap(error)
    }
  }

  #failed(error: unknown): void {
    // A child's failure was decided there; asking again would skip more than the one record. What the log or the state did
    // is nothing a handler of records can decide about.
    const isDecided = error instanceof Error && isDecidedAbout(error)
    if (
      isDecided ||
      error instanceof BrokerError ||
      error instanceof TaskCorruptedError ||
      error instanceof FlushError
    ) {
      throw error
    }
    const failure = this.#wrap(error)
    if (!decide(failure, () => this.#services.mayContinue(failure, this.name))) throw failure
    this.#services.drop(this.name, 'processing-failed')
  }

  #wrap(error: unknown): Error {
    if (error instanceof StreamsError) return error
    return new ProcessingError(
      this.name,
      `processor "${this.name}" of task ${this.taskId} failed: ${(error as Error)?.message ?? String(error)}`,
      { cause: error },
    )
  }
}

function checkTime(timestampMs: number, nodeName: string): void {
  if (timestampMs >= 0 && Number.isSafeInteger(timestampMs)) return
  throw new ProcessingError(
    nodeName,
    `"${nodeName}" forwarded a record with the time ${timestampMs}: it must be a whole number of milliseconds, 0 or later`,
  )
}

/** Processors that are or were in use. */
const made = new WeakSet<object>()
