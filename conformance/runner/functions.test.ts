import { describe, expect, it } from 'vitest'
import { FormatError } from './format.ts'
import {
  aggregator,
  cap,
  even,
  flatPairMapper,
  flatValueMapper,
  foreignKey,
  groupSelector,
  head,
  initializer,
  joiner,
  merger,
  num,
  pairMapper,
  predicate,
  reducer,
  selector,
  str,
  tail,
  valueMapper,
} from './functions.ts'
import type { Value } from './values.ts'

const window = (key: Value, start: number, end: number): Value => ({ key, window: { start, end } })
const beyond = 9007199254740993n
const longMax = 9223372036854775807n
/** One character, two UTF-16 units. */
const face = '😀'
const [faceHigh, faceLow] = ['\ud83d', '\ude00']

describe('str and num', () => {
  it('writes null, strings, longs and windowed keys', () => {
    expect([null, '', 'a', 0, -7, beyond].map(str)).toEqual(['null', '', 'a', '0', '-7', '9007199254740993'])
    expect(str(window('k', 0, 10))).toBe('k@0/10')
    expect(str(window(window(null, 1, 2), 3, 4))).toBe('null@1/2@3/4')
  })

  it('writes the end of an unlimited window as the largest long', () => {
    expect(str(window('k', 5, Infinity))).toBe(`k@5/${longMax}`)
  })

  it('counts UTF-16 units, and null as 0', () => {
    expect([null, '', 'ab', face, 3, beyond].map(num)).toEqual([0, 0, 2, 2, 3, beyond])
  })

  it('is not defined for doubles, bytes and, as numbers, windowed keys', () => {
    expect(() => str({ double: 1 })).toThrow(RangeError)
    expect(() => str(Buffer.from('a'))).toThrow(RangeError)
    expect(() => num(window('k', 0, 1))).toThrow(RangeError)
  })
})

describe('even', () => {
  it('is false for null, and goes by the length of a string', () => {
    expect([null, '', 'a', face, 0, 1, -1, -2, beyond, beyond + 1n].map(even)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
    ])
  })
})

describe('cap, head and tail', () => {
  it('caps at the last 16 UTF-16 units, through the middle of a character', () => {
    expect(cap('0123456789abcdef')).toBe('0123456789abcdef')
    expect(cap('0123456789abcdefg')).toBe('123456789abcdefg')
    expect(cap(`${face}0123456789abcde`)).toBe(`${faceLow}0123456789abcde`)
  })

  it('takes one UTF-16 unit as the head', () => {
    expect([null, '', 'ab', face, 42, window('k', 0, 1)].map(head)).toEqual([null, null, 'a', faceHigh, '4', 'k'])
  })

  it('takes what follows the last bar as the tail', () => {
    expect([null, '', 'a', 'a|', '|', 'a|b', 'a|b|c', 'a|b|', 12].map(tail)).toEqual([
      null,
      null,
      null,
      null,
      null,
      'b',
      'c',
      null,
      null,
    ])
  })
})

describe('predicates', () => {
  const holds = (name: string, key: Value, value: Value): boolean => predicate(name)(key, value)

  it('tell null from odd', () => {
    expect([holds('valueEven', 'k', null), holds('valueOdd', 'k', null)]).toEqual([false, false])
    expect([holds('valueEven', 'k', 'ab'), holds('valueOdd', 'k', 'a')]).toEqual([true, true])
    expect([holds('valueAtLeast2', 'k', null), holds('valueAtLeast2', 'k', beyond)]).toEqual([false, true])
  })

  it('compare keys by UTF-16 units', () => {
    expect(['C', 'b', 'c', face, null, 9].map((key) => holds('keyBeforeC', key, null))).toEqual([
      true,
      true,
      false,
      false,
      false,
      true,
    ])
    expect(holds('startsWithA', null, null)).toBe(false)
  })

  it('throw on boom', () => {
    expect(() => holds('failOnBoom', 'k', 'boom')).toThrow('boom')
    expect(holds('failOnBoom', 'k', null)).toBe(true)
  })
})

describe('value mappers', () => {
  const mapped = (name: string, value: Value, key: Value = 'k'): Value => valueMapper(name)(key, value)

  it('leave null where they are null-safe', () => {
    const nullSafe = ['upper', 'bang', 'length', 'number', 'toString', 'plusOne', 'half']
    expect(nullSafe.map((name) => mapped(name, null))).toEqual(nullSafe.map(() => null))
    expect([mapped('bangNull', null), mapped('keyColonValue', null, null)]).toEqual(['null!', 'null:null'])
  })

  it('compute longs and doubles', () => {
    expect([mapped('length', 100), mapped('number', 'abc'), mapped('plusOne', 'abc')]).toEqual([3, 3, 4])
    expect([mapped('half', 5), mapped('half', 'ab')]).toEqual([{ double: 2.5 }, { double: 1 }])
    expect(mapped('plusOne', Number.MAX_SAFE_INTEGER)).toBe(9007199254740992n)
    expect(mapped('plusOne', longMax)).toBe(-9223372036854775808n)
  })

  it('upper-case more than ASCII', () => {
    expect(mapped('upper', 'straße é')).toBe('STRASSE É')
  })

  it('drop even values', () => {
    expect([mapped('nullIfEven', 'ab'), mapped('nullIfEven', 'a'), mapped('nullIfEven', null)]).toEqual([
      null,
      'a',
      null,
    ])
  })

  it('split into UTF-16 units', () => {
    expect(flatValueMapper('chars')('k', `a${face}`)).toEqual(['a', faceHigh, faceLow])
    expect(flatValueMapper('chars')('k', null)).toEqual([])
    expect(flatValueMapper('withNull')('k', 'v')).toEqual(['v', null])
    expect(flatPairMapper('charKeys')('k', 'ab')).toEqual([
      ['a', 'ab'],
      ['b', 'ab'],
    ])
    expect(flatPairMapper('bothKeys')('k', null)).toEqual([
      ['k', null],
      [null, null],
    ])
  })
})

