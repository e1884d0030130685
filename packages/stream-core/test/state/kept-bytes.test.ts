import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BaseTable } from '../../src/state/base-table.ts'
import { bytesEntry } from '../../src/state/entry.ts'
import { KeptBytes } from '../../src/state/kept-bytes.ts'
import { LayeredTable } from '../../src/state/layered-table.ts'

/** Memory that these Buffers keep from being freed. */
const heldBytes = (buffers: readonly Buffer[]): number =>
  [...new Set(buffers.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)

/** A small value as it comes from a serde or a broker: a slice of something large that holds much else. */
const passing = (text: string): Buffer => {
  const large = Buffer.allocUnsafeSlow(64 * 1024)
  return large.subarray(100, 100 + large.write(text, 100))
}

test('what is kept has the same bytes, and holds little memory besides', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 1500 }), { maxLength: 40 }), (values) => {
      const kept = new KeptBytes()
      const buffers = values.map((value) => kept.keep(Buffer.concat([value])))
      expect(buffers.map((buffer) => [...buffer])).toEqual(values.map((value) => [...value]))
      const all = values.reduce((sum, { length }) => sum + length, 0)
      expect(heldBytes(buffers)).toBeLessThanOrEqual(1.5 * all + 1024)
      // Kept once more, they stay where they are.
      expect(buffers.every((buffer) => kept.keep(buffer) === buffer)).toBe(true)
    }),
  )
})

for (const [kind, base] of [
  ['on disk', () => new BaseTable(new Database(':memory:'), 'rows', { segmentOf: null, groupOf: null, timeOf: null })],
  ['in memory', () => null],
] as const) {
  test(`a store ${kind} holds of small values little more than their bytes, however they came`, () => {
    const table = new LayeredTable('voters', base(), () => Buffer.alloc(0))
    const keys = Array.from({ length: 2000 }, (_, i) => `voter-${i}`)
    const valueOf = (key: string): string => `${key} has chosen, and this is what is known of it`
    for (const key of keys) table.set(key, bytesEntry(passing(valueOf(key)), 1))
    table.freeze()
    table.beginPersist()[0]?.write(keys.length)
    table.endPersist()
    const values = keys.map((key) => table.find(key)!.bytes!)
    expect(values.map(String)).toEqual(keys.map(valueOf))
    expect(heldBytes(values)).toBeLessThan(2 * values.reduce((sum, { length }) => sum + length, 0))
  })
}
