import { wrongSize, wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.Boolean: one byte, 00 for false and 01 for true.
 *
 * Writing throws a TypeError for what is no boolean. Reading throws a RangeError for anything but one byte, and for any
 * other byte than these two, as BooleanDeserializer does.
 */
export const boolean = (): Serde<boolean> => booleanSerde
const booleanSerde: Serde<boolean> = {
  name: 'boolean',
  immutable: true,
  check,
  write(value, out) {
    check(value)
    out.writeUint8(value ? 1 : 0)
  },
  read(source, start, end) {
    if (end - start !== 1) throw wrongSize('boolean', 1, end - start)
    const byte = source[start]!
    if (byte > 1) throw new RangeError(`boolean needs the byte 0 or 1, got ${byte}`)
    return byte === 1
  },
}

function check(value: unknown): void {
  if (typeof value !== 'boolean') throw wrongType('boolean', 'a boolean', value)
}
