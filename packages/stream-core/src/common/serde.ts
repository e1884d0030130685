import { utf8Slice } from './buffer-text.ts'
import { ByteWriter, readInt64 } from './byte-writer.ts'
import type { Headers } from './record.ts'

/** Where a value comes from or goes to. */
export interface SerdeContext {
  readonly topic: string
  readonly part: 'key' | 'value'
  readonly headers: Headers
}

/**
 * Turns values into bytes and back. Writing goes into a growing buffer and reading from a range, so that nothing is
 * allocated but the value (D6). `null` never reaches a serde: absence is written by the engine.
 */
export interface Serde<T> {
  /** Part of a topology's fingerprint: change it when the bytes change. */
  readonly name: string
  /** Decoded values are never changed by anybody: the engine may cache and share them. */
  readonly immutable?: boolean
  write(value: T, out: ByteWriter, context: SerdeContext): void
  read(bytes: Buffer, start: number, end: number, context: SerdeContext): T
}

/** Kafka Streams' Serdes.String: UTF-8. */
export const string = (): Serde<string> => stringSerde
const stringSerde: Serde<string> = {
  name: 'string',
  immutable: true,
  write: (value, out) => out.writeUtf8(value),
  read: (bytes, start, end) => utf8Slice(bytes, start, end),
}

/** JSON text in UTF-8. Values are shared with nobody: each read parses anew. */
export const json = <T>(): Serde<T> => jsonSerde as Serde<T>
const jsonSerde: Serde<unknown> = {
  name: 'json',
  write: (value, out) => out.writeUtf8(JSON.stringify(value)),
  read: (bytes, start, end) => JSON.parse(utf8Slice(bytes, start, end)),
}

/** Raw bytes; a read copies, so that the value does not pin the buffer it came in. */
export const bytes = (): Serde<Buffer> => bytesSerde
const bytesSerde: Serde<Buffer> = {
  name: 'bytes',
  write: (value, out) => out.writeBytes(value),
  read: (source, start, end) => Buffer.from(source.subarray(start, end)),
}

/** Kafka Streams' Serdes.Long, as a number: eight bytes, big-endian. Throws a RangeError beyond ±(2^53 − 1). */
export const int64 = (): Serde<number> => int64Serde
const int64Serde: Serde<number> = {
  name: 'int64',
  immutable: true,
  write(value, out) {
    if (!Number.isSafeInteger(value)) throw new RangeError(`int64 needs a safe integer, got ${value}`)
    out.writeInt64(value)
  },
  read(source, start, end) {
    if (end - start !== 8) throw new RangeError(`int64 needs 8 bytes, got ${end - start}`)
    const value = readInt64(source, start)
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`the stored long ${source.readBigInt64BE(start)} does not fit a number: use int64Big()`)
    }
    return value
  },
}

/** Kafka Streams' Serdes.Long, as a bigint. */
export const int64Big = (): Serde<bigint> => int64BigSerde
const int64BigSerde: Serde<bigint> = {
  name: 'int64',
  immutable: true,
  write(value, out) {
    const at = out.reserve(8)
    out.bytes.writeBigInt64BE(value, at)
  },
  read(source, start, end) {
    if (end - start !== 8) throw new RangeError(`int64 needs 8 bytes, got ${end - start}`)
    return source.readBigInt64BE(start)
  },
}

/** Kafka Streams' Serdes.Double. */
export const float64 = (): Serde<number> => float64Serde
const float64Serde: Serde<number> = {
  name: 'float64',
  immutable: true,
  write: (value, out) => out.writeFloat64(value),
  read(source, start, end) {
    if (end - start !== 8) throw new RangeError(`float64 needs 8 bytes, got ${end - start}`)
    return source.readDoubleBE(start)
  },
}
