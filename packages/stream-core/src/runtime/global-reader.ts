import type { Broker, LogReader } from '../broker/broker.ts'
import type { Clock } from '../common/clock.ts'
import { BrokerError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { partitionKey, type TopicPartition } from '../common/record.ts'
import type { GlobalTask } from './global-task.ts'

export interface GlobalReaderOptions {
  readonly broker: Broker
  readonly task: GlobalTask
  readonly partitionCount: (topic: string) => number
  readonly logger: Logger
  readonly clock: Clock
  /** Something went wrong that reading on cannot mend. */
  readonly onFailure: (error: Error) => void
}

const pollWaitMs = 500

/**
 * Keeps the global stores of an instance up to date: reads their topics from the beginning to where they ended at the start,
 * before any task runs, and then what comes, for as long as the instance lives. It reads only what is committed.
 */
export class GlobalReader {
  readonly #options: GlobalReaderOptions
  readonly #reader: LogReader
  #running: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(options: GlobalReaderOptions) {
    this.#options = options
    this.#reader = options.broker.openReader({ isolation: 'read_committed' })
  }

  /** Resolves when the stores hold all that was in the log when it was called; goes on reading. */
  async start(): Promise<void> {
    const { broker, task, partitionCount } = this.#options
    const partitions: TopicPartition[] = task.topics.flatMap((topic) =>
      Array.from({ length: partitionCount(topic) }, (_, partition) => ({ topic, partition })),
    )
    const starts = await broker.admin.listOffsets(partitions, 'earliest')
    // What a transaction has not committed yet is not waited for: its readers would not see it either.
    const ends = await broker.admin.listOffsets(partitions, 'latest-stable')
    this.#reader.assign(partitions.map((at, i) => ({ ...at, offset: starts[i]! })))
    const missing = new Map(
      partitions.flatMap((at, i) =>
        starts[i]! < ends[i]! ? [[partitionKey(at.topic, at.partition), ends[i]!] as const] : [],
      ),
    )
    while (missing.size > 0 && !this.#isClosing) {
      await this.#round((key, position) => {
        if (position >= (missing.get(key) ?? 0)) missing.delete(key)
      })
    }
    this.#running = this.#follow()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#reader.wakeup()
    await this.#running
    await this.#reader.close()
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#isClosing) await this.#patientRound()
    } catch (error) {
      if (!this.#isClosing) this.#options.onFailure(error as Error)
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
