import type { Database, Statement } from 'better-sqlite3'
import { at, readInt64, writeInt64 } from '../../common/record-batch.ts'
import { RecordBatchReader } from '../../common/record-batch-reader.ts'
import type { TopicPartition } from '../../common/record.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
}

/** The statements every partition shares. */
export class BatchTable {
  readonly insert: Statement
  readonly read: Statement
  readonly aborted: Statement
  readonly setEnds: Statement
  readonly deleteBelow: Statement
  readonly deleteOne: Statement
  readonly deleteFrom: Statement
  readonly forgetAborted: Statement
  readonly count: Statement

  constructor(database: Database) {
    this.insert = database.prepare(
      'INSERT INTO batches (partition_id, base_offset, last_offset, bytes) VALUES (?,?,?,?)',
    )
    // The batch that holds an offset is the last one that begins at or below it.
    this.read = database.prepare(
      `SELECT base_offset AS baseOffset, last_offset AS lastOffset, bytes FROM batches
       WHERE partition_id = ? AND base_offset >= coalesce((
         SELECT max(base_offset) FROM batches WHERE partition_id = ? AND base_offset <= ?), 0)
       AND last_offset >= ? AND base_offset < ? ORDER BY base_offset LIMIT ?`,
    )
    this.aborted = database.prepare(
      `SELECT producer_id AS producerId, first_offset AS firstOffset FROM aborted_transactions
       WHERE partition_id = ? AND last_offset >= ? AND first_offset < ?`,
    )
    this.setEnds = database.prepare('UPDATE partitions SET log_start_offset = ?, next_offset = ? WHERE id = ?')
    this.deleteBelow = database.prepare('DELETE FROM batches WHERE partition_id = ? AND last_offset < ?')
    this.deleteOne = database.prepare('DELETE FROM batches WHERE partition_id = ? AND base_offset = ?')
    this.deleteFrom = database.prepare('DELETE FROM batches WHERE partition_id = ? AND base_offset >= ?')
    this.forgetAborted = database.prepare(
      'DELETE FROM aborted_transactions WHERE partition_id = ? AND first_offset >= ?',
    )
    this.count = database.prepare('SELECT count(*) AS count FROM batches WHERE partition_id = ?')
  }
}

/**
 * One partition of the embedded log: where it begins and ends, and which transactions are open in it.
 *
 *   logStartOffset ≤ lastStableOffset ≤ highWatermark ≤ nextOffset
 *
 * `nextOffset` runs ahead inside a turn of the loop; `highWatermark` follows when the turn's transaction is on disk, and
 * readers see nothing beyond it.
 */
export class PartitionLog implements TopicPartition {
  readonly id: number
  readonly topic: string
  readonly partition: number
  logStartOffset: number
  nextOffset: number
  highWatermark: number
  /** Of each key only the newest record has to be kept (`cleanup.policy=compact`). */
  readonly isCompacted: boolean
  /** Records may go that are older (`retention.ms`); Infinity: none. */
  readonly retentionMs: number
  /** Larger batches are refused (`max.message.bytes`); Infinity: none. */
  readonly maxMessageBytes: number
  /** First offset of each open transaction, by producer id. */
  readonly openTransactions = new Map<number, number>()
  /** Where it was cut, one after the other; only simulation and tests do that. */
  readonly cuts: number[] = []
  readonly #table: BatchTable

  constructor(
    table: BatchTable,
    row: { id: number; topic: string; partition: number; log_start_offset: number; next_offset: number },
    {
      isCompacted,
      retentionMs,
      maxMessageBytes,
    }: { readonly isCompacted: boolean; readonly retentionMs: number; readonly maxMessageBytes: number },
  ) {
    this.#table = table
    this.id = row.id
    this.topic = row.topic
    this.partition = row.partition
    this.isCompacted = isCompacted
    this.retentionMs = retentionMs
    this.maxMessageBytes = maxMessageBytes
    this.logStartOffset = row.log_start_offset
    this.nextOffset = this.highWatermark = row.next_offset
  }

