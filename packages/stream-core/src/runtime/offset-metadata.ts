/** What is committed beside an offset (Kafka Streams' TopicPartitionMetadata). */
export interface OffsetMetadata {
  /** Largest event time seen in the partition; −1: none. */
  readonly partitionTimeMs: number
  /** Numbers that operators keep, by name: the last close time that emit-on-close has emitted, for instance. */
  readonly numbers: ReadonlyMap<string, number>
}

const magic = 2
const nothing: OffsetMetadata = { partitionTimeMs: -1, numbers: new Map() }

/** `base64(02 ‖ partition time(8) ‖ [count(4) ‖ [length(4) ‖ name ‖ number(8)]…])` (reference §6.9). */
export function encodeOffsetMetadata({ partitionTimeMs, numbers }: OffsetMetadata): string {
  const parts: Buffer[] = [Buffer.of(magic), int64(partitionTimeMs)]
  if (numbers.size > 0) parts.push(int32(numbers.size))
  for (const [name, value] of numbers) {
    const bytes = Buffer.from(name)
    parts.push(int32(bytes.length), bytes, int64(value))
  }
  return Buffer.concat(parts).toString('base64')
}

/** What cannot be read says nothing: a partition's time is then unknown, as in Kafka Streams. */
export function decodeOffsetMetadata(text: string | null): OffsetMetadata {
  if (text === null || text === '') return nothing
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < 9 || (bytes[0] !== 1 && bytes[0] !== magic)) return nothing
  const partitionTimeMs = Number(bytes.readBigInt64BE(1))
  const numbers = new Map<string, number>()
  try {
    let at = 13
    for (let left = bytes[0] === magic && bytes.length > 9 ? bytes.readInt32BE(9) : 0; left > 0; left--) {
      const length = bytes.readInt32BE(at)
      numbers.set(bytes.toString('utf8', at + 4, at + 4 + length), Number(bytes.readBigInt64BE(at + 4 + length)))
      at += 12 + length
    }
  } catch {
    return { partitionTimeMs, numbers: new Map() }
  }
  return { partitionTimeMs, numbers }
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
