import { decisionOf } from '../common/handler-decision.ts'
import type { RecordMetadata } from '../processor/processor-context.ts'

/** What a handler knows of a record that failed. */
export interface FailedRecord extends RecordMetadata {
  readonly nodeName: string
  readonly taskId: string
}

/**
 * What a handler knows of a record that could not be written: `nodeName` is the sink, and topic, partition and offset are those of
 * the record it came from.
 */
export interface UnwrittenRecord extends FailedRecord {
  /** Where it was to go. */
  readonly outputTopic: string
}

/**
 * `fail` stops the application; `continue` skips the record and counts it; `dead-letter` does so too, and keeps its bytes and
 * what happened in `deadLetterTopic`. A record of a global table is only skipped and counted then: nothing is written for it.
 */
export type HandlerDecision = (typeof decisions)[number]
const decisions = ['fail', 'continue', 'dead-letter'] as const
export type ErrorHandler = (error: Error, record: FailedRecord) => HandlerDecision
export type ProductionHandler = (error: Error, record: UnwrittenRecord) => HandlerDecision

export interface ErrorHandlers {
  /** Bytes that do not decode. */
  readonly deserialization: ErrorHandler
  /** User code that throws. */
  readonly processing: ErrorHandler
  /** Records that a sink's serde cannot write (a SerdeError), or that the log refuses (a BrokerError). */
  readonly production: ProductionHandler
}

/** What the deserialization handler says; one that throws or says nothing is named in the error. */
export const askAboutBytes = (handlers: ErrorHandlers, error: Error, record: FailedRecord): HandlerDecision =>
  decisionOf('deserialization handler', record.nodeName, error, decisions, () =>
    handlers.deserialization(error, record),
  )

/** As `askAboutBytes`, for the processing handler. */
export const askAboutRecord = (handlers: ErrorHandlers, error: Error, record: FailedRecord): HandlerDecision =>
  decisionOf('processing handler', record.nodeName, error, decisions, () => handlers.processing(error, record))

/** As `askAboutBytes`, for the production handler. */
export const askAboutOutput = (handlers: ErrorHandlers, error: Error, record: UnwrittenRecord): HandlerDecision =>
  decisionOf('production handler', record.nodeName, error, decisions, () => handlers.production(error, record))

/** Log and fail, as Kafka Streams does: a program that skips input says so itself. */
export const failAlways: ErrorHandlers = {
  deserialization: () => 'fail',
  processing: () => 'fail',
  production: () => 'fail',
}

/** What a program wants that names a dead-letter topic and no handlers. */
export const keepAlways: ErrorHandlers = {
  deserialization: () => 'dead-letter',
  processing: () => 'dead-letter',
  production: () => 'dead-letter',
}
