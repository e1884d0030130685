import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { int64, stores, string } from '../../src/index.ts'
import type { SessionStore } from '../../src/state/session-store.ts'
import type { TimestampedWindowStore, WindowStore } from '../../src/state/window-store.ts'
import { byBytes, Committed, lifeSteps, live, StoreBench } from './store-bench.ts'

const retentionMs = 200_000
/** Java's slices: half the retention, at least a minute. */
const sliceMs = 100_000
const key = fc.constantFrom('a', 'ab', 'b', '', 'é')
const time = fc.oneof(fc.nat({ max: 400_000 }), fc.constantFrom(0, 1, 99_999, 100_000, 199_999, 200_000, 200_001))
const value = fc.option(fc.nat({ max: 99 }), { nil: null, freq: 5 })
const life = { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...lifeSteps) }) }

interface Row {
  readonly key: string
  readonly start: number
  readonly end: number
  readonly value: number
  readonly order: number
}

interface Model {
  rows: Row[]
  observed: number
  order: number
}

const newModel = (): Committed<Model> =>
  new Committed<Model>({ rows: [], observed: -1, order: 0 }, ({ rows, ...rest }) => ({ rows: [...rows], ...rest }))

const slice = (timeMs: number): number => Math.trunc(timeMs / sliceMs)
const isLive = (timeMs: number, { observed }: Model): boolean => slice(timeMs) >= slice(observed - retentionMs)

/** Rows as the store shows them: none older than the retention; slice by slice, then by key bytes and time. */
const visible = ({ rows, observed }: Model, timeOf: (row: Row) => number): Row[] =>
  rows
    .filter((row) => timeOf(row) > observed - retentionMs)
    .sort(
      (a, b) =>
        slice(timeOf(a)) - slice(timeOf(b)) ||
        byBytes(a.key, b.key) ||
        a.end - b.end ||
        a.start - b.start ||
        a.order - b.order,
    )

const windowTime = (row: Row): number => row.start
const sessionTime = (row: Row): number => row.end

const ofWindows = { name: 's', key: string(), value: int64(), windowSizeMs: 10, retentionMs }

