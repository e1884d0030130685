import { ByteWriter } from '../common/byte-writer.ts'
import type { Serde } from '../common/serde.ts'
import type { Change } from '../processor/processor.ts'

const scratch = new ByteWriter(1024)

/**
 * A change of a table in a repartition topic (ChangedSerializer, KIP-904): `old ‖ 00`, `new ‖ 01`, or
 * `varint(length(new)) ‖ new ‖ old ‖ 02`. The flags 03 to 05 mean the same with an isLatest byte before them; they are read,
 * never written.
 */
export const changeSerde = <V>(inner: Serde<V>): Serde<Change<V>> => ({
  name: `change(${inner.name})`,
  write({ newValue, oldValue }, out, context) {
    if (newValue !== null && oldValue !== null) {
      scratch.reset()
      inner.write(newValue, scratch, context)
      writeVarint(scratch.length, out)
      out.writeBytes(scratch.bytes.subarray(0, scratch.length))
      inner.write(oldValue, out, context)
      out.writeUint8(2)
    } else if (newValue !== null) {
      inner.write(newValue, out, context)
      out.writeUint8(1)
    } else if (oldValue !== null) {
      inner.write(oldValue, out, context)
      out.writeUint8(0)
    } else {
      throw new TypeError('a change without an old and a new value')
    }
  },
  read(bytes, start, end, context) {
    const flag = bytes[end - 1]!
    if (flag > 5) throw new RangeError(`a change has flag ${flag}`)
    const last = flag > 2 ? end - 2 : end - 1
    const isLatest = flag > 2 ? bytes[end - 2] === 1 : true
    const kind = flag % 3
    if (kind === 0) return { newValue: null, oldValue: inner.read(bytes, start, last, context), isLatest }
    if (kind === 1) return { newValue: inner.read(bytes, start, last, context), oldValue: null, isLatest }
    const { value: length, at } = readVarint(bytes, start)
    return {
      newValue: inner.read(bytes, at, at + length, context),
      oldValue: inner.read(bytes, at + length, last, context),
      isLatest,
    }
  },
})

/** Zig-zag, as in Kafka's records. */
function writeVarint(value: number, out: ByteWriter): void {
  let left = value * 2
  while (left > 0x7f) {
    out.writeUint8((left & 0x7f) | 0x80)
    left = Math.floor(left / 128)
  }
  out.writeUint8(left)
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly at: number } {
  let value = 0
  let scale = 1
  let at = start
  for (;;) {
    const byte = bytes[at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) break
    scale *= 128
  }
  return { value: value / 2, at }
}
