import { BrokerError, type LogProducer, type Logger, partitionForKey } from 'stream-core'
import { topics } from '@voting/election/topics'

/** What is known of a write: the log has it, certainly has it not, or nobody can say. */
export type Delivery = 'recorded' | 'not-written' | 'unknown'

/** A voter does not wait longer than this for an answer. */
const answerDeadlineMs = 10_000
/** More than this waiting for the log means that it is away: better to say so at once than to queue. */
const pendingBytesMax = 16 * 1024 * 1024

/**
 * Writes ballots and control records. Everything that arrives in one turn of the event loop goes to the log together:
 * one request, one sync to disk, however many voters.
 */
export class BallotLog {
  readonly partitionCount: number
  readonly #producer: LogProducer
  readonly #logger: Logger
  readonly #observe: (seconds: number) => void
  #isFlushScheduled = false

  /** `observe` is told how long the log took to answer for a ballot. */
  constructor(producer: LogProducer, partitionCount: number, logger: Logger, observe: (seconds: number) => void) {
    this.#producer = producer
    this.partitionCount = partitionCount
    this.#logger = logger
    this.#observe = observe
  }

  /** Records a ballot under its key; the key decides the partition. */
  async record(key: string, value: object, atMs: number): Promise<Delivery> {
    const startedMs = performance.now()
    const keyBytes = Buffer.from(key)
    const partition = partitionForKey(keyBytes, this.partitionCount)
    const delivery = await this.#append(topics.ballots, partition, keyBytes, value, atMs)
    this.#observe((performance.now() - startedMs) / 1000)
    return delivery
  }

  /** Records a value in every partition of `ballots`: how control records are written. */
  async recordEverywhere(key: string, value: object, atMs: number): Promise<Delivery> {
    const keyBytes = Buffer.from(key)
    const all = Array.from({ length: this.partitionCount }, (_, partition) =>
      this.#append(topics.ballots, partition, keyBytes, value, atMs),
    )
    const deliveries = await Promise.all(all)
    if (deliveries.every((delivery) => delivery === 'recorded')) return 'recorded'
    return deliveries.every((delivery) => delivery === 'not-written') ? 'not-written' : 'unknown'
  }

  publishPoll(pollId: string, value: object, atMs: number): Promise<Delivery> {
    return this.#append(topics.polls, 0, Buffer.from(pollId), value, atMs)
  }

  #append(topic: string, partition: number, key: Buffer, value: object, atMs: number): Promise<Delivery> {
    if (this.#producer.pendingBytes > pendingBytesMax) return Promise.resolve('not-written')
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve('unknown'), answerDeadlineMs)
      const settle = (delivery: Delivery): void => {
        clearTimeout(deadline)
        resolve(delivery)
      }
      try {
        this.#producer.append(topic, partition, key, Buffer.from(JSON.stringify(value)), atMs, [], (error) =>
          settle(error === null ? 'recorded' : outcomeOf(error)),
        )
      } catch (error) {
        // Nothing was appended: an unknown partition, or a producer that is closed.
        this.#logger.error(
          { event: 'append.failed', topic, partition, error: String(error) },
          'a record was not appended',
        )
        settle('not-written')
        return
      }
      this.#scheduleFlush()
    })
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    setImmediate(() => {
      this.#isFlushScheduled = false
      // Each record's own callback has told its voter; here the operator is told once.
      this.#producer.flush().catch((error: unknown) => {
        this.#logger.warn({ event: 'flush.failed', error: String(error) }, 'the log did not take what was written')
      })
    })
  }
}

const outcomeOf = (error: Error): Delivery =>
  error instanceof BrokerError && error.written === 'no' ? 'not-written' : 'unknown'
