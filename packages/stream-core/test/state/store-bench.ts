import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noHeaders, noRecordContext, type Headers } from '../../src/common/record.ts'
import type { RecordCache } from '../../src/state/record-cache.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import type { StoreHost } from '../../src/state/store-host.ts'
import type { StoreSpec } from '../../src/state/store-spec.ts'
import { TaskState } from '../../src/state/task-state.ts'

interface Change {
  readonly key: string
  readonly value: Buffer | null
  readonly timestampMs: number | null
  readonly headers: Headers
}

/** One store of a task as the commit and the restorer treat it, with a changelog in memory. */
export class StoreBench {
  readonly #spec: StoreSpec
  readonly #directory: string | null
  readonly changelog: Change[] = []
  readonly drops: string[] = []
  readonly #host: StoreHost
  #state: TaskState

  constructor(
    spec: StoreSpec,
    where: 'file' | 'memory',
    cache: RecordCache | null = null,
    hasExactCacheSizes = cache !== null,
  ) {
    this.#spec = spec
    this.#directory = where === 'file' ? mkdtempSync(join(tmpdir(), 'store-bench-')) : null
    this.#host = {
      recordContext: { ...noRecordContext, timestampMs: 0 },
      cache,
      hasExactCacheSizes,
      isGlobal: false,
      isReadOnly: false,
      drop: (_store, reason) => this.drops.push(reason),
    }
    this.#state = this.#open()
  }

  get store(): StateStore {
    return this.#state.stores.get(this.#spec.name)!
  }

  /** Time of the record that is being processed: that of deletions in the changelog. */
  set recordTimeMs(timestampMs: number) {
    this.#host.recordContext = { ...this.#host.recordContext, timestampMs, headers: noHeaders }
  }

  /** Rows read from disk so far. */
  get reads(): number {
    return this.#state.reads
  }

  commit(): void {
    this.store.changes((key, value, timestampMs, headers) => {
      this.changelog.push({ key, value: value && Buffer.from(value), timestampMs, headers })
    })
    this.#state.freeze(this.#positions())
  }

  abort(): void {
    this.#state.dropActive()
  }

  /** Like a round of the loop that writes to disk; what is committed meanwhile must not get lost. */
  async persist(meanwhile: () => void = () => undefined): Promise<void> {
    let isFirst = true
    await this.#state.persist(() => {
      if (isFirst) meanwhile()
      isFirst = false
      return Promise.resolve()
    })
  }

  /** Dies without a commit and opens again: what is on disk, and the changelog behind it. */
  reopen(): void {
    this.#state.close()
    this.#state = this.#open()
    const from = this.#state.position(this.#spec.name)?.offset ?? 0
    for (const { key, value, timestampMs, headers } of this.changelog.slice(from)) {
      this.store.restore(key, value, timestampMs ?? 0, headers)
    }
    this.#state.setPositions(this.#positions())
  }

  learnKeys(): void {
    while (!this.#state.learnKeys()) {
      // A slice at a time.
    }
  }

  close(): void {
    this.#state.close()
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true })
  }

  #positions() {
    const at = { offset: this.changelog.length, clusterId: 'c', topicId: 't', savedAtMs: 0 }
    return new Map([[this.#spec.name, at]])
  }

  #open(): TaskState {
    return new TaskState({ directory: this.#directory, stores: [this.#spec], host: this.#host })
  }
}

/** What every store goes through between reads and writes. */
export type LifeStep = 'commit' | 'abort' | 'persist' | 'reopen' | 'learn keys'
export const lifeSteps: readonly LifeStep[] = ['commit', 'abort', 'persist', 'reopen', 'learn keys']

/** A model's state, committed and open, so that an abort is a copy. */
export class Committed<T> {
  #committed: T
  #copy: (value: T) => T
  open: T

  constructor(initial: T, copy: (value: T) => T) {
    this.open = initial
    this.#copy = copy
    this.#committed = copy(initial)
  }

  commit(): void {
    this.#committed = this.#copy(this.open)
  }

  abort(): void {
    this.open = this.#copy(this.#committed)
  }
}

export async function live(bench: StoreBench, model: { commit(): void; abort(): void }, step: LifeStep): Promise<void> {
  switch (step) {
    case 'commit':
      bench.commit()
      return model.commit()
    case 'abort':
      bench.abort()
      return model.abort()
    case 'persist':
      return bench.persist()
    case 'reopen':
      bench.reopen()
      return model.abort()
    case 'learn keys':
      return bench.learnKeys()
  }
}

/** As a fresh store sees a key: bytes, unsigned. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
