/**
 * Kafka's record batch, version 2: where its fields lie (kafka/clients DefaultRecordBatch). Shared by the reader and
 * the builder, and by whoever patches offsets into stored batches.
 *
 *   0 baseOffset int64 · 8 batchLength int32 · 12 partitionLeaderEpoch int32 · 16 magic int8 · 17 crc uint32
 *  21 attributes int16 · 23 lastOffsetDelta int32 · 27 baseTimestamp int64 · 35 maxTimestamp int64
 *  43 producerId int64 · 51 producerEpoch int16 · 53 baseSequence int32 · 57 recordCount int32 · 61 records
 *
 * The checksum covers everything from the attributes on, so base offset and leader epoch may be patched afterwards.
 */
export const batchHeaderBytes = 61
export const at = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

export const attribute = { compression: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const

export function writeInt64(bytes: Buffer, value: number, position: number): void {
  const high = Math.floor(value / 4294967296)
  bytes.writeInt32BE(high, position)
  bytes.writeUInt32BE(value - high * 4294967296, position + 4)
}

export const readInt64 = (bytes: Buffer, position: number): number =>
  bytes.readInt32BE(position) * 4294967296 + bytes.readUInt32BE(position + 4)

/** Bytes of a zig-zag varint. */
export function varintBytes(value: number): number {
  let left = value >= 0 ? value * 2 : -2 * value - 1
  if (left < 0x80) return 1
  let size = 1
  while (left >= 0x80) {
    left = Math.floor(left / 0x80)
    size++
  }
  return size
}
