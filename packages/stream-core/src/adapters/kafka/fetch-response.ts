import { readInt64 } from '../../common/byte-writer.ts'
import { at, batchHeaderBytes } from '../../common/record-batch.ts'

export interface FetchedBytes {
  /** 32 hex digits. */
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Where the log parts from what was read, as the epoch of that tells (KIP-320); −1 when it does not. */
  readonly divergedAt: number
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[]
  /** Where the record batches lie in the response. */
  readonly start: number
  readonly end: number
}

/**
 * Walks a fetch response (version 17; clients FetchResponse.json) without touching its records: they stay where they are,
 * in one buffer, until somebody reads them.
 */
export function readFetchResponse(bytes: Buffer): {
  readonly errorCode: number
  readonly partitions: readonly FetchedBytes[]
} {
  let position = 4 // throttle time
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[position++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
  }
  /** Where the field of this tag begins; −1 without one. */
  const skipTags = (wanted = -1): number => {
    let found = -1
    for (let count = varint(); count > 0; count--) {
      const tag = varint()
      const size = varint()
      if (tag === wanted) found = position
      position += size
    }
    return found
  }
  const errorCode = bytes.readInt16BE(position)
  position += 6 // error code and session id
  const partitions: FetchedBytes[] = []
  for (let topics = varint() - 1; topics > 0; topics--) {
    const topicId = bytes.toString('hex', position, position + 16)
    position += 16
    for (let count = varint() - 1; count > 0; count--) {
      const head = position
      position += 30
      const abortedTransactions: { producerId: number; firstOffset: number }[] = []
      for (let aborted = varint() - 1; aborted > 0; aborted--) {
        abortedTransactions.push({
          producerId: readInt64(bytes, position),
          firstOffset: readInt64(bytes, position + 8),
        })
        position += 16
        skipTags()
      }
      position += 4 // preferred read replica
      const size = Math.max(0, varint() - 1)
      const start = position
      position += size
      const diverging = skipTags(0)
      partitions.push({
        topicId,
        partition: bytes.readInt32BE(head),
        errorCode: bytes.readInt16BE(head + 4),
        highWatermark: readInt64(bytes, head + 6),
        lastStableOffset: readInt64(bytes, head + 14),
        logStartOffset: readInt64(bytes, head + 22),
        divergedAt: diverging < 0 ? -1 : readInt64(bytes, diverging + 4),
        abortedTransactions,
        start,
        end: start + size,
      })
    }
    skipTags()
  }
  return { errorCode, partitions }
}

/** What the last whole batch in these bytes says; null when there is none. Headers only, no record is decoded. */
export function lastBatch(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly nextOffset: number; readonly leaderEpoch: number } | null {
  let last = -1
  for (let batch = start; batch + batchHeaderBytes <= end;) {
    const next = batch + 12 + bytes.readInt32BE(batch + at.batchLength)
    if (next > end) break
    last = batch
    batch = next
  }
  if (last < 0) return null
  return {
    nextOffset: readInt64(bytes, last) + bytes.readInt32BE(last + at.lastOffsetDelta) + 1,
    leaderEpoch: bytes.readInt32BE(last + at.partitionLeaderEpoch),
  }
}
