import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.ByteArray, Serdes.Bytes and Serdes.ByteBuffer: the bytes as they are. A read copies, so that the
 * value does not pin the buffer it came in.
 *
 * Writing takes any Uint8Array and throws a TypeError for everything else. Reading never throws.
 */
export const bytes = (): Serde<Buffer> => bytesSerde
const bytesSerde: Serde<Buffer> = {
  name: 'bytes',
  write(value, out) {
    if (!(value instanceof Uint8Array)) throw wrongType('bytes', 'a Buffer or a Uint8Array', value)
    out.writeBytes(value)
  },
  read(source, start, end) {
    const copied = Buffer.allocUnsafe(end - start)
    source.copy(copied, 0, start, end)
    return copied
  },
}
