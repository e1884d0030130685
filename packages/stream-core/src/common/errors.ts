/**
 * Errors by reaction: a class exists only where the one who catches it does something else (docs/errors.md).
 * A `code` is stable and never used again for another meaning; messages may change.
 */
export type ErrorCode =
  | 'INVALID_TOPOLOGY'
  | 'INVALID_ARGUMENT'
  | 'INCOMPATIBLE_STORE'
  | 'MISSING_SERDE'
  | 'INVALID_CONFIG'
  | 'SERDE_FAILED'
  | 'PROCESSING_FAILED'
  | 'BUFFER_FULL'
  | 'FLUSH_FAILED'
  | 'BROKER_UNAVAILABLE'
  | 'BROKER_REFUSED'
  | 'DELIVERY_UNCONFIRMED'
  | 'CORRUPT_LOG'
  | 'LOG_LOCKED'
  | 'OFFSET_OUT_OF_RANGE'
  | 'FENCED'
  | 'MEMBER_LOST'
  | 'TRANSACTION_ABORTABLE'
  | 'TASK_CORRUPTED'
  | 'STORE_NOT_AVAILABLE'
  | 'APPLICATION_SHUT_DOWN'
  | 'THREAD_FAILED'
  | 'ILLEGAL_STATE'

/** The base of every error this library throws on purpose; thrown itself for calls in the wrong state. */
export class StreamsError extends Error {
  override readonly name: string = 'StreamsError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The program's topology is wrong: mend the program. Thrown while building, before any I/O. */
export class TopologyError extends StreamsError {
  override readonly name = 'TopologyError'
  readonly nodeNames: readonly string[]

  constructor(
    message: string,
    nodeNames: readonly string[] = [],
    code: 'INVALID_TOPOLOGY' | 'INCOMPATIBLE_STORE' | 'MISSING_SERDE' = 'INVALID_TOPOLOGY',
  ) {
    super(code, message)
    this.nodeNames = nodeNames
  }
}

/** An argument has a value that makes no sense: mend the call. */
export class ArgumentError extends StreamsError {
  override readonly name = 'ArgumentError'
  readonly argument: string

  constructor(argument: string, message: string) {
    super('INVALID_ARGUMENT', message)
    this.argument = argument
  }
}

/** A suppress buffer with `whenFull: 'shut-down'` is full: raise its limits. */
export class BufferFullError extends StreamsError {
  override readonly name = 'BufferFullError'

  constructor(message: string) {
    super('BUFFER_FULL', message)
  }
}

/** A record failed while a record cache handed it on, at a commit: the record itself was taken long before. */
export class FlushError extends StreamsError {
  override readonly name = 'FlushError'

  constructor(message: string, options?: ErrorOptions) {
    super('FLUSH_FAILED', message, options)
  }
}

/** A setting is missing or wrong: mend the configuration. Thrown before anything is opened. */
export class ConfigError extends StreamsError {
  override readonly name = 'ConfigError'
  readonly option: string

  constructor(option: string, message: string) {
    super('INVALID_CONFIG', message)
    this.option = option
  }
}

/** Bytes that do not decode, or a value that does not encode: the deserialisation handler decides. */
export class SerdeError extends StreamsError {
  override readonly name = 'SerdeError'
  readonly part: 'key' | 'value'

  constructor(part: 'key' | 'value', message: string, options?: ErrorOptions) {
    super('SERDE_FAILED', message, options)
    this.part = part
  }
}

/** User code threw (`cause`): the processing handler decides. */
export class ProcessingError extends StreamsError {
  override readonly name = 'ProcessingError'
  readonly nodeName: string

