import type { Headers, Record, RecordContext } from '../common/record.ts'

/** Where the record that is being processed came from. */
export interface RecordMetadata {
  /** null inside a punctuation, where no record is being processed; partition and offset are then −1. */
  readonly topic: string | null
  readonly partition: number
  readonly offset: number
}

/** What a schedule goes by: event time of the task, or the wall clock. */
export type PunctuationType = 'stream-time' | 'wall-clock-time'

export interface Cancellable {
  cancel(): void
}

export interface ScheduleOptions {
  /** The schedule's boundaries are this time plus multiples of the interval (KIP-1146). */
  readonly startMs?: number
}

/** What the engine offers every processor. Valid from `init` until `close`. */
export interface ProcessingContext {
  readonly applicationId: string
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** A store this node is connected to, or a global one, which can only be read. */
  getStateStore<S>(name: string): S
  /**
   * Calls `punctuate` each time the clock passes a multiple of `intervalMs` (stream time), or that long after the last
   * call (wall clock). Missed calls become one. May be cancelled from inside the call.
   */
  schedule(
    intervalMs: number,
    type: PunctuationType,
    punctuate: (timestampMs: number) => void,
    options?: ScheduleOptions,
  ): Cancellable
  /** Asks for a commit at the end of this round of the loop. */
  commit(): void
  /** null before the first record. */
  recordMetadata(): RecordMetadata | null
  /** Largest event time this task has seen; −1 before the first record. */
  currentStreamTimeMs(): number
  currentSystemTimeMs(): number
  /** Counts a record that goes no further, with the reason; nothing is dropped silently. */
  drop(reason: string): void
}

export interface ProcessorContext<K = unknown, V = unknown> extends ProcessingContext {
  /** Hands a record to the children, depth first, before it returns; to one of them if `childName` is given. */
  forward(record: Record<K, V>, childName?: string): void
}

export interface FixedKeyProcessorContext<K = unknown, V = unknown> extends ProcessingContext {
  /** As `ProcessorContext.forward`; the key must be that of the record being processed. */
  forward(record: Record<K, V>, childName?: string): void
}

/** Why an operator waits: a test passes over the wait before a retry, and lets a timeout come with its clock. */
export type SleepPurpose = 'retry' | 'timeout'

/** Calls of an asynchronous operator: they run outside the loop, and the loop takes their results (D10). */
export interface AsyncWork {
  /** Records whose results were not taken. */
  readonly pending: number
  /** No more records should come for now. */
  readonly isFull: boolean
  /** Takes one result, if one may leave: true if it did. May throw, about that result alone, whose record's context it leaves behind. */
  runNext(): boolean
  /** Calls that have begun and not ended. */
  readonly running: number
  /** Records whose calls failed after `endRetries`: nobody decides about them. */
  readonly left: number
  /** The application closes: no call is tried again. */
  endRetries(): void
  /** Results that come later are not wanted. */
  cancel(): void
}

/** What the library's own operators may do besides. */
export interface EngineContext<K = unknown, V = unknown> extends ProcessorContext<K, V> {
  /** Name of this node. */
  readonly name: string
  /** Context of the record that is being processed; an operator that emits older records sets theirs, and restores it. */
  recordContext: RecordContext
  /** Least wall-clock time between two attempts to emit what has closed (reference §2.6, §3.1 rule 3). */
  readonly emitIntervalMs: number
  /** Any store of this task, connected or not: for reading a table through a transformer that has stores of its own. */
  taskStore<S>(name: string): S
  /** A number kept with the committed offsets, under this name; undefined when there is none. */
  committedNumber(name: string): number | undefined
  setCommittedNumber(name: string, value: number): void
  /** In `init`: commits keep this node's stream time. Returns what was kept before a restart; −1: nothing. */
  keepStreamTime(read: () => number): number
  /** What the nodes of this task share under a name, made by the first; gone when its processors are made anew. */
  shared<T>(name: string, make: () => T): T
  /** In `init`: the task looks after these calls from now on. */
  addAsyncWork(work: AsyncWork): void
  /** Asks the loop to come by soon. */
  wake(): void
  /** Resolves after a time of the task's clock, or at once when the signal aborts. */
  sleep(delayMs: number, signal: AbortSignal, purpose: SleepPurpose): Promise<void>
}

/** Forwards a record under a context of its own. */
export function forwardUnder<K, V>(
  context: EngineContext<K, V>,
  recordContext: RecordContext,
  key: K,
  value: V,
  timestampMs: number,
  headers: Headers,
): void {
  const outer = context.recordContext
  context.recordContext = recordContext
  try {
    context.forward({ key, value, timestampMs, headers })
  } finally {
    context.recordContext = outer
  }
}

/** The same context, which also opens these stores: an operator reads them on behalf of another that is connected to them. */
export function grantStores(context: ProcessingContext, names: readonly string[]): ProcessingContext {
  const engine = context as EngineContext
  return {
    applicationId: context.applicationId,
    taskId: context.taskId,
    getStateStore: (name) => (names.includes(name) ? engine.taskStore(name) : context.getStateStore(name)),
    schedule: (intervalMs, type, punctuate, options) => context.schedule(intervalMs, type, punctuate, options),
    commit: () => context.commit(),
    recordMetadata: () => context.recordMetadata(),
    currentStreamTimeMs: () => context.currentStreamTimeMs(),
    currentSystemTimeMs: () => context.currentSystemTimeMs(),
    drop: (reason) => context.drop(reason),
  }
}
