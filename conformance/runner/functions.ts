import { named } from './format.ts'
import { exactBound } from './long-limits.ts'
import { add, isInteger, isWindowed, type Long, subtract, type Value } from './values.ts'

/** The fixed library of pure functions that scenarios name (format §7), as Java's Fns computes them. */
export type KeyValueFunction<R> = (key: Value, value: Value) => R
export type Pair = readonly [key: Value, value: Value]

const capUnits = 16

export function str(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (isInteger(value)) return String(value.integer)
  if (isWindowed(value)) {
    const { start, end } = value.window
    return `${str(value.key)}@${exactBound(start)}/${exactBound(end)}`
  }
  throw new RangeError('str() is not defined for doubles and bytes')
}

export function num(value: Value): Long {
  if (value === null) return 0
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (isInteger(value)) return value.integer
  if (typeof value === 'string') return value.length
  throw new RangeError('num() is not defined for windowed keys, doubles and bytes')
}

export const cap = (text: string): string => text.slice(-capUnits)

export function even(value: Value): boolean {
  if (value === null) return false
  const number = num(value)
  return typeof number === 'bigint' ? number % 2n === 0n : number % 2 === 0
}

export function head(value: Value): string | null {
  if (value === null) return null
  const text = str(value)
  return text === '' ? null : text.slice(0, 1)
}

export function tail(value: Value): string | null {
  if (value === null) return null
  const text = str(value)
  const bar = text.lastIndexOf('|')
  return bar < 0 || bar === text.length - 1 ? null : text.slice(bar + 1)
}

const strOrNull = (value: Value): string | null => (value === null ? null : str(value))
const unwindow = (key: Value): Value => (isWindowed(key) ? key.key : key)
/** UTF-16 units, also halves of a surrogate pair. */
const units = (value: Value): string[] => (value === null ? [] : str(value).split(''))
const nullSafe =
  (f: (value: Value) => Value): KeyValueFunction<Value> =>
  (_key, value) =>
    value === null ? null : f(value)

/** Thrown on "boom", as a user's function might. */
export class UserFunctionError extends Error {
  override readonly name = 'UserFunctionError'
}

export function failOnBoom(value: Value): void {
  if (value === 'boom') throw new UserFunctionError('boom')
}

const predicates: { readonly [name: string]: KeyValueFunction<boolean> } = {
  always: () => true,
  never: () => false,
  valueNotNull: (_key, value) => value !== null,
  valueIsNull: (_key, value) => value === null,
  keyNotNull: (key) => key !== null,
  valueEven: (_key, value) => even(value),
  valueOdd: (_key, value) => value !== null && !even(value),
  valueAtLeast2: (_key, value) => num(value) >= 2,
  keyIsA: (key) => key === 'A',
  keyIsB: (key) => key === 'B',
  keyBeforeC: (key) => key !== null && str(key) < 'c',
  startsWithA: (_key, value) => value !== null && str(value).startsWith('a'),
  failOnBoom(_key, value) {
    failOnBoom(value)
    return true
  },
}

const valueMappers: { readonly [name: string]: KeyValueFunction<Value> } = {
  identity: (_key, value) => value,
  upper: nullSafe((value) => str(value).toUpperCase()),
  bang: nullSafe((value) => cap(`${str(value)}!`)),
  bangNull: (_key, value) => cap(`${str(value)}!`),
  nullIfEven: (_key, value) => (even(value) ? null : value),
  constNull: () => null,
  constX: () => 'x',
  length: nullSafe((value) => str(value).length),
  number: nullSafe(num),
  toString: nullSafe((value) => cap(str(value))),
  plusOne: nullSafe((value) => add(num(value), 1)),
  half: nullSafe((value) => ({ double: Number(num(value)) / 2 })),
  keyColonValue: (key, value) => cap(`${str(key)}:${str(value)}`),
  failOnBoom(_key, value) {
    failOnBoom(value)
    return value
  },
}

