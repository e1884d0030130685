import type { LogStore } from '../../src/adapters/embedded/log-store.ts'
import { at, attribute, readInt64, writeInt64 } from '../../src/common/record-batch.ts'
import { RecordBatchBuilder } from '../../src/common/record-batch-builder.ts'
import { RecordBatchReader } from '../../src/common/record-batch-reader.ts'

/**
 * What a broker's log cleaner does to a compacted topic: of each key only the newest record stays, and a deletion only for as
 * long as `mayDelete` says no. The last batch of a partition is left alone, and what lies beyond the last stable offset.
 */
export async function cleanLog(
  store: LogStore,
  topic: string,
  mayDelete: (partition: number, offset: number) => boolean,
): Promise<void> {
  const insert = store.database.prepare(
    'INSERT INTO batches (partition_id, base_offset, last_offset, bytes) VALUES (?,?,?,?)',
  )
  for (const log of store.partitions.filter((each) => each.topic === topic)) {
    await store.commits.run(() => {
      const end = log.lastStableOffset
      const batches = log.read(log.logStartOffset, end, 1 << 30).filter(({ lastOffset }) => lastOffset < end)
      const readerOf = ({ bytes, baseOffset, lastOffset }: (typeof batches)[number]): RecordBatchReader =>
        new RecordBatchReader(bytes, 0, bytes.length, {
          fromOffset: baseOffset,
          isolation: 'read_committed',
          abortedTransactions: log.abortedBetween(baseOffset, lastOffset + 1),
        })
      const newest = new Map<string, number>()
      for (const batch of batches) {
        const records = readerOf(batch)
        while (records.next()) newest.set(records.key()!.toString('latin1'), records.offset)
      }
      for (const batch of batches.slice(0, -1)) {
        const { bytes, baseOffset, lastOffset } = batch
        if ((bytes.readInt16BE(at.attributes) & attribute.control) !== 0) continue
        const records = readerOf(batch)
        const kept: { readonly offset: number; readonly bytes: Buffer }[] = []
        let count = 0
        while (records.next()) {
          count++
          if (newest.get(records.key()!.toString('latin1')) !== records.offset) continue
          if (records.valueStart < 0 && mayDelete(log.partition, records.offset)) continue
          const builder = new RecordBatchBuilder(256)
          builder.append(records.key(), records.value(), records.timestampMs, records.headers())
          const single = builder.seal({
            producerId: readInt64(bytes, at.producerId),
            producerEpoch: bytes.readInt16BE(at.producerEpoch),
            transactional: (bytes.readInt16BE(at.attributes) & attribute.transactional) !== 0,
          })
          writeInt64(single, records.offset, at.baseOffset)
          kept.push({ offset: records.offset, bytes: single })
        }
        // Aborted ones go with their markers, which stay.
        if (count === 0 || kept.length === lastOffset - baseOffset + 1) continue
        log.deleteBatches([baseOffset])
        for (const record of kept) insert.run(log.id, record.offset, record.offset, record.bytes)
      }
    })
  }
}
