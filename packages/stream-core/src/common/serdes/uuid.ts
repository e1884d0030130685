import { latin1Slice } from '../buffer-text.ts'
import { outOfRange, wrongSize, wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

const textBytes = 36
const canonical = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const needed = 'a UUID such as f81d4fae-7dec-11d0-a765-00a0c91e6bf6'

/**
 * Kafka Streams' Serdes.UUID: the 36 characters of the canonical text, as UTF-8. Any version and variant. Upper case is
 * taken and made lower case in both directions, as a java.util.UUID would, so that one UUID is one key.
 *
 * Writing throws a TypeError for what is no string and a RangeError for text that is no UUID. Reading throws a RangeError
 * for anything but the canonical form; Java's reader also takes `1-1-1-1-1`, which nothing writes.
 */
export const uuid = (): Serde<string> => uuidSerde
// Not immutable: what is read may differ in case from what was written, and a store must answer the same before and
// after it was restored.
const uuidSerde: Serde<string> = {
  name: 'uuid',
  write(value, out) {
    if (typeof value !== 'string') throw wrongType('uuid', 'a string', value)
    if (!canonical.test(value)) throw outOfRange('uuid', needed, value)
    out.writeLatin1(value.toLowerCase())
  },
  read(source, start, end) {
    if (end - start !== textBytes) throw wrongSize('uuid', textBytes, end - start)
    const text = latin1Slice(source, start, end)
    if (!canonical.test(text)) throw outOfRange('uuid', needed, text)
    return text.toLowerCase()
  },
}
