import type { Record, RecordContext } from '../common/record.ts'
import type { SleepPurpose } from '../processor/processor-context.ts'

/** What is done with a call that failed for good: its record, and with it the application, or the record alone. */
export type AsyncErrorPolicy = (error: Error, record: Record<unknown, unknown>) => 'fail' | 'continue'

export interface AsyncOptions {
  /** Calls that run at a time, per task. Default 16. */
  readonly concurrency?: number
  /**
   * `key` (default): calls for one key run one after the other, and their results leave in that order; other keys overtake
   * them. `partition`: results leave in the order in which the records came; calls run side by side, also for one key.
   */
  readonly order?: 'key' | 'partition'
  /** A call that takes longer has failed; its signal is aborted. Default 30 s. */
  readonly timeoutMs?: number
  /** How often a call that failed is tried again. Default 0. */
  readonly retries?: number
  /** Wait before the first retry; it doubles with each. Default 100 ms. */
  readonly backoffMs?: number
  /** Longest wait between two tries. Default 10 s. */
  readonly backoffMaxMs?: number
  /** Decides about a record whose call failed for good. Default: the processing handler of the application. */
  readonly onError?: AsyncErrorPolicy
}

/** What a call may use: it runs outside the loop, so it has neither stores nor `forward`. */
export interface AsyncCallContext {
  /** Aborted when the call has timed out, or its result is not wanted any more. */
  readonly signal: AbortSignal
  /** 1 for the first try. */
  readonly attempt: number
}

export type AsyncFunction<K, V, T> = (record: Record<K, V>, context: AsyncCallContext) => Promise<T>

export interface AsyncCallsOptions<K, V, T> {
  readonly call: AsyncFunction<K, V, T>
  readonly concurrency: number
  readonly order: 'key' | 'partition'
  readonly timeoutMs: number
  readonly retries: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** The same text for equal keys; null: the record is ordered with no other. */
  readonly identify: (key: K) => string | null
  readonly sleep: (delayMs: number, signal: AbortSignal, purpose: SleepPurpose) => Promise<void>
  /** A call has settled: the loop is to come and look. */
  readonly wake: () => void
}

export interface SettledCall<K, V, T> {
  readonly record: Record<K, V>
  readonly context: RecordContext
  readonly outcome: { readonly value: T } | { readonly error: Error }
}

interface Call<K, V, T> {
  readonly record: Record<K, V>
  readonly context: RecordContext
  readonly key: string | null
  outcome: SettledCall<K, V, T>['outcome'] | null
}

/** Records that wait for each slot that may run, beyond those that run: more would only take memory. */
const waitingPerSlot = 4

/**
 * The calls of one asynchronous node of a task. Nothing happens inside a callback: a call that settles is noted, and the
 * loop takes its result when it comes by (D10).
 */
export class AsyncCalls<K, V, T> {
  readonly #options: AsyncCallsOptions<K, V, T>
  readonly #abort = new AbortController()
  /** Aborted: no call is tried again. */
  readonly #lastTries = new AbortController()
  /** All calls whose results were not taken, in the order of their records. */
  readonly #calls: Call<K, V, T>[] = []
  /** Calls that have not begun. */
  readonly #waiting: Call<K, V, T>[] = []
  /** Settled calls, in the order in which they settled. */
  readonly #settled: Call<K, V, T>[] = []
  /** Keys with a call that runs, or whose result was not taken. */
  readonly #busyKeys = new Set<string>()
  #running = 0
  #left = 0

  constructor(options: AsyncCallsOptions<K, V, T>) {
    this.#options = options
  }

  /** Records whose results were not taken. */
  get pending(): number {
    return this.#calls.length
  }

  /** No more records should come for now. */
  get isFull(): boolean {
    return this.#calls.length >= this.#options.concurrency * (1 + waitingPerSlot)
  }

  /** Calls that have begun and not ended. */
  get running(): number {
    return this.#running
  }

  /** Records whose calls failed after `endRetries`: they have no result, and nobody decides about them. */
  get left(): number {
    return this.#left
  }

  /** The application closes: the next start may try again what fails from now on. */
  endRetries(): void {
    this.#lastTries.abort()
  }

  add(record: Record<K, V>, context: RecordContext): void {
    const { order, identify } = this.#options
    const key = order === 'key' ? identify(record.key) : null
    const call: Call<K, V, T> = { record, context, key, outcome: null }
    this.#calls.push(call)
    this.#waiting.push(call)
    this.#start()
  }

  /** The next result that may leave; null when none may. */
  take(): SettledCall<K, V, T> | null {
    const call = this.#options.order === 'key' ? this.#settled.shift() : this.#head()
    if (call === undefined) return null
    this.#calls.splice(this.#calls.indexOf(call), 1)
    if (call.key !== null) this.#busyKeys.delete(call.key)
    this.#start()
    return { record: call.record, context: call.context, outcome: call.outcome! }
  }

  /** Forgets everything: results that come later are nobody's. */
  cancel(): void {
    this.#abort.abort()
    this.#lastTries.abort()
    this.#left = 0
    this.#calls.length = this.#waiting.length = this.#settled.length = 0
    this.#busyKeys.clear()
  }

  #head(): Call<K, V, T> | undefined {
    const [first] = this.#calls
    return first !== undefined && first.outcome !== null ? first : undefined
  }

  #start(): void {
    const { concurrency } = this.#options
    for (let i = 0; i < this.#waiting.length && this.#running < concurrency;) {
      const call = this.#waiting[i]!
      if (call.key !== null && this.#busyKeys.has(call.key)) {
        i++
        continue
      }
      this.#waiting.splice(i, 1)
      if (call.key !== null) this.#busyKeys.add(call.key)
      this.#running++
      void this.#run(call)
    }
  }

  /** Never rejects. */
  async #run(call: Call<K, V, T>): Promise<void> {
    let outcome: SettledCall<K, V, T>['outcome']
    try {
      outcome = { value: await this.#try(call.record) }
    } catch (error) {
      outcome = { error: error instanceof Error ? error : new Error(String(error), { cause: error }) }
    }
    this.#running--
    if (this.#abort.signal.aborted) return
    if ('error' in outcome && this.#lastTries.signal.aborted) {
      this.#left++
      this.#options.wake()
      return
    }
    call.outcome = outcome
    this.#settled.push(call)
    this.#options.wake()
  }

  async #try(record: Record<K, V>): Promise<T> {
    const { retries, backoffMs, backoffMaxMs, sleep } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(record, attempt)
      } catch (error) {
        const { signal } = this.#lastTries
        if (attempt > retries || signal.aborted) throw error
        await sleep(Math.min(backoffMs * 2 ** (attempt - 1), backoffMaxMs), signal, 'retry')
        if (signal.aborted) throw error
      }
    }
  }

  async #attempt(record: Record<K, V>, attempt: number): Promise<T> {
    const { call, timeoutMs, sleep } = this.#options
    const timeout = new AbortController()
    const done = new AbortController()
    // A call that is given up may never end: its timer must not keep the process alive.
    const over = AbortSignal.any([done.signal, this.#abort.signal])
    const expired = sleep(timeoutMs, over, 'timeout').then((): never | Promise<never> => {
      if (over.aborted) return new Promise<never>(() => undefined)
      const error = new Error(`the call took longer than ${timeoutMs} ms`)
      timeout.abort(error)
      throw error
    })
    try {
      const signal = AbortSignal.any([timeout.signal, this.#abort.signal])
      return await Promise.race([call(record, { signal, attempt }), expired])
    } finally {
      done.abort()
    }
  }
}
