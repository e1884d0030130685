import { outOfRange, wrongSize, wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Java's bits for Float.NaN and Double.NaN. JavaScript has one NaN but several bit patterns behind it, and which one a
 * calculation leaves depends on the processor: written as they are, equal keys would get different bytes.
 */
const nan32 = Buffer.from('7fc00000', 'hex')
const nan64 = Buffer.from('7ff8000000000000', 'hex')

/**
 * Kafka Streams' Serdes.Float: four bytes, IEEE 754, big-endian. A number is rounded to the nearest float, as Java's
 * cast does: 0.1 is read back as 0.10000000149011612. NaN is written as Java's Float.NaN; −0 and ±Infinity keep their
 * bits.
 *
 * Writing throws a TypeError for what is no number and a RangeError for a finite number beyond a float's range
 * (Java's cast makes an infinity of it). Reading throws a RangeError for anything but four bytes.
 */
export const float32 = (): Serde<number> => float32Serde
// Not immutable: the engine would go on sharing 0.1 where the bytes, and a restored store, say 0.10000000149011612.
const float32Serde: Serde<number> = {
  name: 'float32',
  write(value, out) {
    if (typeof value !== 'number') throw wrongType('float32', 'a number', value)
    if (Number.isNaN(value)) return out.writeBytes(nan32)
    if (!Number.isFinite(Math.fround(value)) && Number.isFinite(value)) {
      throw outOfRange('float32', 'a number within ±3.4028234663852886e38', value)
    }
    const at = out.reserve(4)
    out.bytes.writeFloatBE(value, at)
  },
  read(source, start, end) {
    if (end - start !== 4) throw wrongSize('float32', 4, end - start)
    return source.readFloatBE(start)
  },
}

/**
 * Kafka Streams' Serdes.Double: eight bytes, IEEE 754, big-endian. NaN is written as Java's Double.NaN, whatever its
 * bits were (DoubleSerializer does the same); −0 and ±Infinity keep their bits.
 *
 * Writing throws a TypeError for what is no number. Reading throws a RangeError for anything but eight bytes.
 */
export const float64 = (): Serde<number> => float64Serde
const float64Serde: Serde<number> = {
  name: 'float64',
  immutable: true,
  check: checkFloat64,
  write(value, out) {
    checkFloat64(value)
    if (Number.isNaN(value)) out.writeBytes(nan64)
    else out.writeFloat64(value)
  },
  read(source, start, end) {
    if (end - start !== 8) throw wrongSize('float64', 8, end - start)
    return source.readDoubleBE(start)
  },
}

function checkFloat64(value: unknown): void {
  if (typeof value !== 'number') throw wrongType('float64', 'a number', value)
}
