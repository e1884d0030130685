import type { Broker, LogReader } from '../broker/broker.ts'
import { type Clock, isDue } from '../common/clock.ts'
import { BrokerError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import { yieldToLoop } from './yield-to-loop.ts'
import type { GlobalTask } from './global-task.ts'

export interface GlobalReaderOptions {
  readonly broker: Broker
  readonly task: GlobalTask
  readonly partitions: readonly TopicPartition[]
  readonly logger: Logger
  readonly clock: Clock
  readonly persistIntervalMs: number
  /** Something went wrong that reading on cannot mend. */
  readonly onFailure: (error: Error) => void
}

const pollWaitMs = 500
/** So many entries that wait in memory are written to disk in one sorted run. */
const entriesPerRun = 100_000

/**
 * Keeps the global stores of an instance up to date: reads their topics from the beginning, or from where the disk has them, to
 * where they ended at the start, before any task runs, and then what comes, for as long as the instance lives. It reads only
 * what is committed.
 */
export class GlobalReader {
  readonly #options: GlobalReaderOptions
  readonly #reader: LogReader
  #running: Promise<void> = Promise.resolve()
  #isClosing = false
  #lastPersistMs = 0

  constructor(options: GlobalReaderOptions) {
    this.#options = options
    this.#reader = options.broker.openReader({ isolation: 'read_committed' })
  }

  /** Resolves when the stores hold all that was in the log when it was called, or after `stop`; goes on reading. */
  async start(): Promise<void> {
    const { broker, task, partitions } = this.#options
    const starts = await broker.admin.listOffsets(partitions, 'earliest')
    // What a transaction has not committed yet is not waited for: its readers would not see it either.
    const ends = await broker.admin.listOffsets(partitions, 'latest-stable')
    const from = partitions.map(({ topic, partition }, i) => Math.max(starts[i]!, task.position(topic, partition) ?? 0))
    this.#reader.assign(partitions.map((at, i) => ({ ...at, offset: from[i]! })))
    const missing = new Map(
      partitions.flatMap((at, i) =>
        from[i]! < ends[i]! ? [[partitionKey(at.topic, at.partition), ends[i]!] as const] : [],
      ),
    )
    while (missing.size > 0 && !this.#isClosing) {
      await this.#round((key, position) => {
        if (position >= (missing.get(key) ?? 0)) missing.delete(key)
      })
      if (task.state.frozenEntries >= entriesPerRun) await this.#persist()
    }
    this.#running = this.#follow()
  }

  /** What is under way comes to its end soon, be it complete or not. */
  stop(): void {
    this.#isClosing = true
    this.#reader.wakeup()
  }

  async close(): Promise<void> {
    this.stop()
    await this.#running
    await this.#reader.close()
    await this.#persist()
  }

  async #follow(): Promise<void> {
    const { clock, persistIntervalMs } = this.#options
    try {
      // Until then a key that is not there costs a read from disk.
      while (!this.#isClosing && !this.#options.task.state.learnKeys()) await yieldToLoop()
      while (!this.#isClosing) {
        await this.#patientRound()
        if (isDue(clock.nowMs(), this.#lastPersistMs, persistIntervalMs)) await this.#persist()
      }
    } catch (error) {
      if (!this.#isClosing) this.#options.onFailure(error as Error)
    }
  }

  /** What cannot be written is read again at the next start. */
  async #persist(): Promise<void> {
    const { task, clock, logger } = this.#options
    this.#lastPersistMs = clock.nowMs()
    try {
      await task.state.persistAll(yieldToLoop)
      task.state.checkpointIfDue()
    } catch (error) {
      logger.error(
        { event: 'state.persist-failed', task: 'global', error: String(error) },
        'the state of global tables could not be written to disk',
      )
    }
  }

  /** A log that is away for now is asked again. */
  async #patientRound(): Promise<void> {
    try {
      await this.#round(() => undefined)
    } catch (error) {
      if (!(error instanceof BrokerError) || !error.retryable) throw error
      await this.#options.clock.sleep(pollWaitMs)
    }
  }

  async #round(onRead: (key: string, position: number) => void): Promise<void> {
    for (const { topic, partition, records } of await this.#reader.poll(pollWaitMs)) {
      this.#options.task.add(topic, partition, records)
      onRead(partitionKey(topic, partition), records.position)
    }
  }
}
