import { oneOf } from '../common/choice.ts'
import type { Logger } from '../common/logger.ts'

/**
 * `replace-thread`: everything that processes is made anew, and goes on from the last commit. `shut-down-client`: this instance ends,
 * and others take its tasks. `shut-down-application`: all instances end.
 */
export type UncaughtErrorResponse = (typeof responses)[number]
const responses = ['replace-thread', 'shut-down-client', 'shut-down-application'] as const
/** Asked after an error that nothing else has mended. */
export type UncaughtErrorHandler = (error: Error) => UncaughtErrorResponse

/** One that throws, or says nothing, ends the instance: nobody has said that it may go on. */
export function askAboutUncaught(handler: UncaughtErrorHandler, error: Error, logger: Logger): UncaughtErrorResponse {
  try {
    return oneOf('the response of the uncaughtErrorHandler', handler(error), responses)
  } catch (failure) {
    logger.error(
      { event: 'streams.handler-failed', error: String(failure) },
      'the uncaughtErrorHandler has failed: this instance ends',
    )
    return 'shut-down-client'
  }
}

const delaysMs = [100, 1000, 2000, 5000, 10_000, 30_000]
/** Once it has run for so long, the next failure is a new one. */
const calmMs = 60_000

/** How long to wait before the next replacement: an error that comes back at once is not to keep a processor busy. */
export class ReplacementDelays {
  #attempt = 0

  /** After a failure that came so long after the start. */
  next(ranMs: number): number {
    if (ranMs >= calmMs) this.#attempt = 0
    return delaysMs[Math.min(this.#attempt++, delaysMs.length - 1)]!
  }
}
