import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BaseCursor } from '../../src/state/base-cursor.ts'
import { BaseTable, pageQuery } from '../../src/state/base-table.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'base-table-test-'))))
afterEach(() => rmSync(folder, { recursive: true }))

/** Keys are texts of two digits; the first is their segment's, backwards, so that segments lie across the order of keys. */
const segmentOf = (key: string): number => 9 - Number(key[1])

function openTable(): { readonly database: Database.Database; readonly table: BaseTable } {
  const database = new Database(join(folder, 'state.db'))
  return { database, table: new BaseTable(database, 'rows', { segmentOf, groupOf: null, timeOf: null }) }
}

const everything = {
  from: '',
  to: '~',
  reverse: false,
  segments: { first: 0, last: 9 },
  group: null,
  earliestMs: -Infinity,
}

const key = fc.nat(99).map((number) => String(number).padStart(2, '0'))

describe('rows on disk', () => {
  test('a range is what lies between its ends and in its segments, in order, forwards and backwards, also after a new opening', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key),
        key,
        key,
        fc.nat(9),
        fc.nat(9),
        fc.boolean(),
        fc.boolean(),
        (keys, from, to, first, last, reverse, reopens) => {
          let { database, table } = openTable()
          for (const one of keys) table.put(one, 1, Buffer.from(one), false)
          table.flushPuts()
          if (reopens) {
            database.close()
            ;({ database, table } = openTable())
          }
          const cursor = BaseCursor.open(table, { ...everything, from, to, reverse, segments: { first, last } })
          const found: string[] = []
          for (; cursor?.key !== undefined; cursor.advance()) {
            expect(cursor.entry?.bytes?.toString()).toBe(cursor.key)
            found.push(cursor.key)
          }
          const isIn = (one: string): boolean =>
            one >= from && one < to && segmentOf(one) >= first && segmentOf(one) <= last
          const expected = keys.filter(isIn).sort()
          expect(found).toEqual(reverse ? expected.reverse() : expected)
          database.close()
          rmSync(join(folder, 'state.db'))
        },
      ),
      { numRuns: 100 },
    )
  })

  test('pages follow each other where a segment has more rows than one, and segments that have expired are gone', () => {
    const { database, table } = openTable()
    const keys = Array.from(
      { length: 2000 },
      (_, i) => `${String(i % 10)}${String(i % 7)}-${String(i).padStart(4, '0')}`,
    )
    for (const one of keys) table.put(one, 1, Buffer.from(one), false)
    table.flushPuts()
    const read = (): string[] => {
      const found: string[] = []
      const cursor = BaseCursor.open(table, everything)
      for (; cursor?.key !== undefined; cursor.advance()) found.push(cursor.key)
      return found
    }
    expect(read()).toEqual([...keys].sort())
    table.expire(6)
    expect(read()).toEqual(keys.filter((one) => segmentOf(one) >= 6).sort())
    database.close()
  })

  test.each(['ASC', 'DESC'] as const)(
    'a page (%s) is read from where it begins: nothing is sorted, or passed over',
    (order) => {
      const { database } = openTable()
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${pageQuery('rows', order)}`).all(0, 'a', 'b', 256)
      expect(plan.map((step) => (step as { detail: string }).detail)).toEqual([
        'SEARCH rows USING PRIMARY KEY (segment=? AND key>? AND key<?)',
      ])
      database.close()
    },
  )
})
