import type { FetchedPartition, LogReader, LogReaderOptions, ReadFrom } from '../../broker/broker.ts'
import { OffsetOutOfRangeError, StreamsError } from '../../common/errors.ts'
import { RecordBatchReader } from '../../common/record-batch-reader.ts'
import { partitionKey, type TopicPartition } from '../../common/record.ts'
import type { LogStore } from './log-store.ts'

/** Given to `abort`, which would make an error with a stack for each wait. */
const isOver = 'the wait is over'

interface Assigned extends TopicPartition {
  /** What is read: of a topic and its cuts those that were there when it was last looked at; null: it was not yet. */
  seen: { readonly topicId: string; readonly cuts: number } | null
  position: number
  paused: boolean
}

/** Reads the embedded log from given offsets; waits for a change of the log when there is nothing to read. */
export class EmbeddedReader implements LogReader {
  readonly #store: LogStore
  readonly #isolation: 'read_committed' | 'read_uncommitted'
  readonly #partitionMaxBytes: number
  readonly #maxBytes: number
  #assigned = new Map<string, Assigned>()
  #wake: (() => void) | null = null
  #closed = false

  constructor(store: LogStore, options: LogReaderOptions) {
    this.#store = store
    this.#isolation = options.isolation ?? 'read_committed'
    this.#partitionMaxBytes = options.partitionMaxBytes ?? 1 << 20
    this.#maxBytes = options.maxBytes ?? 8 << 20
  }

  assign(positions: readonly ReadFrom[]): void {
    this.#assigned = new Map()
    this.add(positions)
  }

  add(positions: readonly ReadFrom[]): void {
    for (const { topic, partition, offset } of positions) {
      this.#assigned.set(partitionKey(topic, partition), {
        topic,
        partition,
        seen: null,
        position: offset,
        paused: false,
      })
    }
    this.wakeup()
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(partitionKey(topic, partition))
  }

  remaining(partition: TopicPartition): number {
    const { topic, position } = this.#find(partition)
    if (this.#store.describe(topic) === undefined) return 0
    const log = this.#store.partition(topic, partition.partition)
    const end = this.#isolation === 'read_committed' ? log.lastStableOffset : log.highWatermark
    return Math.max(0, end - position)
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#find(partition).position = offset
  }

  pause(partition: TopicPartition): void {
    this.#find(partition).paused = true
  }

  resume(partition: TopicPartition): void {
    this.#find(partition).paused = false
    this.wakeup()
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    const fetched = this.#fetch()
    if (fetched.length > 0 || maxWaitMs <= 0 || this.#closed) return fetched
    await this.#waitForChange(maxWaitMs)
    return this.#closed ? [] : this.#fetch()
  }

  wakeup(): void {
    this.#wake?.()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.wakeup()
  }

  #fetch(): FetchedPartition[] {
    if (this.#closed) return []
    this.#store.checkOpen()
    const fetched: FetchedPartition[] = []
    // A topic that is gone brings nothing: it may be made anew. All are looked at before anything is taken, for that would be
    // lost with an error.
    const there = [...this.#assigned.values()].filter(({ topic, paused }) => !paused && this.#store.describe(topic))
    for (const assigned of there) this.#checkPosition(assigned)
    let left = this.#maxBytes
    for (const assigned of there) {
      if (left <= 0) break
      const bytes = this.#fetchPartition(assigned, Math.min(left, this.#partitionMaxBytes), fetched)
      if (bytes === 0) continue
      left -= bytes
      // Whoever was served goes to the back of the line, so that a busy partition cannot starve the others.
      const key = partitionKey(assigned.topic, assigned.partition)
      this.#assigned.delete(key)
      this.#assigned.set(key, assigned)
    }
    return fetched
  }

  #checkPosition(assigned: Assigned): void {
    const { topic, partition, position, seen } = assigned
    const log = this.#store.partition(topic, partition)
    const { topicId } = this.#store.describe(topic)!
    assigned.seen = { topicId, cuts: log.cuts.length }
    const isAnother = seen !== null && seen.topicId !== topicId
    const cutAt = isAnother ? 0 : Math.min(...log.cuts.slice(seen?.cuts ?? Infinity))
    const isInside = position >= log.logStartOffset && position <= log.highWatermark
    if (isInside && position <= cutAt) return
    const { logStartOffset, highWatermark: logEndOffset } = log
    const divergedAt = position > cutAt ? cutAt : null
    throw new OffsetOutOfRangeError({ topic, partition, offset: position, logStartOffset, logEndOffset, divergedAt })
  }

  #fetchPartition(assigned: Assigned, maxBytes: number, fetched: FetchedPartition[]): number {
    const { topic, partition, position } = assigned
    const log = this.#store.partition(topic, partition)
    const end = this.#isolation === 'read_committed' ? log.lastStableOffset : log.highWatermark
    if (position >= end) return 0
    const batches = log.read(position, end, maxBytes)
    if (batches.length === 0) {
      // Compaction took everything up to the end.
      assigned.position = end
      return 0
    }
    const last = batches[batches.length - 1]!
    const input = batches.length === 1 ? batches[0]!.bytes : Buffer.concat(batches.map((batch) => batch.bytes))
    const records = new RecordBatchReader(input, 0, input.length, {
      fromOffset: position,
      isolation: this.#isolation,
      where: `${topic} partition ${partition}`,
      abortedTransactions:
        this.#isolation === 'read_committed' ? log.abortedBetween(position, last.lastOffset + 1) : [],
    })
    assigned.position = last.lastOffset + 1
    fetched.push({
      topic,
      partition,
      records,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset,
    })
    return input.length
  }

  #waitForChange(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = new AbortController()
      const finish = (): void => {
        waiting.abort(isOver)
        stop()
        this.#wake = null
        resolve()
      }
      void this.#store.clock.sleep(maxWaitMs, waiting.signal).then(() => {
        if (!waiting.signal.aborted) finish()
      })
      const stop = this.#store.onChange(finish)
      this.#wake = finish
    })
  }

  #find(partition: TopicPartition): Assigned {
    const found = this.#assigned.get(partitionKey(partition.topic, partition.partition))
    if (found) return found
    throw new StreamsError('ILLEGAL_STATE', `${partition.topic} partition ${partition.partition} is not assigned here`)
  }
}
