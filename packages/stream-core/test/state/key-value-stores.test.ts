import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json, string, stores } from '../../src/index.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../src/state/key-value-store.ts'
import { byBytes, Committed, lifeSteps, type LifeStep, live, StoreBench } from './store-bench.ts'

const keys = ['', 'a', 'aa', 'ab', 'b', 'ba', 'c', 'é', '\u{1f5f3}', 'z\0', 'z', 'zz']
const key = fc.constantFrom(...keys)
const value = fc.option(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }), { nil: null, freq: 4 })

type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: number[] | null; readonly timeMs: number }
  | { readonly kind: 'put if absent'; readonly key: string; readonly value: number[] | null; readonly timeMs: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'change what was read'; readonly key: string }
  | { readonly kind: 'read'; readonly from: string | null; readonly to: string | null; readonly reverse: boolean }
  | { readonly kind: LifeStep }

const bound = fc.option(key, { nil: null })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, timeMs: fc.nat({ max: 1000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('put if absent' as const), key, value, timeMs: fc.nat({ max: 1000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change what was read' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('read' as const), from: bound, to: bound, reverse: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...lifeSteps) }) },
)

interface Row {
  readonly value: readonly number[]
  readonly timeMs: number
}
type Rows = Map<string, Row>

const between = (rows: Rows, from: string | null, to: string | null, reverse: boolean): [string, Row][] => {
  const sorted = [...rows]
    .filter(([k]) => (from === null || byBytes(k, from) >= 0) && (to === null || byBytes(k, to) <= 0))
    .sort(([a], [b]) => byBytes(a, b))
  return reverse ? sorted.reverse() : sorted
}

for (const where of ['file', 'memory'] as const) {
  describe(`key-value stores (${where})`, () => {
    test('a timestamped store reads as a sorted map does, whatever is aborted, written to disk and opened again', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
          const spec = stores.keyValue({ name: 's', key: string(), value: json<number[]>(), timestamped: true })
          const bench = new StoreBench(spec, where)
          const model = new Committed<Rows>(new Map(), (rows) => new Map(rows))
          const store = (): TimestampedKeyValueStore<string, number[]> => bench.store as never
          const put = (k: string, v: readonly number[] | null, timeMs: number): void => {
            if (v === null) model.open.delete(k)
            else model.open.set(k, { value: v, timeMs })
          }
          try {
            for (const op of operations) {
              switch (op.kind) {
                case 'put':
                  store().put(op.key, op.value, op.timeMs)
                  put(op.key, op.value, op.timeMs)
                  break
                case 'put if absent': {
                  const old = model.open.get(op.key)
                  const answer = store().putIfAbsent(op.key, op.value, op.timeMs)
                  expect(answer).toEqual(old === undefined ? null : { value: old.value, timestampMs: old.timeMs })
                  if (old === undefined) put(op.key, op.value, op.timeMs)
                  break
                }
                case 'delete': {
                  const old = model.open.get(op.key)
                  expect(store().delete(op.key)?.value).toEqual(old?.value)
                  model.open.delete(op.key)
                  break
                }
                case 'change what was read':
                  // The caller's own copy: the store must not change with it.
                  store().get(op.key)?.value.push(99)
                  break
                case 'read': {
                  const { from, to, reverse } = op
                  const actual = [...store().range(from, to, { reverse })]
                  const expected = between(model.open, from, to, reverse)
                  expect(actual.map(([k, { value: v, timestampMs }]) => [k, v, timestampMs])).toEqual(
                    expected.map(([k, row]) => [k, row.value, row.timeMs]),
                  )
                  break
                }
                default:
                  await live(bench, model, op.kind)
              }
              for (const k of keys) expect(store().get(k)?.value ?? null).toEqual(model.open.get(k)?.value ?? null)
            }
            const prefix = [...store().prefixScan('a')].map(([k]) => k)
            expect(prefix).toEqual(
              between(model.open, null, null, false)
                .map(([k]) => k)
                .filter((k) => k.startsWith('a')),
            )
            expect(store().approximateNumEntries()).toBe(model.open.size)
          } finally {
            bench.close()
          }
        }),
        { numRuns: 150 },
      )
    })

    test('a store that keeps the keys used last forgets the one used longest ago, and deletes it in its changelog', () => {
      const spec = stores.keyValue({ name: 's', key: string(), value: json<number>(), maxEntries: 2 })
      const bench = new StoreBench(spec, where)
      const store = bench.store as unknown as KeyValueStore<string, number>
      store.put('a', 1)
      store.put('b', 2)
      expect(store.get('a')).toBe(1)
      store.put('c', 3)
      expect([...store.all()]).toEqual([
        ['a', 1],
        ['c', 3],
      ])
      bench.commit()
      expect(bench.changelog.map((change) => [change.key, change.value?.toString() ?? null])).toEqual([
        ['a', '1'],
        ['b', null],
        ['c', '3'],
      ])
      bench.close()
    })

    test('what is committed while older rows are being written to disk is neither lost nor hidden', async () => {
      const spec = stores.keyValue({ name: 's', key: string(), value: json<number>() })
      const bench = new StoreBench(spec, where)
      const store = bench.store as unknown as KeyValueStore<string, number>
      for (let i = 0; i < 5000; i++) store.put(`key-${i}`, i)
      bench.commit()
      await bench.persist(() => {
        store.put('key-7', -7)
        store.put('key-8', null)
        bench.commit()
        expect(store.get('key-7')).toBe(-7)
        expect(store.get('key-8')).toBeNull()
        expect(store.get('key-9')).toBe(9)
      })
      if (where === 'file') {
        bench.reopen()
        const again = bench.store as unknown as KeyValueStore<string, number>
        expect([again.get('key-7'), again.get('key-8'), again.get('key-9')]).toEqual([-7, null, 9])
      }
      bench.close()
    })
  })
}

test('a text with half a surrogate pair reads as it will be after a restart', () => {
  const bench = new StoreBench(stores.keyValue({ name: 's', key: string(), value: string() }), 'memory')
  const store = bench.store as KeyValueStore<string, string>
  store.put('k', 'a\ud83d')
  expect(store.get('k')).toBe('a?')
  bench.close()
})
