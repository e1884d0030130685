import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { json, type Serde } from '../../../src/index.ts'
import { noHeaders } from '../../../src/common/record.ts'

const context = { topic: 't', part: 'value', headers: noHeaders } as const
const fields = ['a', 'option', 'ü', 'n'] as const
const lean = json<{ readonly [field in (typeof fields)[number]]: unknown }>().pick(...fields)

/** What is to be the same: the value, or that there is none. */
const outcome = (read: () => unknown): unknown => {
  try {
    return { value: read() }
  } catch (error) {
    return { refused: (error as Error).name }
  }
}

function expectAsParsed(bytes: Buffer): void {
  const parsed = outcome(() => {
    const value = JSON.parse(bytes.toString()) as unknown
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const own = value as { readonly [field: string]: unknown }
    return Object.fromEntries(fields.filter((field) => Object.hasOwn(own, field)).map((field) => [field, own[field]]))
  })
  // In the middle of a buffer, as records are.
  const around = Buffer.concat([Buffer.from('"{'), bytes, Buffer.from('"}')])
  const read = outcome(() => lean.read(around, 2, 2 + bytes.length, context))
  expect(read, bytes.toString()).toEqual(parsed)
}

const member = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
)
const object = fc.dictionary(fc.oneof(fc.constantFrom(...fields, '__proto__', 'other'), fc.string()), member)
const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/)

describe('json().pick()', () => {
  test('reads what JSON.parse reads, and refuses what it refuses: any JSON', () => {
    fc.assert(
      fc.property(fc.oneof(object, fc.jsonValue()), fc.constantFrom(0, 1, '\t'), blank, (value, space, around) => {
        expectAsParsed(Buffer.from(`${around}${JSON.stringify(value, null, space)}${around}`))
      }),
      { numRuns: 2000 },
    )
  })

  test('the same for bytes that were JSON before one of them was changed, taken out or cut off', () => {
    const pieces = '{}[]":,\\/u-+.eE019truefalsn \u0000\u001f\u00ff'
    const piece = fc.nat(pieces.length - 1).map((at) => pieces.charAt(at))
    fc.assert(
      fc.property(object, fc.nat(), fc.nat(3), piece, (value, where, how, text) => {
        const bytes = Buffer.from(JSON.stringify(value))
        const at = where % (bytes.length + 1)
        const changed = [
          Buffer.concat([bytes.subarray(0, at), Buffer.from(text, 'latin1'), bytes.subarray(at + 1)]),
          Buffer.concat([bytes.subarray(0, at), Buffer.from(text, 'latin1'), bytes.subarray(at)]),
          Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
          bytes.subarray(0, at),
        ]
        expectAsParsed(changed[how]!)
      }),
      { numRuns: 5000 },
    )
  })

  test('serdes that read other members have other names, also where a member has a comma in its name', () => {
    const picked = (...fields: readonly string[]): string => json<{ [field: string]: 1 }>().pick(...fields).name
    expect(picked('a', 'b')).toBe('json(a,b)')
    expect(new Set([picked('a', 'b'), picked('a,b'), picked('"a"', 'b'), picked('a")', 'b')]).size).toBe(4)
  })

  test('what is written by hand: numbers, doubles, escapes, names that come twice, things that are not JSON', () => {
    const texts = [
      [
        '0',
        '-0',
        '00',
        '01',
        '-',
        '1.',
        '.5',
        '1e',
        '1e+',
        '1E-7',
        '-12.5e3',
        '123456789012345678901234',
        '9007199254740993',
      ],
      [
        'nul',
        'null',
        'nulls',
        'true',
        'tru',
        'false',
        'falsey',
        'NaN',
        'Infinity',
        '"',
        '"\\"',
        '"\\u00e9"',
        '"\\u00g9"',
        '"\\x"',
      ],
      [
        '"\u007f"',
        '"é"',
        '"\t"',
        '{}',
        '{"b":[1,{"c":"\\n"}]}',
        '[1,]',
        '{"b":1,}',
        `${'['.repeat(70)}${']'.repeat(70)}`,
      ],
    ].flat()
    for (const text of texts) {
      for (const name of ['a', 'other', '\\u0061']) {
        expectAsParsed(Buffer.from(`{"${name}":${text}}`))
        expectAsParsed(Buffer.from(`{"n":7,"${name}":${text},"option":"x","a":"last"}`))
      }
      expectAsParsed(Buffer.from(text))
      expectAsParsed(Buffer.from(`{"a":${text}} ${text}`))
    }
    for (const text of [
      '',
      ' ',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1}}',
      '\ufeff{"a":1}',
      '{"a":1}\u0000',
      "{'a':1}",
      '{a:1}',
    ])
      expectAsParsed(Buffer.from(text))
  })

  test('is typed, and names what cannot be picked', () => {
    const vote = json<{ readonly poll: string; readonly weight: number; readonly note?: string }>()
    expectTypeOf(vote.pick('poll', 'note')).toEqualTypeOf<Serde<{ readonly poll: string; readonly note?: string }>>()
    // @ts-expect-error: there is no such member.
    expectTypeOf(vote.pick('pol')).toBeObject()
    expect(() => vote.pick()).toThrow(/no field/)
    expect(() => vote.pick('poll', 'poll')).toThrow(/"poll" twice/)
    // Two that read other members are two serdes.
    expect(vote.pick('poll').name).not.toBe(vote.pick('weight').name)
  })
})
