import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortedPlaces, StringKeys } from '../../src/state/sorted-keys.ts'

const sorted = (keys: readonly string[]): string[] =>
  [...sortedPlaces(new StringKeys(keys))].map((place) => keys[place]!)

/** Strings of bytes over few or many different ones, with and without a common beginning. */
const bytes = (low: number, high: number) =>
  fc.array(fc.integer({ min: low, max: high }), { maxLength: 20 }).map((units) => String.fromCharCode(...units))
const alphabets = fc.constantFrom([0, 255], [48, 57], [97, 98], [0, 1], [254, 255])
const keySets = fc.tuple(fc.constantFrom('', 'voter-', 'ÿ\0'), alphabets).chain(([prefix, [low, high]]) =>
  fc.uniqueArray(
    bytes(low, high).map((rest) => prefix + rest),
    { maxLength: 200 },
  ),
)

test('keys are in the order of their bytes, whatever they begin with and are made of', () => {
  fc.assert(
    fc.property(keySets, (keys) => {
      expect(sorted(keys)).toEqual([...keys].sort())
    }),
  )
})

test('keys that differ late, or only in length, are told apart', () => {
  const long = 'x'.repeat(100)
  const keys = ['b', `a${long}2`, `a${long}1`, `a${long}`, `a${long}10`, '', 'a', 'a\0']
  expect(sorted(keys)).toEqual([...keys].sort())
  expect(sorted([])).toEqual([])
  expect(sorted(['one'])).toEqual(['one'])
})

test('a quarter of a million keys fit', () => {
  const keys = Array.from({ length: 250_000 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 0).toString(36))
  expect(sorted(keys)).toEqual([...keys].sort())
})

test('keys that are there more than once have their places in their own order, and cost no comparisons', () => {
  const names = ['voter', 'voter-1', '', 'v']
  const keys = Array.from({ length: 5000 }, (_, i) => names[i % names.length]!)
  class Counting extends StringKeys {
    comparisons = 0
    override compareKeys(one: number, two: number): number {
      this.comparisons++
      return super.compareKeys(one, two)
    }
  }
  const counting = new Counting(keys)
  const places = [...sortedPlaces(counting)]
  const expected = keys.map((_, i) => i).sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : a - b))
  expect(places).toEqual(expected)
  expect(counting.comparisons).toBe(0)
})

test('long common beginnings are passed over, again and again', () => {
  const long = 'a-topic-of-voters/'.repeat(10)
  const keys = Array.from({ length: 3000 }, (_, i) =>
    i % 3 === 0 ? `${long}${long}${i}` : i % 3 === 1 ? `${long}${i}` : `${i}`,
  )
  expect(sorted(keys)).toEqual([...keys].sort())
})
