import { at, attribute } from '../../common/record-batch.ts'
import { latin1Slice } from '../../common/buffer-text.ts'
import { RecordBatchReader } from '../../common/record-batch-reader.ts'
import type { LogStore } from './log-store.ts'
import type { PartitionLog, StoredBatch } from './partition-log.ts'

/** A partition with fewer batches than this is left alone. */
const batchesMin = 500
const bytesPerPage = 256 * 1024
const deletionsPerTurn = 500

/**
 * Keeps topics from growing without end. Where a topic has a retention, batches go whose records are all older. Where a partition
 * of a compacted topic has doubled since the last time:
 *
 *   1. Note the newest offset of every key below the last stable offset.
 *   2. Delete the batches in which every record is older than its key's newest, and the commit markers, which have
 *      nothing to say any more.
 *
 * Whole batches only: what is left keeps its bytes and offsets, and a gap between batches is something every reader
 * passes over anyway. The last batch below the stable offset stays, whatever it is, so that a reader still gets to the end;
 * markers of aborts stay too, for readers of what they aborted.
 */
export class Compactor {
  readonly #store: LogStore
  readonly #timer: NodeJS.Timeout
  /** Batches that were left after the last time, by partition id. */
  readonly #left = new Map<number, number>()
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #isStopped = false

  constructor(store: LogStore, intervalMs: number) {
    this.#store = store
    this.#timer = setInterval(() => this.#start(), intervalMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#running
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#run()
      .catch(() => undefined) // a turn that could not be written: whoever writes next is told, and here the next round tries again
      .finally(() => (this.#isRunning = false))
  }

  async #run(): Promise<void> {
    for (const log of this.#store.partitions) {
      if (this.#isStopped || this.#store.closed) return
      await this.#expire(log)
      if (!log.isCompacted) continue
      const count = log.batchCount()
      if (count < batchesMin || count < 2 * (this.#left.get(log.id) ?? 0)) continue
      await this.#compact(log)
      this.#left.set(log.id, log.batchCount())
    }
  }

  /** Records whose time is over, batch by batch, as Kafka does by segments. */
  async #expire(log: PartitionLog): Promise<void> {
    if (log.retentionMs === Infinity) return
    const end = log.endOfOlder(this.#store.clock.nowMs() - log.retentionMs)
    if (end > log.logStartOffset) await this.#store.commits.run(() => log.deleteBelow(end))
  }

  async #compact(log: PartitionLog): Promise<void> {
    const end = log.lastStableOffset
    const newest = new Map<string, number>()
    await this.#eachBatch(log, end, (batch) => {
      const records = committedRecords(log, batch)
      while (records.next()) if (records.keyStart >= 0) newest.set(keyOf(records), records.offset)
    })

    let superseded: number[] = []
    let previous: number | null = null
    await this.#eachBatch(log, end, (batch) => {
      // One behind, so that the last batch of all is never among them.
      if (previous !== null) superseded.push(previous)
      previous = isSuperseded(log, batch, newest) ? batch.baseOffset : null
    })
    while (superseded.length > 0 && !this.#isStopped) {
      const turn = superseded.slice(0, deletionsPerTurn)
      superseded = superseded.slice(deletionsPerTurn)
      await this.#store.commits.run(() => log.deleteBatches(turn))
    }
  }

  /** Visits the batches below `end`, a page at a time; the event loop has its turn in between. */
  async #eachBatch(log: PartitionLog, end: number, visit: (batch: StoredBatch) => void): Promise<void> {
    for (let offset = log.logStartOffset; offset < end && !this.#isStopped;) {
      const page = log.read(offset, end, bytesPerPage)
      if (page.length === 0) return
      for (const batch of page) visit(batch)
      offset = page[page.length - 1]!.lastOffset + 1
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

function committedRecords(log: PartitionLog, { bytes, baseOffset, lastOffset }: StoredBatch): RecordBatchReader {
  return new RecordBatchReader(bytes, 0, bytes.length, {
    fromOffset: baseOffset,
    isolation: 'read_committed',
    abortedTransactions: log.abortedBetween(baseOffset, lastOffset + 1),
  })
}

const keyOf = (records: RecordBatchReader): string => latin1Slice(records.bytes, records.keyStart, records.keyEnd)

function isSuperseded(log: PartitionLog, batch: StoredBatch, newest: ReadonlyMap<string, number>): boolean {
  const isControl = (batch.bytes.readInt16BE(at.attributes) & attribute.control) !== 0
  if (isControl) return log.abortedBetween(batch.lastOffset, batch.lastOffset + 1).length === 0
  const records = committedRecords(log, batch)
  let count = 0
  while (records.next()) {
    count++
    if (records.keyStart < 0 || newest.get(keyOf(records)) === records.offset) return false
  }
  // Nothing to see in it: aborted, and left for its marker's sake.
  return count > 0
}
