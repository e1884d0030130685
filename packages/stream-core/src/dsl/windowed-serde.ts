import { readInt64 } from '../common/byte-writer.ts'
import type { Serde } from '../common/serde.ts'
import type { Windowed } from '../common/windowed.ts'

/** A windowed key goes to the partition of its inner key: that many bytes at its end do not count. */
export interface WindowedSerde<K> extends Serde<Windowed<K>> {
  readonly partitionSuffixBytes: number
}

/**
 * A windowed key in a user's topic: `key ‖ start(8)`. The end is not stored, so the reader has to know the size (Kafka
 * Streams' TimeWindowedSerde). `sizeMs` Infinity: an unlimited window.
 */
export function timeWindowed<K>(inner: Serde<K>, sizeMs: number): WindowedSerde<K> {
  return {
    name: `time-windowed(${inner.name}, ${sizeMs})`,
    immutable: inner.immutable === true,
    partitionSuffixBytes: 8,
    write({ key, window }, out, context) {
      inner.write(key, out, context)
      out.writeInt64(window.start)
    },
    read(bytes, start, end, context) {
      checkLength(start, end, 8)
      const windowStart = readInt64(bytes, end - 8)
      return {
        key: inner.read(bytes, start, end - 8, context),
        window: { start: windowStart, end: windowStart + sizeMs },
      }
    },
  }
}

/** A session's key in a user's topic: `key ‖ end(8) ‖ start(8)` (Kafka Streams' SessionWindowedSerde). */
export function sessionWindowed<K>(inner: Serde<K>): WindowedSerde<K> {
  return {
    name: `session-windowed(${inner.name})`,
    immutable: inner.immutable === true,
    partitionSuffixBytes: 16,
    write({ key, window }, out, context) {
      inner.write(key, out, context)
      out.writeInt64(window.end)
      out.writeInt64(window.start)
    },
    read(bytes, start, end, context) {
      checkLength(start, end, 16)
      return {
        key: inner.read(bytes, start, end - 16, context),
        window: { start: readInt64(bytes, end - 8), end: readInt64(bytes, end - 16) },
      }
    },
  }
}

/** What is shorter is no windowed key, and before it lies somebody else's. */
function checkLength(start: number, end: number, suffixBytes: number): void {
  if (end - start >= suffixBytes) return
  throw new RangeError(`a windowed key ends with ${suffixBytes} bytes for its window; there are ${end - start}`)
}
