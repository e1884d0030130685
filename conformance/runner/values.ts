/**
 * The values that scenarios compute with. A long is a number where that is exact and a bigint beyond; an integer and a double
 * are objects, because Java's serdes and functions tell the three apart and JavaScript could not.
 */
export type Long = number | bigint

export interface Double {
  readonly double: number
}

export interface Integer {
  readonly integer: number
}

/** An unlimited window ends at Infinity, which stands for Java's Long.MAX_VALUE. */
export interface WindowedKey {
  readonly key: Value
  readonly window: { readonly start: number; readonly end: number }
}

export type Value = null | string | Long | Integer | Double | Buffer | WindowedKey

export const longMax = 9223372036854775807n

export const isDouble = (value: Value): value is Double =>
  typeof value === 'object' && value !== null && 'double' in value

export const isInteger = (value: Value): value is Integer =>
  typeof value === 'object' && value !== null && 'integer' in value

export const isWindowed = (value: Value): value is WindowedKey =>
  typeof value === 'object' && value !== null && 'window' in value

/** Java's 64 bits: what does not fit wraps around. */
export function long(value: bigint): Long {
  const wrapped = BigInt.asIntN(64, value)
  const number = Number(wrapped)
  return Number.isSafeInteger(number) ? number : wrapped
}

export function add(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b
  return long(BigInt(a) + BigInt(b))
}

export function subtract(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a - b)) return a - b
  return long(BigInt(a) - BigInt(b))
}