const flatValueMappers: { readonly [name: string]: KeyValueFunction<readonly Value[]> } = {
  none: () => [],
  once: (_key, value) => [value],
  twice: (_key, value) => [value, value],
  chars: (_key, value) => units(value),
  withNull: (_key, value) => [value, null],
}

const selectors: { readonly [name: string]: KeyValueFunction<Value> } = {
  key: (key) => key,
  value: (_key, value) => strOrNull(value),
  firstChar: (_key, value) => head(value),
  keyFirstChar: (key) => head(key),
  afterBar: (_key, value) => tail(value),
  constA: () => 'a',
  constNull: () => null,
  keyAndValue: (key, value) => cap(`${str(key)}.${str(value)}`),
  keyString: (key) => strOrNull(key),
  nullIfEven: (key, value) => (even(value) ? null : key),
  unwindow: (key) => unwindow(key),
  valueNumber: nullSafe(num),
}

const pairMappers: { readonly [name: string]: KeyValueFunction<Pair | null> } = {
  identity: (key, value) => [key, value],
  swap: (key, value) => [strOrNull(value), strOrNull(key)],
  firstCharKey: (_key, value) => [head(value), value],
  keyStringPair: (key, value) => [strOrNull(key), value],
  unwindowPair: (key, value) => [unwindow(key), value],
  upperKey: (key, value) => [key === null ? null : str(key).toUpperCase(), value],
  byLength: (_key, value) => [value === null ? null : `len${str(value).length}`, value],
  nullPair: () => null,
}

const flatPairMappers: { readonly [name: string]: KeyValueFunction<readonly Pair[]> } = {
  none: () => [],
  once: (key, value) => [[key, value]],
  twice: (key, value) => [
    [key, value],
    [key, value],
  ],
  charKeys: (_key, value) => units(value).map((unit) => [unit, value]),
  bothKeys: (key, value) => [
    [key, value],
    [head(value), value],
  ],
}

const byValue: KeyValueFunction<Pair> = (_key, value) => [strOrNull(value), value]

const groupSelectors: { readonly [name: string]: KeyValueFunction<Pair | null> } = {
  identity: (key, value) => [key, value],
  byValue,
  byFirstChar: (_key, value) => [head(value), value],
  byKeyFirstChar: (key, value) => [head(key), value],
  byConst: (_key, value) => ['all', value],
  byAfterBar: (_key, value) => [tail(value), value],
  byUnwindow: (key, value) => [unwindow(key), value],
  byValueNumber: (_key, value) => [value === null ? null : `n${num(value)}`, num(value)],
  nullPairIfEven: (key, value) => (even(value) ? null : [key, value]),
  byKeyValue: (key, value) => [key, strOrNull(value)],
  valueKeySwap: (key, value) => [strOrNull(value), key],
  byKeyHeadTail: (key) => [head(key), key === null || str(key) === '' ? null : str(key).slice(1)],
  byValueSkipping: (key, value) => (value === 'null' ? [null, value] : value === 'NULL' ? null : byValue(key, value)),
}

const dashCap = (a: Value, b: Value): string => cap(`${str(a)}-${str(b)}`)

const joiners: { readonly [name: string]: (key: Value, a: Value, b: Value) => Value } = {
  dash: (_key, a, b) => `${str(a)}-${str(b)}`,
  plus: (_key, a, b) => `${str(a)}+${str(b)}`,
  colon: (_key, a, b) => `${str(a)}:${str(b)}`,
  parens: (_key, a, b) => `(${str(a)},${str(b)})`,
  dashCap: (_key, a, b) => dashCap(a, b),
  keyDash: (key, a, b) => cap(`${str(key)}:${str(a)}-${str(b)}`),
  sum: (_key, a, b) => add(num(a), num(b)),
  left: (_key, a) => a,
  right: (_key, _a, b) => b,
  nullIfEqual: (_key, a, b) => (str(a) === str(b) ? null : dashCap(a, b)),
  nullIfRightEven: (_key, a, b) => (even(b) ? null : dashCap(a, b)),
}

