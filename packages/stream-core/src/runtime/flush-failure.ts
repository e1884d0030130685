import { FlushError, ProcessingError, TopologyError } from '../common/errors.ts'
import { isDecidedAbout, isUndecidedCast } from './decided-failures.ts'
import { MissingKeyError } from './record-collector.ts'

/** What failed while a cache was flushed says so: the record it is about was taken long before. */
export function flushFailure(storeName: string, error: Error, hasJavaRules: boolean): Error {
  const isProcessors =
    error instanceof ProcessingError || error instanceof TopologyError || error instanceof MissingKeyError
  // In Java a handler that says "fail" makes a processor's failure of whatever it was asked about.
  const isProcessorsInJava = hasJavaRules && isDecidedAbout(error)
  if (!isProcessors && !isProcessorsInJava && !isBufferFull(error)) return error
  if (hasJavaRules && isUndecidedCast(error)) return error
  return new FlushError(`what the store "${storeName}" held back could not be handed on: ${error.message}`, {
    cause: error,
  })
}

const isBufferFull = (error: Error): boolean => (error as { readonly code?: unknown }).code === 'BUFFER_FULL'
