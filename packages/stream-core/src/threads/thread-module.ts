import type { StreamsOptions } from '../runtime/streams-config.ts'

/** What a thread is told about itself. */
export interface ThreadContext {
  /** From 0. */
  readonly index: number
  readonly threads: number
  /** The thread's own folder. */
  readonly stateDir: string
  /** What the program has given as `data`: a structured clone. */
  readonly data: unknown
}

/**
 * The default export of a module that is run by `StreamThreads`: makes what `new Streams` takes. Each thread calls it and has a
 * topology, a broker and serdes of its own, for functions cannot be sent to another thread.
 */
export type ThreadModule = (
  context: ThreadContext,
) => Omit<StreamsOptions, 'stateDir' | 'host'> | Promise<Omit<StreamsOptions, 'stateDir' | 'host'>>
