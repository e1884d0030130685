import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteWriter } from '../../src/common/byte-writer.ts'

test('text is written as Node writes it, short or long, whatever its characters', () => {
  const writer = new ByteWriter(1)
  const texts = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ maxLength: 80 }))
  fc.assert(
    fc.property(texts, fc.nat(10), (text, before) => {
      writer.reset()
      writer.writeBytes(Buffer.alloc(before))
      writer.writeUtf8(text)
      expect(writer.view()).toEqual(Buffer.concat([Buffer.alloc(before), Buffer.from(text)]))
    }),
  )
})

test('a view shows what was written, and what is written next where the size is the same; a copy does not', () => {
  const writer = new ByteWriter(2)
  writer.writeBytes(Buffer.of(1, 2))
  const [view, copy] = [writer.view(), writer.toBuffer()]
  writer.reset()
  writer.writeBytes(Buffer.of(3, 4))
  expect(writer.view()).toBe(view)
  expect([view, copy]).toEqual([Buffer.of(3, 4), Buffer.of(1, 2)])
  // The buffer behind it is another one once it has grown.
  writer.writeBytes(Buffer.of(5))
  expect(writer.view()).toEqual(Buffer.of(3, 4, 5))
  writer.truncate(2)
  expect(writer.view()).toEqual(Buffer.of(3, 4))
})