const initializers: { readonly [name: string]: () => Value } = {
  empty: () => '',
  zeroString: () => '0',
  zero: () => 0,
  null: () => null,
}

const aggregators: { readonly [name: string]: (key: Value, value: Value, aggregate: Value) => Value } = {
  append: (_key, value, aggregate) => `${str(aggregate)}+${str(value)}`,
  minus: (_key, value, aggregate) => `${str(aggregate)}-${str(value)}`,
  appendCap: (_key, value, aggregate) => cap(`${str(aggregate)}+${str(value)}`),
  minusCap: (_key, value, aggregate) => cap(`${str(aggregate)}-${str(value)}`),
  concatValue: (_key, value, aggregate) => str(aggregate) + str(value),
  removeValue: (_key, value, aggregate) => str(aggregate).replaceAll(str(value), ''),
  keyAppend: (key, value, aggregate) => cap(`${str(aggregate)}+${str(key)}.${str(value)}`),
  add: (_key, value, aggregate) => add(num(aggregate), num(value)),
  subtract: (_key, value, aggregate) => subtract(num(aggregate), num(value)),
  increment: (_key, _value, aggregate) => add(num(aggregate), 1),
  decrement: (_key, _value, aggregate) => subtract(num(aggregate), 1),
  last: (_key, value) => value,
  lastString: (_key, value) => str(value),
  first: (_key, _value, aggregate) => aggregate,
  keep: (_key, _value, aggregate) => aggregate,
  appendOrNull: (_key, value, aggregate) => (even(value) ? null : cap(`${str(aggregate)}+${str(value)}`)),
}

const reducers: { readonly [name: string]: (a: Value, b: Value) => Value } = {
  concat: (a, b) => str(a) + str(b),
  concatCap: (a, b) => cap(str(a) + str(b)),
  colon: (a, b) => `${str(a)}:${str(b)}`,
  plusString: (a, b) => cap(`${str(a)}+${str(b)}`),
  minusString: (a, b) => cap(`${str(a)}-${str(b)}`),
  sum: (a, b) => add(num(a), num(b)),
  difference: (a, b) => subtract(num(a), num(b)),
  max: (a, b) => (str(a) >= str(b) ? a : b),
  maxNumber: (a, b) => (num(a) >= num(b) ? a : b),
  first: (a) => a,
  last: (_a, b) => b,
  nullIfEqual: (a, b) => (str(a) === str(b) ? null : b),
}

const mergers: { readonly [name: string]: (key: Value, a: Value, b: Value) => Value } = {
  concat: (_key, a, b) => `${str(a)}&${str(b)}`,
  concatCap: (_key, a, b) => cap(`${str(a)}&${str(b)}`),
  add: (_key, a, b) => add(num(a), num(b)),
  second: (_key, _a, b) => b,
}

const foreignKeys: { readonly [name: string]: KeyValueFunction<Value> } = {
  afterBar: (_key, value) => tail(value),
  firstChar: (_key, value) => head(value),
  keyFirstChar: (key) => head(key),
  value: (_key, value) => strOrNull(value),
}

export const predicate = (name: string) => named('predicate', predicates, name)
export const valueMapper = (name: string) => named('value mapper', valueMappers, name)
export const flatValueMapper = (name: string) => named('flat value mapper', flatValueMappers, name)
export const selector = (name: string) => named('selector', selectors, name)
export const pairMapper = (name: string) => named('pair mapper', pairMappers, name)
export const flatPairMapper = (name: string) => named('flat pair mapper', flatPairMappers, name)
export const groupSelector = (name: string) => named('group selector', groupSelectors, name)
export const joiner = (name: string) => named('joiner', joiners, name)
export const initializer = (name: string) => named('initializer', initializers, name)
export const aggregator = (name: string) => named('aggregator', aggregators, name)
export const reducer = (name: string) => named('reducer', reducers, name)
export const merger = (name: string) => named('merger', mergers, name)
export const foreignKey = (name: string) => named('foreign-key extractor', foreignKeys, name)
