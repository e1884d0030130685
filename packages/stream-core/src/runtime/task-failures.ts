import type { OnRefused } from '../broker/broker.ts'
import { ConfigError } from '../common/errors.ts'
import type { RecordContext } from '../common/record.ts'
import type { StoreHost } from '../state/store-host.ts'
import { type RawRecord, sendDeadLetter } from './dead-letters.ts'
import {
  askAboutBytes,
  askAboutOutput,
  askAboutRecord,
  type ErrorHandlers,
  failAlways,
  type FailedRecord,
  type HandlerDecision,
} from './handlers.ts'
import type { Output } from './record-collector.ts'
import type { TaskMetrics } from './task-metrics.ts'

export interface TaskFailuresOptions {
  readonly taskId: string
  readonly partition: number
  readonly handlers: ErrorHandlers
  /** null: nowhere. */
  readonly deadLetterTopic: string | null
  readonly output: Output
  readonly host: StoreHost
  readonly metrics: TaskMetrics
  /** The bytes of the record that a context is about, as far as they are known. */
  readonly rawOf: (context: RecordContext) => RawRecord
  /** A dead letter was sent. */
  readonly onSent: () => void
}

/** What becomes of the records of a task that fail: its handlers are asked, and what they say is done and counted. */
export class TaskFailures {
  readonly #options: TaskFailuresOptions

  constructor(options: TaskFailuresOptions) {
    this.#options = options
  }

  /** Bytes that do not decode. */
  onUndecodable(error: Error, record: FailedRecord, raw: () => RawRecord): HandlerDecision {
    const decision = askAboutBytes(this.#options.handlers, error, record)
    if (decision === 'fail') return decision
    this.#options.metrics.drop(record.nodeName, 'deserialization-failed')
    if (decision === 'dead-letter') this.#send(error, record, raw())
    return decision
  }

  /** User code that threw, about the record that is being processed; its node counts it. */
  mayContinue(error: Error, nodeName: string): boolean {
    const failed = this.#failedRecord(nodeName)
    const decision = askAboutRecord(this.#options.handlers, error, failed)
    if (decision === 'dead-letter') this.#send(error, failed, this.#raw())
    return decision !== 'fail'
  }

  /** A record that a sink cannot write. */
  mayContinueWithout(error: Error, nodeName: string, outputTopic: string): boolean {
    const failed = this.#failedRecord(nodeName)
    return this.#leavesOut('serialization-failed', error, failed, outputTopic, () => this.#raw())
  }

  /** Who is asked when the log refuses the record that a sink is writing; undefined: nobody, for the answer is known. */
  onRefused(nodeName: string, outputTopic: string): OnRefused | undefined {
    const { handlers, deadLetterTopic } = this.#options
    if (handlers.production === failAlways.production) return undefined
    // When the log answers, the record it came from is gone.
    const failed = this.#failedRecord(nodeName)
    const raw = deadLetterTopic === null ? null : this.#raw()
    return (error) => this.#leavesOut('production-failed', error, failed, outputTopic, () => raw)
  }

  #leavesOut(
    reason: 'serialization-failed' | 'production-failed',
    error: Error,
    failed: FailedRecord,
    outputTopic: string,
    raw: () => RawRecord | null,
  ): boolean {
    const decision = askAboutOutput(this.#options.handlers, error, { ...failed, outputTopic })
    if (decision === 'fail') return false
    this.#options.metrics.drop(failed.nodeName, reason)
    if (decision === 'dead-letter') this.#send(error, failed, raw())
    return true
  }

  #failedRecord(nodeName: string): FailedRecord {
    const { host, taskId, partition: own } = this.#options
    const { topic, partition, offset } = host.recordContext
    return { topic: topic ?? '', partition: topic === null ? own : partition, offset, nodeName, taskId }
  }

  #raw(): RawRecord {
    return this.#options.rawOf(this.#options.host.recordContext)
  }

  #send(error: Error, failed: FailedRecord, raw: RawRecord | null): void {
    const { deadLetterTopic, output, metrics, onSent } = this.#options
    if (deadLetterTopic === null || raw === null) {
      throw new ConfigError(
        'deadLetterTopic',
        `a handler decided 'dead-letter' about "${failed.nodeName}", and there is no deadLetterTopic: name one`,
      )
    }
    sendDeadLetter(output, deadLetterTopic, error, failed, raw)
    metrics.deadLetter(failed.topic ?? '', error.name)
    onSent()
  }
}
