import { crc32c } from '../../src/common/crc32c.ts'
import { RecordBatchBuilder, type SealOptions } from '../../src/common/record-batch-builder.ts'
import { RecordBatchReader, type RecordBatchReaderOptions } from '../../src/common/record-batch-reader.ts'
import { at, batchHeaderBytes, writeInt64 } from '../../src/common/record-batch.ts'
import type { Headers } from '../../src/common/record.ts'

export interface Plain {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

export const bytes = (text: string): Buffer => Buffer.from(text)

export function build(values: readonly string[], options: SealOptions = {}): Buffer {
  const builder = new RecordBatchBuilder()
  for (const [i, value] of values.entries()) builder.append(null, bytes(value), 1000 + i, [])
  return builder.seal(options)
}

/** What the log does with a batch: it gives it its offsets. Neither is covered by the checksum. */
export function placed(batch: Buffer, baseOffset: number): Buffer {
  writeInt64(batch, baseOffset, at.baseOffset)
  batch.writeInt32BE(7, at.partitionLeaderEpoch)
  return batch
}

/** Changes a batch below its checksum, and the checksum with it. */
export function mended(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch)
  batch.writeInt32BE(batch.length - 12, at.batchLength)
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc)
  return batch
}

export function readAll(
  input: Buffer,
  options: Partial<RecordBatchReaderOptions> = {},
): { records: Plain[]; position: number } {
  const reader = new RecordBatchReader(input, 0, input.length, {
    fromOffset: 0,
    isolation: 'read_committed',
    ...options,
  })
  const records: Plain[] = []
  while (reader.next()) {
    const { offset, timestampMs } = reader
    const [key, value] = [reader.key(), reader.value()]
    records.push({
      offset,
      timestampMs,
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
      headers: reader.headers(),
    })
  }
  return { records, position: reader.position }
}

export const valuesOf = (input: Buffer, options: Partial<RecordBatchReaderOptions> = {}): (string | undefined)[] =>
  readAll(input, options).records.map(({ value }) => value?.toString())

export const writer = (producerId: number): SealOptions => ({
  producerId,
  producerEpoch: 0,
  baseSequence: 0,
  transactional: true,
})

/** An end marker: a control batch with one record, whose key is a version and a type (0 ABORT, 1 COMMIT). */
export function marker(producerId: number, type: 'abort' | 'commit', baseOffset: number): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append(Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]), Buffer.alloc(6), 1, [])
  return placed(builder.seal({ ...writer(producerId), control: true }), baseOffset)
}

/** What compaction leaves of a batch whose records are all gone: its header. */
export const emptied = (batch: Buffer): Buffer =>
  mended(Buffer.from(batch.subarray(0, batchHeaderBytes)), (header) => header.writeInt32BE(0, at.recordCount))
