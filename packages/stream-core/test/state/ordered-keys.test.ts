import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedKeys } from '../../src/state/ordered-keys.ts'

const key = fc.nat(4000).map((number) => `k${String(number).padStart(4, '0')}`)
const act = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('add' as const), keys: fc.array(key, { maxLength: 60 }) }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('remove' as const), keys: fc.array(key, { maxLength: 30 }) }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('range' as const), from: key, to: key }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('bulk' as const), first: fc.nat(3000) }), weight: 1 },
  { arbitrary: fc.constant({ kind: 'all' as const }), weight: 1 },
  { arbitrary: fc.constant({ kind: 'clear' as const }), weight: 1 },
)

test('ranges between writes are those of a list that is sorted anew each time', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const entries = new Map<string, true>()
      const order = new OrderedKeys(entries, null)
      const add = (one: string): void => {
        if (entries.has(one)) return
        entries.set(one, true)
        order.added(one)
      }
      const sorted = (): string[] => [...entries.keys()].sort()
      for (const step of acts) {
        if (step.kind === 'add') for (const one of step.keys) add(one)
        if (step.kind === 'bulk') for (let i = 0; i < 1500; i++) add(`k${String(step.first + i).padStart(4, '0')}`)
        if (step.kind === 'remove') for (const one of step.keys) if (entries.delete(one)) order.removed(one)
        if (step.kind === 'all') expect(order.all()).toEqual(sorted())
        if (step.kind === 'range') {
          const expected = sorted().filter((one) => one >= step.from && one < step.to)
          expect(order.between(step.from, step.to, null)).toEqual(expected)
        }
        if (step.kind === 'clear') {
          entries.clear()
          order.cleared()
        }
      }
      expect(order.between('', '~', null)).toEqual(sorted())
    }),
    { numRuns: 300 },
  )
})

test('a range does not look at all the keys there are, however many were written before it', () => {
  const entries = new Map<string, true>()
  let walked = 0
  const watched = new Proxy(entries, {
    get(target, name) {
      if (name === 'keys') walked++
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const order = new OrderedKeys(watched, null)
  for (let i = 0; i < 500; i++) {
    entries.set(`k${i}`, true)
    order.added(`k${i}`)
    expect(order.between(`k${i}`, `k${i}\0`, null)).toEqual([`k${i}`])
  }
  expect(walked).toBe(1)
})
