import { Histogram } from '../common/histogram.ts'
import type { StateStore } from './state-store.ts'

/** What programs call of a store, of any kind. */
const methods = [
  'get',
  'put',
  'putIfAbsent',
  'delete',
  'remove',
  'fetch',
  'fetchSession',
  'fetchAll',
  'fetchKeys',
  'fetchRange',
  'findSessions',
  'sessionsEndedBetween',
  'range',
  'prefixScan',
  'all',
  'history',
  'add',
]

const bounds = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 0.025, 0.1, 1]

export interface StoreOperation {
  readonly store: string
  readonly op: string
  readonly durations: Histogram
}

type Method = (...args: readonly unknown[]) => unknown

/** How long the calls of stores take: asks the clock twice for each, so that it is only done for who wants to know. */
export class StoreTimes {
  readonly #operations = new Map<string, StoreOperation>()
  /** By store: ranges that were begun and neither read to their end nor left. */
  readonly openIterators = new Map<string, number>()
  readonly #nowMs: () => number
  /** A method of a store that calls another of the same is one call. */
  #inside: string | null = null

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get operations(): readonly StoreOperation[] {
    return [...this.#operations.values()]
  }

  /** Times what is called of this store from now on. */
  watch(store: StateStore): void {
    const { name } = store.spec
    if (!this.openIterators.has(name)) this.openIterators.set(name, 0)
    const calls = store as unknown as { [method: string]: Method | undefined }
    for (const op of methods) {
      const plain = calls[op]?.bind(store)
      if (plain !== undefined) calls[op] = (...args) => this.#timed(name, op, () => plain(...args))
    }
  }

  #timed(store: string, op: string, call: () => unknown): unknown {
    const outer = this.#inside
    if (outer === store) return call()
    this.#inside = store
    const startMs = this.#nowMs()
    let result: unknown
    try {
      result = call()
    } finally {
      this.#inside = outer
    }
    if (isGenerator(result)) return this.#timedRange(store, op, result)
    this.#observe(store, op, startMs)
    return result
  }

  *#timedRange(store: string, op: string, range: Generator): Generator {
    const startMs = this.#nowMs()
    this.openIterators.set(store, this.openIterators.get(store)! + 1)
    try {
      yield* range
    } finally {
      this.openIterators.set(store, this.openIterators.get(store)! - 1)
      this.#observe(store, op, startMs)
    }
  }

  #observe(store: string, op: string, startMs: number): void {
    const key = `${op}/${store}`
    let operation = this.#operations.get(key)
    if (operation === undefined) {
      operation = { store, op, durations: new Histogram(bounds) }
      this.#operations.set(key, operation)
    }
    operation.durations.observe(Math.max(0, this.#nowMs() - startMs) / 1000)
  }
}

const isGenerator = (value: unknown): value is Generator =>
  typeof value === 'object' && value !== null && typeof (value as Generator).next === 'function'
