import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ArgumentError, StreamsError } from '../common/errors.ts'
import type { StreamsDescription } from '../runtime/describe-state.ts'
import type { StreamsState } from '../runtime/streams-config.ts'
import { labelMetrics } from './label-metrics.ts'
import type { FromThread, SentError, ToThread, WorkerStart } from './messages.ts'

export interface StreamThreadsOptions {
  /** The module whose default export makes the options of each thread (`ThreadModule`): a URL, or a path. */
  readonly module: URL | string
  /** How many threads: not more than there are cores, and not more than tasks. */
  readonly threads: number
  /** Folder of the local state; each thread has one of its own in it, `thread-0` and so on. */
  readonly stateDir: string
  /** Handed to the module in each thread; has to be something that can be cloned. Default undefined. */
  readonly data?: unknown
  readonly onStateChange?: (thread: number, state: StreamsState) => void
}

interface Thread {
  readonly worker: Worker
  readonly running: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<Error | null>
  readonly closed: PromiseWithResolvers<boolean>
  readonly asked: Map<number, PromiseWithResolvers<unknown>>
  state: StreamsState
  hasEnded: boolean
}

/**
 * Runs an application with several threads in one process, as Kafka Streams does with `num.stream.threads`: one core is what
 * a `Streams` can use, because it processes in one event loop. The threads share nothing. Each is a member of the group with
 * tasks, producers and state of its own, so that all guarantees are those of as many processes; no standby of a task is put
 * into the process that runs it. The log has to be Kafka: an embedded log belongs to one thread.
 *
 * When one of them fails, the others are closed, and `stopped` says why: they are one instance.
 */
export class StreamThreads {
  readonly #options: StreamThreadsOptions
  readonly #host = randomUUID()
  #threads: readonly Thread[] = []
  readonly #stopped = Promise.withResolvers<Error | null>()
  #questions = 0
  #isClosing = false

  /** @throws ArgumentError when `threads` is no number of threads. */
  constructor(options: StreamThreadsOptions) {
    const { threads } = options
    if (!Number.isSafeInteger(threads) || threads < 1) {
      throw new ArgumentError('threads', `threads must be a whole number, 1 or more, got ${String(threads)}`)
    }
    this.#options = options
  }

  /** Of each thread, what its `Streams` is doing. */
  get states(): readonly StreamsState[] {
    return this.#threads.map(({ state }) => state)
  }

  /** Resolves when all threads have ended: with null after `close`, with the error of the first that failed otherwise. */
  get stopped(): Promise<Error | null> {
    return this.#stopped.promise
  }

  /** Resolves when every thread runs what it was given. Rejects with the error of the first that failed, when all have ended. */
  async start(): Promise<void> {
    if (this.#threads.length > 0) throw new StreamsError('ILLEGAL_STATE', 'start() was called before')
    this.#threads = Array.from({ length: this.#options.threads }, (_, index) => this.#open(index))
    void this.#watch()
    const failed = this.#stopped.promise.then((error) => {
      throw error ?? new StreamsError('ILLEGAL_STATE', 'closed before it was running')
    })
    await Promise.race([Promise.all(this.#threads.map(({ running }) => running.promise)), failed])
    failed.catch(() => undefined)
  }

  /**
   * Closes every thread as `Streams.close` does, all at the same time. Resolves with false if one of them has not come to
   * its end after `timeoutMs` (default 30 s).
   */
  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    this.#isClosing = true
    if (this.#threads.length === 0) this.#stopped.resolve(null)
    const closed = this.#threads.map(async (thread) => {
      if (thread.hasEnded) return true
      this.#tell(thread, { kind: 'close', timeoutMs })
      return Promise.race([thread.closed.promise, thread.ended.promise.then(() => true)])
    })
    const isInTime = (await Promise.all(closed)).every((each) => each)
    if (isInTime) await this.#stopped.promise
    return isInTime
  }

  /** No thread takes a record until `resume`. */
  pause(): void {
    for (const thread of this.#threads) this.#tell(thread, { kind: 'pause' })
  }

  resume(): void {
    for (const thread of this.#threads) this.#tell(thread, { kind: 'resume' })
  }

  /** What each thread is doing; those that have ended are left out. */
  async describeState(): Promise<readonly StreamsDescription[]> {
    return [...(await this.#ask('state')).values()] as StreamsDescription[]
  }

  /** The metrics of all threads in Prometheus' text format, each value with a label `thread`. */
  async metricsText(): Promise<string> {
    return labelMetrics((await this.#ask('metrics')) as Map<number, string>)
  }

  #open(index: number): Thread {
    const { module, threads, stateDir, data } = this.#options
    const start: WorkerStart = {
      module: (module instanceof URL ? module : pathToFileURL(module)).href,
      context: { index, threads, stateDir: join(stateDir, `thread-${index}`), data },
      host: this.#host,
    }
    // As it is beside this file: source, or compiled.
    const program = new URL(`./thread-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    const thread: Thread = {
      worker: new Worker(program, { workerData: start, name: `stream-thread-${index}` }),
      running: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      closed: Promise.withResolvers(),
      asked: new Map(),
      state: 'created',
      hasEnded: false,
    }
    const end = (error: Error | null): void => {
      thread.hasEnded = true
      for (const { resolve } of thread.asked.values()) resolve(undefined)
      thread.ended.resolve(error)
    }
    thread.worker.on('message', (message: FromThread) => {
      if (message.kind === 'ended') end(message.failure === null ? null : failureOf(index, message.failure))
      else this.#hear(index, thread, message)
    })
    thread.worker.on('error', (error: Error) => end(lost(index, error.message, error)))
    thread.worker.on('exit', (code) => end(lost(index, `its thread ended with ${code}`)))
    return thread
  }

  #hear(index: number, thread: Thread, message: Exclude<FromThread, { kind: 'ended' }>): void {
    switch (message.kind) {
      case 'state':
        thread.state = message.state
        return this.#options.onStateChange?.(index, message.state)
      case 'running':
        return thread.running.resolve()
      case 'closed':
        return thread.closed.resolve(message.isInTime)
      case 'answer':
        thread.asked.get(message.id)?.resolve(message.value)
        thread.asked.delete(message.id)
    }
  }

  /** One that ends by itself takes the others with it. */
  async #watch(): Promise<void> {
    let first: Error | null = null
    await Promise.all(
      this.#threads.map(async ({ ended }) => {
        const error = await ended.promise
        first ??= error
        if (!this.#isClosing) void this.close()
      }),
    )
    this.#stopped.resolve(first)
  }

  async #ask(what: 'state' | 'metrics'): Promise<ReadonlyMap<number, unknown>> {
    const answers = await Promise.all(
      this.#threads.map(async (thread) => {
        if (thread.hasEnded) return undefined
        const asked = Promise.withResolvers<unknown>()
        const id = this.#questions++
        thread.asked.set(id, asked)
        this.#tell(thread, { kind: 'ask', id, what })
        return asked.promise
      }),
    )
    return new Map([...answers.entries()].filter(([, answer]) => answer !== undefined))
  }

  #tell({ worker }: Thread, message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, no window
    worker.postMessage(message)
  }
}

const failureOf = (index: number, { code, message, stack }: SentError): StreamsError =>
  new StreamsError('THREAD_FAILED', `thread ${index} has failed (${code}): ${message}`, { cause: stack })

const lost = (index: number, why: string, cause?: Error): StreamsError =>
  new StreamsError('THREAD_FAILED', `thread ${index} is gone: ${why}`, { cause })