describe('selectors and pair mappers', () => {
  it('unwrap windowed keys', () => {
    expect(selector('unwindow')(window('k', 0, 1), 'v')).toBe('k')
    expect(selector('unwindow')('k', 'v')).toBe('k')
    expect(selector('keyString')(window('k', 0, 1), 'v')).toBe('k@0/1')
    expect(pairMapper('unwindowPair')(window('k', 0, 1), 'v')).toEqual(['k', 'v'])
  })

  it('keep null null, where they are null-safe', () => {
    expect(['value', 'firstChar', 'afterBar', 'valueNumber'].map((name) => selector(name)('k', null))).toEqual([
      null,
      null,
      null,
      null,
    ])
    expect(selector('keyAndValue')(null, null)).toBe('null.null')
    expect(pairMapper('swap')(null, null)).toEqual([null, null])
    expect(pairMapper('byLength')('k', null)).toEqual([null, null])
    expect(pairMapper('byLength')('k', face)).toEqual(['len2', face])
    expect(pairMapper('nullPair')('k', 'v')).toBeNull()
  })

  it('group tables', () => {
    expect(groupSelector('byValueNumber')('k', 'abc')).toEqual(['n3', 3])
    expect(groupSelector('byValueNumber')('k', null)).toEqual([null, 0])
    expect(groupSelector('nullPairIfEven')('k', 'ab')).toBeNull()
    expect(groupSelector('byKeyHeadTail')('abc', 'v')).toEqual(['a', 'bc'])
    expect(groupSelector('byKeyHeadTail')('', 'v')).toEqual([null, null])
    expect(groupSelector('byValueSkipping')('k', 'null')).toEqual([null, 'null'])
    expect(groupSelector('byValueSkipping')('k', 'NULL')).toBeNull()
    expect(groupSelector('byValueSkipping')('k', null)).toEqual([null, null])
  })

  it('extract foreign keys', () => {
    expect(foreignKey('afterBar')('k', 'a|b')).toBe('b')
    expect(foreignKey('value')('k', 7)).toBe('7')
    expect(foreignKey('keyFirstChar')(null, 'v')).toBeNull()
  })
})

describe('joiners, aggregators, reducers and mergers', () => {
  it('write null as text', () => {
    expect(joiner('dash')('k', 'a', null)).toBe('a-null')
    expect(joiner('keyDash')(null, 'a', 'b')).toBe('null:a-b')
    expect(joiner('parens')('k', null, 1)).toBe('(null,1)')
    expect(aggregator('append')('k', null, 'a')).toBe('a+null')
    expect(aggregator('lastString')('k', null, 'a')).toBe('null')
    expect(merger('concat')('k', null, 'b')).toBe('null&b')
  })

  it('give null where they say so', () => {
    expect(joiner('nullIfEqual')('k', 1, '1')).toBeNull()
    expect(joiner('nullIfRightEven')('k', 'a', 'bb')).toBeNull()
    expect(joiner('nullIfRightEven')('k', 'a', null)).toBe('a-null')
    expect(aggregator('appendOrNull')('k', 'bb', 'a')).toBeNull()
    expect(reducer('nullIfEqual')('a', 'a')).toBeNull()
  })

  it('remove every occurrence, and nothing for empty text', () => {
    expect(aggregator('removeValue')('k', 'a', 'abcab')).toBe('bcb')
    expect(aggregator('removeValue')('k', '', 'abc')).toBe('abc')
    expect(aggregator('removeValue')('k', '$&', 'a$&b')).toBe('ab')
  })

  it('wrap around at 64 bits', () => {
    expect(aggregator('add')('k', 1, longMax)).toBe(-longMax - 1n)
    expect(aggregator('subtract')('k', 'ab', null)).toBe(-2)
    expect(reducer('difference')(beyond, 2)).toBe(9007199254740991)
    expect(joiner('sum')('k', Number.MAX_SAFE_INTEGER, 2)).toBe(beyond)
  })

  it('prefer the first of equals', () => {
    expect(reducer('max')('b', 'a')).toBe('b')
    expect(reducer('max')('1', 1)).toBe('1')
    expect(reducer('max')('\ufffd', face)).toBe('\ufffd')
    expect(reducer('maxNumber')('ab', 2)).toBe('ab')
    expect(reducer('maxNumber')(1, beyond)).toBe(beyond)
  })

  it('begin with what the initializer gives', () => {
    expect(['empty', 'zeroString', 'zero', 'null'].map((name) => initializer(name)())).toEqual(['', '0', 0, null])
  })
})

it('a function that the format does not define is an error that names it', () => {
  expect(() => predicate('sometimes')).toThrow(FormatError)
  expect(() => valueMapper('constructor')).toThrow('unknown value mapper "constructor"')
})
