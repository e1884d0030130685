import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordBatchBuilder } from '../../src/common/record-batch-builder.ts'
import { RecordBatchReader } from '../../src/common/record-batch-reader.ts'
import { noHeaders } from '../../src/common/record.ts'
import { BaseTable } from '../../src/state/base-table.ts'
import { bytesEntry } from '../../src/state/entry.ts'
import { aboveEveryKey, LayeredTable } from '../../src/state/layered-table.ts'
import type { PersistRun } from '../../src/state/persist-run.ts'
import { plainLayout } from '../../src/state/table-layout.ts'

type Change = readonly [key: string, value: string | null]

/** Reads these changes as a restore reads a changelog. */
function* read(changes: readonly Change[]): Generator<RecordBatchReader> {
  if (changes.length === 0) return
  const builder = new RecordBatchBuilder()
  for (const [i, [key, value]] of changes.entries()) builder.append(key, value, 1000 + i, noHeaders)
  const bytes = Buffer.from(builder.seal({}))
  const reader = new RecordBatchReader(bytes, 0, bytes.length, { fromOffset: 0, isolation: 'read_committed' })
  while (reader.next()) yield reader
}

class Tables {
  readonly database = new Database(':memory:')
  readonly base = new BaseTable(this.database, 'rows', plainLayout)
  readonly table = new LayeredTable('rows', this.base, () => Buffer.alloc(0))
  readonly expected = new Map<string, string>()
  runs: PersistRun[] = []

  restore(changes: readonly Change[]): void {
    for (const record of read(changes)) expect(this.table.restoreRow(record)).toBe(true)
    this.expect(changes)
  }

  /** As the transaction of a running task. */
  write(changes: readonly Change[]): void {
    for (const [key, value] of changes) {
      this.table.set(key, bytesEntry(value === null ? null : Buffer.from(value), 5))
    }
    this.table.freeze()
    this.expect(changes)
  }

  expect(changes: readonly Change[]): void {
    for (const [key, value] of changes) {
      if (value === null) this.expected.delete(key)
      else this.expected.set(key, value)
    }
  }

  begin(): void {
    if (this.runs.length > 0) return
    this.runs = [...this.table.beginPersist()]
    if (this.runs.length > 0) this.database.exec('BEGIN')
  }

  /** Some rows; true when it was the last of them. */
  step(rows: number): boolean {
    const [run] = this.runs
    if (run === undefined) return true
    if (!run.write(rows)) return false
    this.runs.shift()
    if (this.runs.length > 0) return false
    this.database.exec('COMMIT')
    this.table.endPersist()
    return true
  }

  fail(): void {
    if (this.runs.length === 0) return
    this.database.exec('ROLLBACK')
    this.table.cancelPersist()
    this.runs = []
  }

  found(key: string): string | undefined {
    return this.table.find(key)?.bytes?.toString()
  }

  shown(): Change[] {
    return [...this.table.range('', aboveEveryKey)].map(([key, { bytes }]) => [key, bytes!.toString()])
  }

  wanted(): Change[] {
    return [...this.expected].sort(([one], [two]) => (one < two ? -1 : 1))
  }
}

const keys = fc.constantFrom('', 'a', 'b', 'bb', 'c\0', 'c', 'a-key-that-is-longer-than-a-short-text', '\u00ff')
const values = fc.option(fc.string({ unit: 'binary-ascii', maxLength: 50 }))
const changes = fc.array(fc.tuple(keys, values), { maxLength: 12 })
const steps = fc.array(
  fc.oneof(
    fc.record({ restore: changes }),
    fc.record({ write: changes }),
    fc.record({ find: keys }),
    fc.constant({ begin: true } as const),
    fc.record({ step: fc.integer({ min: 1, max: 5 }) }),
    fc.constant({ fail: true } as const),
    fc.constant({ range: true } as const),
  ),
  { maxLength: 25 },
)

test('what is restored is read as it was written, however restores, reads, writes to disk and their failures follow each other', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const tables = new Tables()
      for (const step of all) {
        if ('restore' in step) tables.restore(step.restore)
        if ('write' in step) tables.write(step.write)
        if ('find' in step) expect(tables.found(step.find)).toBe(tables.expected.get(step.find))
        if ('begin' in step) tables.begin()
        if ('step' in step) tables.step(step.step)
        if ('fail' in step) tables.fail()
        if ('range' in step) expect(tables.shown()).toEqual(tables.wanted())
      }
      while (!tables.step(3));
      // What was never read is on disk just so.
      tables.begin()
      while (!tables.step(3));
      tables.begin()
      while (!tables.step(3));
      const rows = tables.database.prepare('SELECT key, value FROM rows ORDER BY key').all()
      expect(rows).toEqual(tables.wanted().map(([key, value]) => ({ key, value: Buffer.from(value!) })))
      expect(tables.shown()).toEqual(tables.wanted())
      for (const [key, value] of tables.expected) expect(tables.found(key)).toBe(value)
    }),
    { numRuns: 500 },
  )
})

test('a key that comes again is written once, with its last value and time', () => {
  const tables = new Tables()
  tables.restore([['a', '1'], ['b', '1'], ['a', '2'], ['gone', '1'], ['gone', null], ['a', '3']]) // prettier-ignore
  expect(tables.table.frozenEntries).toBe(6)
  tables.begin()
  while (!tables.step(1));
  expect(tables.table.frozenEntries).toBe(0)
  expect(tables.database.prepare('SELECT key, ts, value FROM rows ORDER BY key').all()).toEqual([
    { key: 'a', ts: 1005, value: Buffer.from('3') },
    { key: 'b', ts: 1001, value: Buffer.from('1') },
  ])
  expect(tables.database.prepare('SELECT total_changes() AS n').get()).toEqual({ n: 2 })
})

test('a store in memory takes no rows', () => {
  const table = new LayeredTable('rows', null, () => Buffer.alloc(0))
  for (const record of read([['a', '1']])) expect(table.restoreRow(record)).toBe(false)
})
