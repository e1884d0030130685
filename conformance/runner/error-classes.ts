import {
  ArgumentError,
  BufferFullError,
  ConfigError,
  FlushError,
  ProcessingError,
  SerdeError,
  StreamsError,
  TopologyError,
} from 'stream-core'
import { FormatError, type RecordedError } from './format.ts'

/** What Java throws where the library has nothing of the kind: the runner says it in Java's stead. */
export class JavaError extends Error {
  override readonly name: string

  constructor(className: string, message: string) {
    super(message)
    this.name = className
  }
}

/**
 * The simple name of the class that Java throws where we throw this (format §8). Errors that are not the library's own keep
 * their name, so that a bug is not taken for an error that was expected.
 */
export function javaClass(error: unknown, phase: RecordedError['phase']): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof JavaError) return cause.name
  if (error instanceof TopologyError) {
    // While a record is processed: a store that its node may not see, a child that it does not have.
    return phase === 'run' ? 'StreamsException' : (topologyErrors[error.code] ?? 'TopologyException')
  }
  // Java wraps what a processor's init or process throws.
  if (error instanceof ArgumentError) return phase === 'build' ? 'IllegalArgumentException' : 'StreamsException'
  // Missing serdes: Java's source nodes fail with it inside a StreamsException.
  if (error instanceof ConfigError) return error.option === 'defaults' ? 'StreamsException' : 'ConfigException'
  if (error instanceof FlushError) return 'ProcessorStateException'
  if (error instanceof ProcessingError || error instanceof SerdeError || error instanceof BufferFullError) {
    return 'StreamsException'
  }
  // A global store that is written to: Java wraps what its processor throws.
  if (phase === 'run' && error instanceof StreamsError && error.code === 'ILLEGAL_STATE') return 'StreamsException'
  if (error instanceof StreamsError) return streamsErrors[error.code] ?? 'StreamsException'
  return error instanceof Error ? error.name : String(error)
}

const streamsErrors: { readonly [code: string]: string } = {
  ILLEGAL_STATE: 'IllegalStateException',
  // A topic that the topology does not read.
  INVALID_ARGUMENT: 'IllegalArgumentException',
}

const topologyErrors: { readonly [code: string]: string } = {
  MISSING_SERDE: 'ConfigException',
  INCOMPATIBLE_STORE: 'StreamsException',
}

export function recordedError(error: unknown, phase: RecordedError['phase'], step?: number): RecordedError {
  // A processor may be the first to notice that a scenario names something unknown.
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof FormatError) throw cause
  return {
    phase,
    ...(step === undefined ? {} : { step }),
    class: javaClass(error, phase),
    message: error instanceof Error ? innermost(error).message : String(error),
  }
}

const innermost = (error: Error): Error => (error.cause instanceof Error ? innermost(error.cause) : error)