  constructor(nodeName: string, message: string, options?: ErrorOptions) {
    super('PROCESSING_FAILED', message, options)
    this.nodeName = nodeName
  }
}

export interface BrokerErrorOptions extends ErrorOptions {
  /** The same call may succeed later. */
  readonly retryable: boolean
  /**
   * For a write that failed: `no` when it is certain that nothing was written, `unknown` when it may have been.
   * A caller who must not write twice has to ask the log in the second case.
   */
  readonly written?: 'no' | 'unknown'
}

/** The log did not do what was asked. Adapters turn every client error into this one. */
export class BrokerError extends StreamsError {
  override readonly name: string = 'BrokerError'
  readonly retryable: boolean
  readonly written: 'no' | 'unknown'

  constructor(code: ErrorCode, message: string, options: BrokerErrorOptions) {
    super(code, message, options)
    this.retryable = options.retryable
    this.written = options.written ?? 'no'
  }
}

/** A position is outside the log, or what was read before it is not in the log any more: decide where to go on. */
export class OffsetOutOfRangeError extends BrokerError {
  override readonly name = 'OffsetOutOfRangeError'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** −1: not known. */
  readonly logStartOffset: number
  /** −1: not known. */
  readonly logEndOffset: number
  /** From where on the log has other records than those that were read; null: it is only the position that is outside. */
  readonly divergedAt: number | null

  constructor(at: Omit<OffsetOutOfRangeError, keyof BrokerError>, options?: ErrorOptions) {
    const where = `offset ${at.offset} of ${at.topic} partition ${at.partition}`
    const range = at.logEndOffset < 0 ? '' : ` (${at.logStartOffset} to ${at.logEndOffset})`
    const message =
      at.divergedAt === null
        ? `${where} is outside the log${range}`
        : `${where}: the log was cut at ${at.divergedAt}, and what was read from there on is not in it any more${range}`
    super('OFFSET_OUT_OF_RANGE', message, { ...options, retryable: false })
    this.topic = at.topic
    this.partition = at.partition
    this.offset = at.offset
    this.logStartOffset = at.logStartOffset
    this.logEndOffset = at.logEndOffset
    this.divergedAt = at.divergedAt
  }
}

/** Another instance took over the transactional id: close dirty, never retry. */
export class FencedError extends BrokerError {
  override readonly name = 'FencedError'

  constructor(message: string, options?: ErrorOptions) {
    super('FENCED', message, { ...options, retryable: false, written: 'unknown' })
  }
}

/** The group has gone on without this member: drop what was not committed and all it owned, and join again. */
export class MemberLostError extends BrokerError {
  override readonly name = 'MemberLostError'

  constructor(message: string, options?: ErrorOptions) {
    super('MEMBER_LOST', message, { ...options, retryable: false })
  }
}

/** The transaction is lost but the producer is not: abort, rewind to the last commit and go on. */
export class TransactionAbortableError extends BrokerError {
  override readonly name = 'TransactionAbortableError'

  constructor(message: string, options?: ErrorOptions) {
    super('TRANSACTION_ABORTABLE', message, { ...options, retryable: false, written: 'unknown' })
  }
}

/** Local state cannot be trusted: wipe it and restore it from the changelog. */
export class TaskCorruptedError extends StreamsError {
  override readonly name = 'TaskCorruptedError'
  readonly taskIds: readonly string[]

  constructor(taskIds: readonly string[], message: string, options?: ErrorOptions) {
    super('TASK_CORRUPTED', message, options)
    this.taskIds = taskIds
  }
}

/** A query came too early, too late or to the wrong instance: try again, or elsewhere. */
export class StoreNotAvailableError extends StreamsError {
  override readonly name = 'StoreNotAvailableError'
  /** The same query may be answered later. */
  readonly retryable = true
  /** null: several are meant. */
  readonly partition: number | null
  /** Of the instance that has it, as far as is known. */
  readonly endpoint: string | null

  constructor(message: string, at: { readonly partition: number; readonly endpoint: string | null } | null = null) {
    super('STORE_NOT_AVAILABLE', message)
    this.partition = at?.partition ?? null
    this.endpoint = at?.endpoint ?? null
  }
}
