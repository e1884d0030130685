import { ProcessingError, SerdeError, StreamsError, TopologyError } from '../common/errors.ts'
import type { Record } from '../common/record.ts'
import type { Cancellable, ProcessorContext, PunctuationType, RecordMetadata } from '../processor/processor-context.ts'
import type { Processor } from '../processor/processor.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ProcessorNode, SinkNode } from '../topology/node.ts'
import { collect, type Output } from './record-collector.ts'

/** What a running node may use of its task. */
export interface TaskServices {
  readonly applicationId: string
  readonly taskId: string
  readonly stores: ReadonlyMap<string, StateStore>
  schedule(
    node: RunningNode,
    intervalMs: number,
    type: PunctuationType,
    run: (timestampMs: number) => void,
  ): Cancellable
  requestCommit(): void
  metadata(): RecordMetadata | null
  streamTimeMs(): number
  nowMs(): number
  drop(nodeName: string, reason: string): void
  /** Decides about a record on which user code threw: true to go on without it. */
  mayContinue(error: Error, nodeName: string): boolean
  addFlush(flush: () => void): void
}

/** A node of a task while it runs: a processor or a sink, called by its parents. */
export interface RunningNode {
  readonly name: string
  process(record: Record<unknown, unknown>): void
  close(): void
}

export class RunningSink implements RunningNode {
  readonly name: string
  readonly #sink: SinkNode
  readonly #topic: string
  readonly #output: Output

  constructor(sink: SinkNode, topic: string, output: Output) {
    this.name = sink.name
    this.#sink = sink
    this.#topic = topic
    this.#output = output
  }

  process(record: Record<unknown, unknown>): void {
    collect(this.#output, this.#sink, this.#topic, record)
  }

  close(): void {
    // Holds nothing.
  }
}

export class RunningProcessor implements RunningNode, ProcessorContext {
  readonly name: string
  readonly applicationId: string
  readonly taskId: string
  readonly children: RunningNode[] = []
  readonly #node: ProcessorNode
  readonly #services: TaskServices
  readonly #processor: Processor<unknown, unknown, unknown, unknown>

  constructor(node: ProcessorNode, services: TaskServices) {
    this.name = node.name
    this.applicationId = services.applicationId
    this.taskId = services.taskId
    this.#node = node
    this.#services = services
    this.#processor = node.supplier()
  }

  /** Called once all children are connected, so that `init` may already forward. */
  init(): void {
    this.#guard(() => this.#processor.init?.(this))
  }

  process(record: Record<unknown, unknown>): void {
    try {
      this.#processor.process(record)
    } catch (error) {
      this.#failed(error)
    }
  }

  close(): void {
    this.#guard(() => this.#processor.close?.())
  }

  forward(record: Record<unknown, unknown>, childName?: string): void {
    const { children } = this
    if (childName === undefined) {
      for (let i = 0; i < children.length; i++) children[i]!.process(record)
      return
    }
    const child = children.find((candidate) => candidate.name === childName)
    if (!child) {
      throw new TopologyError(`"${this.name}" has no child "${childName}"`, [this.name, childName])
    }
    child.process(record)
  }

  getStateStore<S extends StateStore>(name: string): S {
    if (!this.#node.stores.includes(name)) {
      throw new TopologyError(
        `"${this.name}" is not connected to a store "${name}": name it in the stores of that processor`,
        [this.name],
      )
    }
    return this.#services.stores.get(name) as S
  }

  schedule(intervalMs: number, type: PunctuationType, punctuate: (timestampMs: number) => void): Cancellable {
    return this.#services.schedule(this, intervalMs, type, (timestampMs) => {
      try {
        punctuate(timestampMs)
      } catch (error) {
        this.#failed(error)
      }
    })
  }

  commit(): void {
    this.#services.requestCommit()
  }

  recordMetadata(): RecordMetadata | null {
    return this.#services.metadata()
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

  onFlush(flush: () => void): void {
    this.#services.addFlush(flush)
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      throw this.#wrap(error)
    }
  }

  #failed(error: unknown): void {
    // A child's failure was decided there; asking again would skip more than the one record.
    if (error instanceof StreamsError && !(error instanceof SerdeError && !decided.has(error))) throw error
    const failure = this.#wrap(error)
    decided.add(failure)
    if (!this.#services.mayContinue(failure, this.name)) throw failure
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

/** Failures a handler has been asked about. */
const decided = new WeakSet<Error>()
