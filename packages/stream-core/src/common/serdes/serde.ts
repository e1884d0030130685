import type { ByteWriter } from '../byte-writer.ts'
import type { Headers } from '../record.ts'

/** Where a value comes from or goes to. */
export interface SerdeContext {
  readonly topic: string
  readonly part: 'key' | 'value'
  readonly headers: Headers
}

/**
 * A method as the type of a property, compared both ways as methods are (D28). What a serde may lack is declared `| undefined`:
 * without that, `exactOptionalPropertyTypes` makes the compiler advise about `undefined` wherever a serde of the wrong type is given.
 */
type Method<In, Out> = { method(given: In): Out }['method']

/**
 * Turns values into bytes and back. Writing goes into a growing buffer and reading from a range, so that nothing is
 * allocated but the value (D6). `null` never reaches a serde: absence is written by the engine.
 *
 * The built-in ones write what Kafka's serdes of the same type write. They refuse a value of another type with a
 * TypeError before anything is written, and a value or bytes out of their range with a RangeError; both say what came.
 */
export interface Serde<T> {
  /** Part of a topology's fingerprint: change it when the bytes change. */
  readonly name: string
  /** Decoded values are never changed by anybody: the engine may cache and share them. */
  readonly immutable?: boolean | undefined
  write(value: T, out: ByteWriter, context: SerdeContext): void
  read(bytes: Buffer, start: number, end: number, context: SerdeContext): T
  /**
   * Throws what `write` would throw for a value, without writing it. A store keeps values of an immutable serde as they are
   * until the commit: with this, a wrong one is told of where it is put.
   */
  readonly check?: Method<T, void> | undefined
  /**
   * The bytes as a latin1 string, which is the engine's form of a key (D11), where that is cheaper than writing them; null
   * where it is not.
   */
  readonly toLatin1?: Method<T, string | null> | undefined
  /** The way back; null: the bytes have to be read. */
  readonly fromLatin1?: Method<string, T | null> | undefined
}
