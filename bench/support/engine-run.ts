import { RecordBatchBuilder } from '../../packages/stream-core/src/common/record-batch-builder.ts'
import { RecordBatchReader } from '../../packages/stream-core/src/common/record-batch-reader.ts'
import type { Headers } from '../../packages/stream-core/src/common/record.ts'
import { failAlways } from '../../packages/stream-core/src/runtime/handlers.ts'
import { yieldToLoop } from '../../packages/stream-core/src/runtime/yield-to-loop.ts'
import { StreamTask } from '../../packages/stream-core/src/runtime/stream-task.ts'
import { RecordCache } from '../../packages/stream-core/src/state/record-cache.ts'
import type { Topology } from '../../packages/stream-core/src/topology/topology.ts'

export interface EngineRunOptions {
  /** Records from one commit to the next. Default 4,000. */
  readonly commitEvery?: number
  /** Records from one write of state to disk to the next. Default 250,000. */
  readonly persistEvery?: number
}

/** One task that runs the first part of a topology as production does, with batches in memory in place of a log. */
export class EngineRun {
  readonly task: StreamTask
  /** Records appended to user topics. */
  outputRecords = 0
  changelogRecords = 0
  outputBytes = 0
  /** Last value of each key of the output, as bytes in latin1: kept only if a check wants it. */
  readonly lastOutput = new Map<string, Buffer | null>()
  keepsOutput = false
  readonly #builders = new Map<string, RecordBatchBuilder>()
  readonly #offsets = new Map<string, number>()
  #sinceCommit = 0
  #sincePersist = 0
  readonly #commitEvery: number
  readonly #persistEvery: number

  constructor(topology: Topology, directory: string, options: EngineRunOptions = {}) {
    const { commitEvery = 4000, persistEvery = 250_000 } = options
    this.#commitEvery = commitEvery
    this.#persistEvery = persistEvery
    const group = topology.subtopologies[0]!
    this.task = new StreamTask({
      applicationId: 'bench',
      taskId: '0_0',
      partition: 0,
      topology,
      nodeNames: group.nodeNames,
      storeNames: group.storeNames,
      stateDirectory: directory,
      output: {
        append: (topic, _partition, key, value, timestampMs, headers) => {
          this.outputRecords++
          if (this.keepsOutput) this.#keep(key, value)
          this.#append(topic, key, value, timestampMs, headers)
        },
        partitionCount: () => 1,
      },
      handlers: failAlways,
      deadLetterTopic: null,
      nowMs: () => 0,
      topicName: (name) => name,
      globalStore: () => undefined,
      cache: new RecordCache(10 * 1024 * 1024),
      hasExactCacheSizes: false,
      emitIntervalMs: 1000,
      wake: () => undefined,
      sleep: () => Promise.resolve(),
    })
    const beginning = { offset: 0, partitionTimeMs: -1 }
    this.task.initialise(new Map(this.task.inputTopics.map((topic) => [topic, beginning])))
  }

  async process(topic: string, batches: readonly Buffer[]): Promise<void> {
    for (const batch of batches) {
      const offset = this.#offsets.get(topic) ?? 0
      batch.writeBigInt64BE(BigInt(offset), 0)
      const options = { fromOffset: offset, isolation: 'read_committed', where: topic } as const
      const reader = new RecordBatchReader(batch, 0, batch.length, options)
      this.#offsets.set(topic, offset + batch.readInt32BE(57))
      this.task.add(topic, reader)
      while (this.task.processNext()) {
        if (++this.#sinceCommit >= this.#commitEvery) this.#commit()
        if (++this.#sincePersist >= this.#persistEvery) await this.#persist()
      }
    }
  }

  async finish(): Promise<void> {
    this.#commit()
    await this.#persist()
  }

  /** Rows that SQLite was asked for. */
  get reads(): number {
    return this.task.state.reads
  }

  close(): void {
    this.task.close()
  }

  #commit(): void {
    this.task.flushCaches()
    for (const store of this.task.state.stores.values()) {
      store.changes((key, value, timestampMs, headers) => {
        this.changelogRecords++
        this.#append(store.spec.name, key, value, timestampMs ?? 0, headers)
      })
    }
    for (const builder of this.#builders.values()) {
      if (builder.recordCount > 0) this.outputBytes += builder.seal({ transactional: true }).length
    }
    this.task.state.freeze(new Map())
    this.task.markCommitted()
    this.#sinceCommit = 0
  }

  async #persist(): Promise<void> {
    this.#commit()
    await this.task.state.persist(yieldToLoop)
    this.task.state.checkpointIfDue()
    this.#sincePersist = 0
  }

  #append(
    topic: string,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers: Headers,
  ): void {
    let builder = this.#builders.get(topic)
    if (builder === undefined) this.#builders.set(topic, (builder = new RecordBatchBuilder()))
    builder.append(key, value, timestampMs, headers)
  }

  #keep(key: Uint8Array | null, value: Uint8Array | null): void {
    const text = key === null ? '' : Buffer.from(key).toString('latin1')
    this.lastOutput.set(text, value === null ? null : Buffer.from(value))
  }
}