for (const where of ['file', 'memory'] as const) {
  describe(`window stores (${where})`, () => {
    test('a deletion in a store that keeps every value does nothing, also when it is restored', () => {
      const bench = new StoreBench(stores.window({ ...ofWindows, retainDuplicates: true }), where)
      const store = (): WindowStore<string, number> => bench.store as WindowStore<string, number>
      store().put('a', null, 200_000)
      store().put('a', 7, 0)
      bench.commit()
      bench.reopen()
      expect([...store().fetchRange('a', 0, 10)]).toEqual([[0, 7]])
      bench.close()
    })

    test('what an open transaction has seen expires nothing on disk, for it may be rolled back', async () => {
      const bench = new StoreBench(stores.window(ofWindows), where)
      const store = (): WindowStore<string, number> => bench.store as WindowStore<string, number>
      store().put('a', 7, 0)
      bench.commit()
      store().put('a', 8, 300_000)
      await bench.persist()
      bench.reopen()
      expect([...store().all()]).toEqual([[{ key: 'a', window: { start: 0, end: 10 } }, 7]])
      bench.close()
    })

    for (const retainDuplicates of [false, true]) {
      test(`a store that ${retainDuplicates ? 'keeps every value' : 'keeps the last value'} reads as a list does, and forgets as it says`, async () => {
        const put = { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, time }) }
        const read = {
          weight: 3,
          arbitrary: fc.record({
            kind: fc.constant('read' as const),
            key,
            from: time,
            to: time,
            reverse: fc.boolean(),
          }),
        }
        await fc.assert(
          fc.asyncProperty(fc.array(fc.oneof(put, read, life), { maxLength: 50 }), async (operations) => {
            const bench = new StoreBench(stores.window({ ...ofWindows, retainDuplicates }), where)
            const model = newModel()
            const store = (): WindowStore<string, number> => bench.store as never
            try {
              for (const op of operations) {
                if (op.kind === 'put') {
                  store().put(op.key, op.value, op.time)
                  putWindow(model.open, op, retainDuplicates)
                } else if (op.kind === 'read') {
                  const rows = visible(model.open, windowTime)
                  const inRange = rows.filter(({ start }) => start >= op.from && start <= op.to)
                  const mine = inRange.filter((row) => row.key === op.key)
                  const byStart = [...mine].sort((a, b) => a.start - b.start || a.order - b.order)
                  const fetched = [...store().fetchRange(op.key, op.from, op.to, { reverse: op.reverse })]
                  expect(fetched).toEqual(ordered(byStart, op.reverse).map((row) => [row.start, row.value]))
                  const all = [...store().fetchAll(op.from, op.to, { reverse: op.reverse })]
                  expect(all.map(([{ key: k, window }, v]) => [k, window.start, window.end, v])).toEqual(
                    ordered(inRange, op.reverse).map((row) => [row.key, row.start, row.start + 10, row.value]),
                  )
                } else {
                  await live(bench, model, op.kind)
                }
                const all = [...store().all()].map(([{ key: k, window }, v]) => [k, window.start, v])
                expect(all).toEqual(visible(model.open, windowTime).map((row) => [row.key, row.start, row.value]))
              }
            } finally {
              bench.close()
            }
          }),
          { numRuns: 120 },
        )
      })
    }

    test('what has expired stays invisible after everything was written to disk and opened again', async () => {
      const bench = new StoreBench(stores.window(ofWindows), where)
      const store = (): WindowStore<string, number> => bench.store as never
      store().put('old', 1, 150_000)
      store().put('new', 2, 390_000)
      expect([...store().all()].map(([{ key: k }]) => k)).toEqual(['new'])
      bench.commit()
      await bench.persist()
      bench.reopen()
      expect([...store().all()].map(([{ key: k }]) => k)).toEqual(['new'])
      bench.close()
    })

    test('a timestamped store keeps the time of each value apart from that of its window', () => {
      const bench = new StoreBench(stores.window({ ...ofWindows, timestamped: true }), where)
      const store = bench.store as unknown as TimestampedWindowStore<string, number>
      store.put('a', 1, 100, 107)
      bench.commit()
      bench.reopen()
      expect((bench.store as unknown as typeof store).fetch('a', 100)).toEqual({ value: 1, timestampMs: 107 })
      expect(bench.changelog[0]).toMatchObject({ timestampMs: 107 })
      bench.close()
    })
  })

  describe(`session stores (${where})`, () => {
    test('a store reads as a list does, and forgets as it says', async () => {
      const length = fc.nat({ max: 50_000 })
      const put = { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, time, length }) }
      const read = {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('read' as const), key, from: time, to: time, reverse: fc.boolean() }),
      }
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(put, read, life), { maxLength: 50 }), async (operations) => {
          const settings = { name: 's', key: string(), value: int64(), retentionMs }
          const bench = new StoreBench(stores.session(settings), where)
          const model = newModel()
          const store = (): SessionStore<string, number> => bench.store as never
          try {
            for (const op of operations) {
              if (op.kind === 'put') {
                const window = { start: op.time, end: op.time + op.length }
                store().put({ key: op.key, window }, op.value)
                putSession(model.open, op.key, window, op.value)
              } else if (op.kind === 'read') {
                const mine = visible(model.open, sessionTime)
                  .filter((row) => row.key === op.key && row.end >= op.from && row.start <= op.to)
                  .sort((a, b) => a.end - b.end || a.start - b.start)
                const found = [...store().findSessions(op.key, op.from, op.to, { reverse: op.reverse })]
                expect(found.map(([{ window }, v]) => [window.start, window.end, v])).toEqual(
                  ordered(mine, op.reverse).map((row) => [row.start, row.end, row.value]),
                )
              } else {
                await live(bench, model, op.kind)
              }
              const all = [...store().all()].map(([{ key: k, window }, v]) => [k, window.start, window.end, v])
              expect(all).toEqual(
                visible(model.open, sessionTime).map((row) => [row.key, row.start, row.end, row.value]),
              )
            }
          } finally {
            bench.close()
          }
        }),
        { numRuns: 120 },
      )
    })
  })
}

const ordered = <T>(rows: readonly T[], reverse: boolean): T[] => (reverse ? [...rows].reverse() : [...rows])

function putWindow(
  model: Model,
  { key: k, value: v, time: start }: { key: string; value: number | null; time: number },
  retainDuplicates: boolean,
): void {
  // A store that keeps duplicates deletes nothing.
  if (retainDuplicates && v === null) return
  model.observed = Math.max(model.observed, start)
  if (!isLive(start, model)) return
  if (!retainDuplicates) model.rows = model.rows.filter((row) => row.key !== k || row.start !== start)
  if (v !== null) model.rows.push({ key: k, start, end: start, value: v, order: model.order++ })
}

function putSession(model: Model, k: string, { start, end }: { start: number; end: number }, v: number | null): void {
  model.observed = Math.max(model.observed, end)
  if (!isLive(end, model)) return
  model.rows = model.rows.filter((row) => row.key !== k || row.start !== start || row.end !== end)
  if (v !== null) model.rows.push({ key: k, start, end, value: v, order: model.order++ })
}
