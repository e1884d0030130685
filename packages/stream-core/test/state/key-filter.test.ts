import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BaseTable } from '../../src/state/base-table.ts'
import { KeyFilter } from '../../src/state/key-filter.ts'

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
  test('is not read for a new key, and is read for every key it may have until it knows its keys', () => {
    const directory = mkdtempSync(join(tmpdir(), 'stream-core-filter-'))
    const path = join(directory, 'table.db')
    try {
      const first = new Database(path)
      const table = new BaseTable(first, 'rows', null)
      for (let i = 0; i < 1000; i++) table.put(`key-${i}`, i, Buffer.of(1))
      expect(table.get('another')).toBeUndefined()
      expect(table.reads).toBe(0)
      expect(table.get('key-7')?.timestampMs).toBe(7)
      first.close()

      const second = new Database(path)
      const again = new BaseTable(second, 'rows', null)
      expect(again.get('another')).toBeUndefined()
      expect(again.reads).toBe(1)
      while (!again.learnKeys(64)) {
        // A slice at a time, as the loop does.
      }
      let reads = again.reads
      for (let i = 0; i < 1000; i++) expect(again.get(`key-${i}`)?.timestampMs).toBe(i)
      expect(again.reads - reads).toBe(1000)
      reads = again.reads
      for (let i = 0; i < 1000; i++) again.get(`new-${i}`)
      expect(again.reads - reads).toBeLessThan(30)
      second.close()
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
