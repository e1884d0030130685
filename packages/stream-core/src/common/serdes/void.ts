import { wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.Void, for a key or a value that is always null. Null never reaches a serde, so there is nothing
 * to write or to read.
 *
 * Writing throws a TypeError for everything. Reading throws a RangeError, because bytes are there, even if none: empty is
 * not absent (VoidDeserializer says the same).
 */
export const voidSerde = (): Serde<null> => theVoidSerde
const theVoidSerde: Serde<null> = {
  name: 'void',
  immutable: true,
  check: refuse,
  write: refuse,
  read(_source, start, end) {
    throw new RangeError(`void needs no value at all, got one of ${end - start} bytes`)
  },
}

function refuse(value: unknown): never {
  throw wrongType('void', 'no value at all', value)
}
