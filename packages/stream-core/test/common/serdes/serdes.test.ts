import { inspect } from 'node:util'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ByteWriter } from '../../../src/common/byte-writer.ts'
import { ArgumentError } from '../../../src/common/errors.ts'
import { noHeaders } from '../../../src/common/record.ts'
import {
  boolean,
  float32,
  int16,
  int32,
  int64,
  json,
  list,
  schema,
  type Serde,
  string,
  uuid,
  voidSerde,
} from '../../../src/common/serde.ts'
import { javaVectors } from './java-vectors.ts'

const context = { topic: 't', part: 'value', headers: noHeaders } as const

function written<T>(serde: Serde<T>, value: T): string {
  const out = new ByteWriter(1)
  // A prefix: serdes write where the writer stands.
  out.writeUint8(0xee)
  serde.write(value, out, context)
  return out.toBuffer().subarray(1).toString('hex')
}

function read<T>(serde: Serde<T>, hex: string): T {
  // Something before and something behind: serdes read their range and nothing else.
  const bytes = Buffer.from(`eeee${hex}dd`, 'hex')
  return serde.read(bytes, 2, bytes.length - 1, context)
}

test('half a surrogate pair is written as a question mark, as String.getBytes does, and whole pairs are left alone', () => {
  expect(written(string(), 'a\ud83d')).toBe('613f')
  expect(written(string(), '\ude00é\ud83d\ude00')).toBe('3fc3a9f09f9880')
})

describe('serdes write and read what Java’s do', () => {
  for (const [serde, value, hex] of javaVectors) {
    const shown = inspect(value, { breakLength: Number.POSITIVE_INFINITY })
    test(`${serde.name} ${shown} is ${hex}`, () => {
      expect(written(serde, value)).toBe(hex)
      // A float has fewer digits than the number that was written as one.
      const expected = serde.name === 'float32' ? Math.fround(value as number) : value
      expect(read(serde, hex)).toEqual(expected)
    })
  }
})

describe('what a serde cannot hold is refused with its name and the value', () => {
  const refusals: readonly (readonly [Serde<never>, unknown, RegExp])[] = [
    [string() as Serde<never>, 5, /string needs a string, got 5 \(a number\)/],
    [int16() as Serde<never>, 32_768, /int16 needs .*got 32768/],
    [int32() as Serde<never>, 1.5, /int32 needs .*got 1.5/],
    [int64() as Serde<never>, 2 ** 53, /int64 needs .*got 9007199254740992/],
    [int64() as Serde<never>, '7', /int64 needs .*got "7" \(a string\)/],
    [boolean() as Serde<never>, 'true', /boolean needs a boolean, got "true"/],
    [uuid() as Serde<never>, 'no-uuid', /UUID such as/],
    [json<never>(), undefined, /json needs a value with a JSON form, got undefined/],
    [json<never>(), Number.NaN, /json needs what JSON can hold, got NaN/],
    [json<never>(), { a: [1, { b: Infinity }] }, /got Infinity \(a number\) at value\.a\[1\]\.b/],
    [json<never>(), { seen: new Set(['x']) }, /got an object of class Set at value\.seen/],
    [json<never>(), new Map([['x', 1]]), /got an object of class Map/],
    [json<never>(), [Promise.resolve(1)], /got an object of class Promise at value\[0\]/],
    [list(int32()) as Serde<never>, [1, null], /list\(int32\)/],
    [float32() as Serde<never>, '1', /float32/],
  ]
  for (const [serde, value, message] of refusals) {
    test(`${serde.name} refuses ${JSON.stringify(value)}`, () => {
      expect(() => written(serde, value as never)).toThrow(message)
    })
  }

  test('bytes of another size are refused when they are read', () => {
    expect(() => read(int64(), '00')).toThrow(/int64 needs 8 bytes, got 1/)
    expect(() => read(boolean(), '02')).toThrow(/0 or 1, got 2/)
    expect(() => read(list(int32()), '0000')).toThrow(RangeError)
    expect(() => read(voidSerde(), '00')).toThrow()
  })
})

describe('a schema beside a serde', () => {
  const order = { items: [{ price: 1 }, { price: 'two' }] }
  const bytes = Buffer.from(JSON.stringify(order)).toString('hex')

  test('zod: a wrong value is an error that names the path', () => {
    const serde = schema(z.object({ items: z.array(z.object({ price: z.number() })) }))
    expect(() => read(serde, bytes)).toThrow(/zod schema refuses it: items\[1\]\.price: .*number/i)
  })

  test('valibot: a wrong value is an error that names the path', () => {
    const serde = schema(v.object({ items: v.array(v.object({ price: v.number() })) }))
    expect(() => read(serde, bytes)).toThrow(/valibot schema refuses it: items\[1\]\.price: /)
  })

  test('what the schema makes of a value is what is read', () => {
    const serde = schema(z.object({ at: z.string().transform((text) => new Date(text)) }))
    expect(read(serde, Buffer.from('{"at":"2026-01-02"}').toString('hex')).at.getUTCFullYear()).toBe(2026)
  })

  test('writes are checked if that is asked for', () => {
    const serde = schema(z.object({ price: z.number() }), json(), { validateWrites: true })
    expect(() => written(serde, { price: 'x' } as never)).toThrow(/price: /)
    expect(written(serde, { price: 1 })).toBe(Buffer.from('{"price":1}').toString('hex'))
  })

  test('a schema that answers with a promise, and what is no schema, are refused', () => {
    const serde = schema(z.string().refine(async () => true))
    expect(() => read(serde, Buffer.from('"a"').toString('hex'))).toThrow(/asynchronously/)
    expect(() => schema({} as never)).toThrow(ArgumentError)
  })
})
