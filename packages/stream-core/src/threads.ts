/** Several stream threads in one process: each has a core of its own. */
export { StreamThreads, type StreamThreadsOptions } from './threads/stream-threads.ts'
export type { ThreadContext, ThreadModule } from './threads/thread-module.ts'
