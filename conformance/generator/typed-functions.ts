import type { Random } from './random.ts'
import { hasNumber, hasText, innerOf, isWindowed, type KeyType, type Plain } from './types.ts'

/**
 * Which functions of format §7 fit which types, and what type they return: a function is only ever given what it is defined
 * for, so that a scenario fails only where it means to.
 */
export interface Mapped<T extends KeyType = KeyType> {
  readonly name: string
  readonly type: T
}

export interface MappedPair {
  readonly name: string
  readonly key: KeyType
  readonly value: Plain
}

const strings = (...names: string[]): Mapped<'string'>[] => names.map((name) => ({ name, type: 'string' as const }))
const longs = (...names: string[]): Mapped<'long'>[] => names.map((name) => ({ name, type: 'long' as const }))
const same = <T extends KeyType>(type: T, ...names: string[]): Mapped<T>[] => names.map((name) => ({ name, type }))

export function predicate(random: Random, key: KeyType, value: Plain): string {
  const names = ['always', 'valueNotNull', 'keyNotNull', 'valueIsNull', 'never', 'failOnBoom', 'keyIsA', 'keyIsB']
  if (hasNumber(value)) names.push('valueEven', 'valueOdd', 'valueAtLeast2', 'valueEven', 'valueOdd')
  if (hasText(value)) names.push('startsWithA')
  if (hasText(key)) names.push('keyBeforeC')
  return random.pick(names)
}

export function valueMapper(random: Random, key: KeyType, value: Plain): Mapped<Plain> {
  const all: Mapped<Plain>[] = [...same(value, 'identity', 'failOnBoom', 'constNull'), ...strings('constX')]
  if (hasText(value)) {
    all.push(...strings('upper', 'bang', 'bangNull', 'toString', 'bang', 'upper'), ...longs('length'))
    if (hasText(key)) all.push(...strings('keyColonValue', 'keyColonValue'))
  }
  if (hasNumber(value)) {
    all.push(...same(value, 'nullIfEven'), ...longs('number', 'plusOne'), { name: 'half', type: 'double' })
  }
  return random.pick(all)
}

export function flatValueMapper(random: Random, value: Plain): Mapped<Plain> {
  const all: Mapped<Plain>[] = same(value, 'once', 'twice', 'withNull', 'none')
  if (hasText(value)) all.push(...strings('chars', 'chars'))
  return random.pick(all)
}

export function selector(random: Random, key: KeyType, value: Plain): Mapped {
  const all: Mapped[] = [...same(key, 'key'), ...strings('constA', 'constNull')]
  if (hasText(value)) all.push(...strings('value', 'firstChar', 'afterBar', 'firstChar'))
  if (hasText(key)) all.push(...strings('keyFirstChar', 'keyString'))
  if (hasText(key) && hasText(value)) all.push(...strings('keyAndValue'))
  if (hasNumber(value)) all.push(...same(key, 'nullIfEven'), ...longs('valueNumber'))
  if (isWindowed(key)) all.push(...same(innerOf(key), 'unwindow', 'unwindow'))
  return random.pick(all)
}

/** A selector that returns strings: what the key of a global table is. */
export function stringSelector(random: Random, key: KeyType, value: Plain): string {
  for (;;) {
    const { name, type } = selector(random, key, value)
    if (type === 'string') return name
  }
}

export function pairMapper(random: Random, key: KeyType, value: Plain): MappedPair {
  const all: MappedPair[] = [{ name: 'identity', key, value }]
  const rekeyed = (...names: string[]): void =>
    void all.push(...names.map((name) => ({ name, key: 'string' as const, value })))
  if (hasText(value)) rekeyed('firstCharKey', 'byLength')
  if (hasText(key)) rekeyed('keyStringPair', 'upperKey')
  if (hasText(key) && hasText(value)) all.push({ name: 'swap', key: 'string', value: 'string' })
  if (isWindowed(key)) all.push({ name: 'unwindowPair', key: innerOf(key), value })
  if (random.chance(0.02)) return { name: 'nullPair', key, value }
  return random.pick(all)
}

