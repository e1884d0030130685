import { CastError } from '../common/cast-error.ts'

/** Failures a handler has been asked about. */
const decided = new WeakSet<Error>()

/** Whether to go on after a failure. Nobody above is asked again, also if the handler itself fails. */
export function decide(failure: Error, ask: () => boolean): boolean {
  decided.add(failure)
  try {
    return ask()
  } catch (error) {
    decided.add(error as Error)
    throw error
  }
}

export const isDecidedAbout = (failure: Error): boolean => decided.has(failure)

/** A failed cast that no node has decided about. */
export const isUndecidedCast = (error: Error): boolean => error.cause instanceof CastError && !decided.has(error)
