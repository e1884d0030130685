import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BaseTable } from '../../src/state/base-table.ts'
import { KeyFilter } from '../../src/state/key-filter.ts'
import { plainLayout } from '../../src/state/table-layout.ts'
import { int64, type KeyValueStore, stores, string } from '../../src/index.ts'
import { StoreBench } from './store-bench.ts'

describe('the filter of existing keys', () => {
  test('a key that was added is never said to be absent', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 200 }), (keys) => {
        const filter = new KeyFilter()
        for (const key of keys) filter.add(key)
        for (const key of keys) expect(filter.mayHave(key)).toBe(true)
      }),
    )
  })

  test('of 100,000 new keys fewer than 3 in 100 are said to be there, however far it has grown', () => {
    const filter = new KeyFilter()
    for (let i = 0; i < 200_000; i++) filter.add(`old-${i}`)
    let wrong = 0
    for (let i = 0; i < 100_000; i++) if (filter.mayHave(`new-${i}`)) wrong++
    expect(wrong).toBeLessThan(3000)
  })
})

describe('a table on disk', () => {
  test('is not read for keys that are new', async () => {
    const spec = stores.keyValue({ name: 's', key: string(), value: int64() })
    const bench = new StoreBench(spec, 'file')
    const store = bench.store as unknown as KeyValueStore<string, number>
    for (let i = 0; i < 1000; i++) store.put(`key-${i}`, i)
    bench.commit()
    await bench.persist()
    const before = bench.reads
    for (let i = 0; i < 1000; i++) expect(store.get(`new-${i}`)).toBeNull()
    expect(bench.reads - before).toBeLessThan(30)
    bench.close()
  })

  test('knows which keys it may have, and says so of every key until it has read those it was opened with', () => {
    const directory = mkdtempSync(join(tmpdir(), 'stream-core-filter-'))
    const path = join(directory, 'table.db')
    try {
      const first = new Database(path)
      const table = new BaseTable(first, 'rows', plainLayout)
      for (let i = 0; i < 1000; i++) {
        table.learn(`key-${i}`)
        table.put(`key-${i}`, i, Buffer.of(1), false)
      }
      table.flushPuts()
      expect(table.mayHave('another')).toBe(false)
      expect(table.get('key-7')?.timestampMs).toBe(7)
      first.close()

      const second = new Database(path)
      const again = new BaseTable(second, 'rows', plainLayout)
      expect(again.mayHave('another')).toBe(true)
      while (!again.learnKeys(64)) {
        // A slice at a time, as the loop does.
      }
      for (let i = 0; i < 1000; i++) expect(again.mayHave(`key-${i}`)).toBe(true)
      let wrong = 0
      for (let i = 0; i < 1000; i++) if (again.mayHave(`new-${i}`)) wrong++
      expect(wrong).toBeLessThan(30)
      second.close()
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