export function flatPairMapper(random: Random, key: KeyType, value: Plain): MappedPair {
  const all: MappedPair[] = ['none', 'once', 'twice'].map((name) => ({ name, key, value }))
  if (hasText(value)) {
    all.push({ name: 'charKeys', key: 'string', value })
    if (key === 'string') all.push({ name: 'bothKeys', key: 'string', value })
  }
  return random.pick(all)
}

export function groupSelector(random: Random, key: KeyType, value: Plain): MappedPair {
  const all: MappedPair[] = [
    { name: 'identity', key, value },
    { name: 'byConst', key: 'string', value },
  ]
  const rekeyed = (...names: string[]): void =>
    void all.push(...names.map((name) => ({ name, key: 'string' as const, value })))
  if (hasText(value)) {
    rekeyed('byValue', 'byFirstChar', 'byAfterBar', 'byFirstChar', 'byValueSkipping')
    all.push({ name: 'byKeyValue', key, value: 'string' })
    if (!isWindowed(key)) all.push({ name: 'valueKeySwap', key: 'string', value: key })
  }
  if (hasText(key)) rekeyed('byKeyFirstChar')
  if (hasText(key)) all.push({ name: 'byKeyHeadTail', key: 'string', value: 'string' })
  if (hasNumber(value)) {
    all.push({ name: 'byValueNumber', key: 'string', value: 'long' }, { name: 'nullPairIfEven', key, value })
  }
  if (isWindowed(key)) all.push({ name: 'byUnwindow', key: innerOf(key), value })
  return random.pick(all)
}

/** `key` is null where the joiner gets none. */
export function joiner(random: Random, key: KeyType | null, left: Plain, right: Plain): Mapped<Plain> {
  const all: Mapped<Plain>[] = [...same(left, 'left'), ...same(right, 'right')]
  if (hasText(left) && hasText(right)) {
    all.push(...strings('dash', 'plus', 'colon', 'parens', 'dashCap', 'dashCap', 'nullIfEqual'))
    if (hasNumber(right)) all.push(...strings('nullIfRightEven'))
    if (key === null || hasText(key)) all.push(...strings('keyDash'))
  }
  if (hasNumber(left) && hasNumber(right)) all.push(...longs('sum'))
  return random.pick(all)
}

/** The type an aggregate of these values may have. */
export const aggregateType = (random: Random, value: Plain): 'string' | 'long' =>
  hasText(value) && random.chance(0.6) ? 'string' : 'long'

export function initializer(random: Random, aggregate: 'string' | 'long'): string {
  if (random.chance(0.07)) return 'null'
  return aggregate === 'long' ? 'zero' : random.pick(['empty', 'zeroString'])
}

export function aggregator(random: Random, key: KeyType, value: Plain, aggregate: 'string' | 'long'): string {
  const names = ['keep']
  if (aggregate === 'long') {
    names.push('increment', 'decrement', 'increment')
    if (hasNumber(value)) names.push('add', 'subtract', 'add')
  } else if (hasText(value)) {
    names.push('append', 'appendCap', 'minusCap', 'concatValue', 'lastString', 'appendCap', 'removeValue', 'minus')
    if (hasText(key)) names.push('keyAppend', 'keyAppend')
    if (hasNumber(value)) names.push('appendOrNull')
  }
  if (value === aggregate) names.push('last', 'first')
  return random.pick(names)
}

export function reducer(random: Random, value: Plain): string {
  const names = ['first', 'last']
  if (hasText(value)) names.push('max', 'nullIfEqual')
  if (hasNumber(value)) names.push('maxNumber')
  if (value === 'string')
    names.push('concat', 'concatCap', 'colon', 'plusString', 'minusString', 'concatCap', 'plusString')
  if (value === 'long') names.push('sum', 'difference', 'sum')
  return random.pick(names)
}

export const merger = (random: Random, aggregate: 'string' | 'long'): string =>
  random.pick(aggregate === 'string' ? ['concat', 'concatCap', 'concatCap', 'second'] : ['add', 'add', 'second'])

export function foreignKey(random: Random, key: KeyType, value: Plain): string | null {
  const names: string[] = []
  if (hasText(value)) names.push('afterBar', 'firstChar', 'value', 'afterBar', 'firstChar')
  if (hasText(key)) names.push('keyFirstChar')
  return names.length === 0 ? null : random.pick(names)
}
