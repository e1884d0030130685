import { readInt64 } from '../byte-writer.ts'
import { outOfRange, wrongSize, wrongType } from './refusal.ts'
import type { Serde } from './serde.ts'

/**
 * Kafka Streams' Serdes.Short: two bytes, two's complement, big-endian.
 *
 * Writing throws a TypeError for what is no number and a RangeError for what is no whole number from −32,768 to 32,767.
 * Reading throws a RangeError for anything but two bytes.
 */
export const int16 = (): Serde<number> => int16Serde
const int16Serde: Serde<number> = {
  name: 'int16',
  immutable: true,
  check: checkInt16,
  write(value, out) {
    checkInt16(value)
    const at = out.reserve(2)
    out.bytes.writeInt16BE(value, at)
  },
  read(source, start, end) {
    if (end - start !== 2) throw wrongSize('int16', 2, end - start)
    return source.readInt16BE(start)
  },
}

function checkInt16(value: number): void {
  if (typeof value !== 'number') throw wrongType('int16', 'a number', value)
  if ((value << 16) >> 16 !== value) throw outOfRange('int16', 'a whole number from -32768 to 32767', value)
}

/**
 * Kafka Streams' Serdes.Integer: four bytes, two's complement, big-endian.
 *
 * Writing throws a TypeError for what is no number and a RangeError for what is no whole number from −2^31 to 2^31 − 1.
 * Reading throws a RangeError for anything but four bytes.
 */
export const int32 = (): Serde<number> => int32Serde
const int32Serde: Serde<number> = {
  name: 'int32',
  immutable: true,
  check: checkInt32,
  write(value, out) {
    checkInt32(value)
    out.writeInt32(value)
  },
  read(source, start, end) {
    if (end - start !== 4) throw wrongSize('int32', 4, end - start)
    return source.readInt32BE(start)
  },
}

function checkInt32(value: number): void {
  if (typeof value !== 'number') throw wrongType('int32', 'a number', value)
  if ((value | 0) !== value) throw outOfRange('int32', 'a whole number from -2147483648 to 2147483647', value)
}

/**
 * Kafka Streams' Serdes.Long, as a number: eight bytes, two's complement, big-endian.
 *
 * Writing throws a TypeError for what is no number and a RangeError for what is no whole number within ±(2^53 − 1).
 * Reading throws a RangeError for anything but eight bytes, and for a long beyond ±(2^53 − 1): `int64Big()` reads those.
 */
export const int64 = (): Serde<number> => int64Serde
const int64Serde: Serde<number> = {
  name: 'int64',
  immutable: true,
  check: checkInt64,
  write(value, out) {
    checkInt64(value)
    out.writeInt64(value)
  },
  read(source, start, end) {
    if (end - start !== 8) throw wrongSize('int64', 8, end - start)
    const value = readInt64(source, start)
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`the stored long ${source.readBigInt64BE(start)} does not fit a number: use int64Big()`)
    }
    return value
  },
}

function checkInt64(value: number): void {
  if (!Number.isSafeInteger(value)) {
    if (typeof value !== 'number') throw wrongType('int64', 'a number', value)
    throw outOfRange('int64', 'a safe integer', value)
  }
}

/**
 * Kafka Streams' Serdes.Long, as a bigint: the same eight bytes as `int64()`, for values that a number cannot hold.
 *
 * Writing throws a TypeError for what is no bigint and a RangeError beyond 64 bits. Reading throws a RangeError for
 * anything but eight bytes.
 */
export const int64Big = (): Serde<bigint> => int64BigSerde
const int64BigSerde: Serde<bigint> = {
  name: 'int64',
  immutable: true,
  check: checkInt64Big,
  write(value, out) {
    checkInt64Big(value)
    const at = out.reserve(8)
    out.bytes.writeBigInt64BE(value, at)
  },
  read(source, start, end) {
    if (end - start !== 8) throw wrongSize('int64Big', 8, end - start)
    return source.readBigInt64BE(start)
  },
}

const least = -(2n ** 63n)
const most = 2n ** 63n - 1n

function checkInt64Big(value: bigint): void {
  if (typeof value !== 'bigint') throw wrongType('int64Big', 'a bigint', value)
  if (value < least || value > most) throw outOfRange('int64Big', 'a bigint from -2^63 to 2^63 - 1', value)
}
