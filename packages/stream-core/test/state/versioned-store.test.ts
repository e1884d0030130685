import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { int64, stores, string } from '../../src/index.ts'
import type { VersionedKeyValueStore } from '../../src/state/versioned-store.ts'
import { Committed, lifeSteps, live, StoreBench } from './store-bench.ts'

const historyRetentionMs = 30_000
const key = fc.constantFrom('a', 'b')
const time = fc.nat({ max: 90_000 })
const value = fc.option(fc.nat({ max: 99 }), { nil: null, freq: 4 })

interface Model {
  /** By key: the versions, by the time from which they hold; null: there was no value. */
  versions: Map<string, Map<number, number | null>>
  observed: number
}

const put = { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, time }) }
const remove = { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key, time }) }
const read = { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), key, time }) }
const life = { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...lifeSteps) }) }

function lookUp(model: Model, k: string, atMs: number) {
  const times = [...(model.versions.get(k)?.keys() ?? [])].sort((a, b) => a - b)
  const from = times.findLast((timeMs) => timeMs <= atMs)
  if (from === undefined) return null
  const found = model.versions.get(k)!.get(from)!
  if (found === null) return null
  return { value: found, timestampMs: from, validToMs: times.find((timeMs) => timeMs > from) ?? null }
}

for (const where of ['file', 'memory'] as const) {
  describe(`versioned stores (${where})`, () => {
    test('as of any time within the history, the store answers as a list of versions does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(put, remove, read, life), { maxLength: 60 }), async (operations) => {
          const spec = stores.versioned({ name: 's', key: string(), value: int64(), historyRetentionMs })
          const bench = new StoreBench(spec, where)
          const model = new Committed<Model>({ versions: new Map(), observed: -1 }, ({ versions, observed }) => ({
            versions: new Map([...versions].map(([k, times]) => [k, new Map(times)])),
            observed,
          }))
          const store = (): VersionedKeyValueStore<string, number> => bench.store as never
          const apply = (k: string, v: number | null, timeMs: number): boolean => {
            if (timeMs < model.open.observed - historyRetentionMs) return false
            model.open.observed = Math.max(model.open.observed, timeMs)
            const times = model.open.versions.get(k) ?? new Map<number, number | null>()
            model.open.versions.set(k, times.set(timeMs, v))
            return true
          }
          try {
            for (const op of operations) {
              if (op.kind === 'put') {
                const { kind } = store().put(op.key, op.value, op.time)
                expect(kind === 'dropped').toBe(!apply(op.key, op.value, op.time))
              } else if (op.kind === 'delete') {
                const isLate = op.time < model.open.observed - historyRetentionMs
                const old = isLate ? null : lookUp(model.open, op.key, op.time)
                expect(store().delete(op.key, op.time)?.value ?? null).toBe(old?.value ?? null)
                apply(op.key, null, op.time)
              } else if (op.kind === 'read') {
                if (op.time < model.open.observed - historyRetentionMs) continue
                expect(store().get(op.key, op.time)).toEqual(lookUp(model.open, op.key, op.time))
              } else {
                await live(bench, model, op.kind)
              }
              for (const k of ['a', 'b']) {
                const latest = lookUp(model.open, k, Number.POSITIVE_INFINITY)
                expect(store().get(k)).toEqual(latest)
              }
            }
          } finally {
            bench.close()
          }
        }),
        { numRuns: 300 },
      )
    })

    test('the changelog has every version in order, and none is thinned out', () => {
      const spec = stores.versioned({ name: 's', key: string(), value: int64(), historyRetentionMs })
      const bench = new StoreBench(spec, where)
      const store = bench.store as unknown as VersionedKeyValueStore<string, number>
      store.put('a', 1, 10)
      store.put('a', 2, 20)
      store.put('a', null, 15)
      store.delete('a', 30)
      bench.commit()
      expect(bench.changelog.map((change) => [change.value?.readBigInt64BE() ?? null, change.timestampMs])).toEqual([
        [1n, 10],
        [2n, 20],
        [null, 15],
        [null, 30],
      ])
      bench.close()
    })
  })
}