  get lastStableOffset(): number {
    let stable = this.highWatermark
    for (const firstOffset of this.openTransactions.values()) if (firstOffset < stable) stable = firstOffset
    return stable
  }

  /** Stores a sealed batch at the end and returns its base offset. Durable when the turn's transaction is. */
  append(batch: Buffer): number {
    const baseOffset = this.nextOffset
    const lastOffset = baseOffset + batch.readInt32BE(at.lastOffsetDelta)
    writeInt64(batch, baseOffset, at.baseOffset)
    batch.writeInt32BE(0, at.partitionLeaderEpoch)
    this.#table.insert.run(this.id, baseOffset, lastOffset, batch)
    this.nextOffset = lastOffset + 1
    return baseOffset
  }

  saveEnds(): void {
    this.#table.setEnds.run(this.logStartOffset, this.nextOffset, this.id)
  }

  /** Batches from the one that holds `offset`, below `endOffset`, about `maxBytes` of them and at least one. */
  read(offset: number, endOffset: number, maxBytes: number): readonly StoredBatch[] {
    const batches: StoredBatch[] = []
    let size = 0
    let from = offset
    while (size < maxBytes && from < endOffset) {
      const page = this.#table.read.all(this.id, this.id, from, from, endOffset, 16) as StoredBatch[]
      for (const batch of page) {
        if (size > 0 && size + batch.bytes.length > maxBytes) return batches
        batches.push(batch)
        size += batch.bytes.length
      }
      if (page.length < 16) break
      from = page[page.length - 1]!.lastOffset + 1
    }
    return batches
  }

  /** Offset of the first record of a time or later; the last stable offset where there is none. Reads batch by batch. */
  offsetAt(timestampMs: number): number {
    const end = this.lastStableOffset
    for (let from = this.logStartOffset; from < end;) {
      const batches = this.read(from, end, 1 << 20)
      if (batches.length === 0) break
      for (const { bytes, lastOffset } of batches) {
        from = lastOffset + 1
        if (readInt64(bytes, at.maxTimestamp) < timestampMs) continue
        const records = new RecordBatchReader(bytes, 0, bytes.length, {
          fromOffset: this.logStartOffset,
          isolation: 'read_uncommitted',
          where: this.topic,
        })
        while (records.next()) if (records.timestampMs >= timestampMs) return records.offset
      }
    }
    return end
  }

  /** Where the batches end, from the beginning on, of which every record is older; nothing beyond the last stable offset. */
  endOfOlder(timestampMs: number): number {
    let from = this.logStartOffset
    for (const end = this.lastStableOffset; from < end;) {
      const batches = this.read(from, end, 1 << 18)
      if (batches.length === 0) return from
      for (const { bytes, lastOffset } of batches) {
        if (readInt64(bytes, at.maxTimestamp) >= timestampMs || lastOffset >= end) return from
        from = lastOffset + 1
      }
    }
    return from
  }

  abortedBetween(offset: number, endOffset: number): readonly AbortedTransaction[] {
    return this.#table.aborted.all(this.id, offset, endOffset) as AbortedTransaction[]
  }

  deleteBelow(offset: number): void {
    this.logStartOffset = Math.max(this.logStartOffset, Math.min(offset, this.highWatermark))
    this.#table.deleteBelow.run(this.id, this.logStartOffset)
    this.saveEnds()
  }

  /** Loses its end, as a broker's does that was not in sync and leads nevertheless. Nothing may be open in it. */
  cut(offset: number): void {
    this.#table.deleteFrom.run(this.id, offset)
    this.#table.forgetAborted.run(this.id, offset)
    this.nextOffset = this.highWatermark = offset
    this.saveEnds()
    this.cuts.push(offset)
  }

  batchCount(): number {
    return (this.#table.count.get(this.id) as { count: number }).count
  }

  /** Takes whole batches out; their offsets become a gap, which readers pass over. */
  deleteBatches(baseOffsets: readonly number[]): void {
    for (const baseOffset of baseOffsets) this.#table.deleteOne.run(this.id, baseOffset)
  }
}
