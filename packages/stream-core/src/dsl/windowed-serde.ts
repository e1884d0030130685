import { readInt64 } from '../common/byte-writer.ts'
import type { Serde } from '../common/serde.ts'
import type { Windowed } from '../operators/window-aggregate.ts'

/**
 * A windowed key in a user's topic: `key ‖ start(8)`. The end is not stored, so the reader has to know the size (Kafka
 * Streams' TimeWindowedSerde).
 */
export function timeWindowed<K>(inner: Serde<K>, sizeMs: number): Serde<unknown> {
  const serde: Serde<Windowed<K>> = {
    name: `time-windowed(${inner.name}, ${sizeMs})`,
    immutable: inner.immutable === true,
    write({ key, window }, out, context) {
      inner.write(key, out, context)
      out.writeInt64(window.start)
    },
    read(bytes, start, end, context) {
      const windowStart = readInt64(bytes, end - 8)
      return {
        key: inner.read(bytes, start, end - 8, context),
        window: { start: windowStart, end: Math.min(windowStart + sizeMs, Number.MAX_SAFE_INTEGER) },
      }
    },
  }
  return serde
}
