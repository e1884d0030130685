import type { Database, Statement } from 'better-sqlite3'
import type { BaseRangeOptions } from './base-cursor.ts'
import { copyBytes } from '../common/buffer-text.ts'
import { bytesEntry, type Entry } from './entry.ts'
import { KeyFilter } from './key-filter.ts'
import type { TableLayout } from './table-layout.ts'

const rowsPerPut = 50
const keptBytesMax = 1024

export interface BaseRow {
  readonly key: string
  readonly timestampMs: number
  readonly bytes: Buffer
}

/**
 * A store's rows on disk, ordered by key bytes. Keys are TEXT of latin1 strings: SQLite compares their UTF-8 form, which
 * orders code units up to 255 as the bytes order, and scans are five times cheaper than with BLOB keys (D11).
 *
 * A window store's rows are also grouped by segment, a slice of time, so that expired rows are deleted as one range.
 * Rows of stores that do not expire all have segment 0.
 *
 * A filter of the keys of each segment spares a new key its read; one of their groups, and the latest time of all rows, do the
 * same for the ranges that joins, sessions and sliding windows read for each record. For rows that were there at the opening
 * all of them say "maybe" until `learnKeys` has read them.
 */
export class BaseTable {
  readonly #layout: TableLayout
  readonly #get: Statement
  readonly #put: Statement
  readonly #putMany: Statement
  /** Of a row that is put: where all have segment 0 it is not among them, for binding parameters takes as long as putting the row. */
  readonly #columns: number
  /** Parameters of rows that wait to be put together: one statement for many costs less than one for each. */
  readonly #waiting: unknown[]
  #waitingRows = 0
  /** For values whose bytes do not last: one Buffer for each waiting row, used again where sizes repeat. */
  readonly #kept: Buffer[] = Array.from({ length: rowsPerPut }, () => Buffer.alloc(0))
  readonly #delete: Statement
  readonly #forward: Statement
  readonly #backward: Statement
  readonly #expire: Statement
  readonly #keys: Statement
  readonly #filters = new Map<number, KeyFilter>()
  /** The same of the groups of keys. */
  readonly #groups = new Map<number, KeyFilter>()
  /** Of the keys that were learnt. */
  #latestMs = -Infinity
  /** Segments that have rows, or had some. */
  readonly #segments = new Set<number>()
  #lastSegment = -1
  /** Reads of rows. */
  reads = 0
  /** Where `learnKeys` goes on; null: it knows all keys. */
  #unknownFrom: { readonly segment: number; readonly key: string } | null

  constructor(database: Database, tableName: string, layout: TableLayout) {
    const table = `"${tableName.replaceAll('"', '""')}"`
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (segment INTEGER NOT NULL, key TEXT NOT NULL, ts INTEGER NOT NULL,
       value BLOB NOT NULL, PRIMARY KEY (segment, key)) WITHOUT ROWID`,
    )
    this.#layout = layout
    this.#get = database.prepare(`SELECT ts, value FROM ${table} WHERE segment = ? AND key = ?`)
    const row = layout.segmentOf === null ? '(0,?,?,?)' : '(?,?,?,?)'
    this.#columns = layout.segmentOf === null ? 3 : 4
    this.#waiting = Array.from({ length: rowsPerPut * this.#columns }, () => null)
    this.#put = database.prepare(`REPLACE INTO ${table} VALUES ${row}`)
    const rows = Array.from({ length: rowsPerPut }, () => row).join(',')
    this.#putMany = database.prepare(`REPLACE INTO ${table} VALUES ${rows}`)
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE segment = ? AND key = ?`)
    this.#forward = database.prepare(pageQuery(table, 'ASC'))
    this.#backward = database.prepare(pageQuery(table, 'DESC'))
    this.#expire = database.prepare(`DELETE FROM ${table} WHERE segment < ?`)
    this.#keys = database.prepare(
      `SELECT segment, key FROM ${table} WHERE (segment, key) > (?, ?) ORDER BY segment, key LIMIT ?`,
    )
    const next = database.prepare(`SELECT min(segment) AS segment FROM ${table} WHERE segment > ?`)
    for (let segment = -1; ; this.#segments.add(segment)) {
      const found = next.get(segment) as { readonly segment: number | null }
      if (found.segment === null) break
      segment = found.segment
    }
    this.#unknownFrom = this.#segments.size > 0 ? { segment: -1, key: '' } : null
  }

  /** Reads up to `limit` keys of rows that were there at the opening; true when all are known. For the loop's idle time. */
  learnKeys(limit: number): boolean {
    const from = this.#unknownFrom
    if (from === null) return true
    const rows = this.#keys.all(from.segment, from.key, limit) as { segment: number; key: string }[]
    for (const { segment, key } of rows) this.#learn(segment, key)
    this.#unknownFrom = rows.length < limit ? null : rows[rows.length - 1]!
    return this.#unknownFrom === null
  }

  /** False only if the table certainly has no row of this key. */
  mayHave(key: string): boolean {
    return this.#unknownFrom !== null || this.#filters.get(this.#segment(key))?.mayHave(key) === true
  }

  get(key: string): Entry | undefined {
    this.reads++
    const row = this.#get.get(this.#segment(key), key) as { ts: number; value: Buffer } | undefined
    return row && bytesEntry(row.value, row.ts)
  }

  /** A key that is going to be in the table, or already answers reads for it: from now on it may be there. */
  learn(key: string): void {
    this.#learn(this.#segment(key), key)
  }

  #learn(segment: number, key: string): void {
    const { groupOf, timeOf } = this.#layout
    filterOf(this.#filters, segment).add(key)
    if (groupOf !== null) filterOf(this.#groups, segment).add(groupOf(key))
    if (timeOf !== null) this.#latestMs = Math.max(this.#latestMs, timeOf(key))
  }

  /** Inside a transaction of the database. A key that was learnt; bytes in passing are copied. */
  put(key: string, timestampMs: number, bytes: Buffer, isPassing: boolean): void {
    this.#wait(key, timestampMs, isPassing ? this.#keep(bytes, 0, bytes.length) : bytes)
  }

  /** The same of a part of some bytes, which stay as they are until `flushPuts`. */
  putPart(key: string, timestampMs: number, bytes: Buffer, start: number, end: number): void {
    // Small ones are copied: that costs less than a Buffer, which a large one is worth.
    const part = end - start > keptBytesMax ? bytes.subarray(start, end) : this.#keep(bytes, start, end)
    this.#wait(key, timestampMs, part)
  }

  #wait(key: string, timestampMs: number, bytes: Buffer): void {
    const waiting = this.#waiting
    let at = this.#waitingRows * this.#columns
    const segment = this.#segment(key)
    if (segment !== this.#lastSegment) this.#segments.add((this.#lastSegment = segment))
    if (this.#columns === 4) waiting[at++] = segment
    waiting[at] = key
    waiting[at + 1] = timestampMs
    waiting[at + 2] = bytes
    if (++this.#waitingRows < rowsPerPut) return
    this.#putMany.run(waiting)
    this.#waitingRows = 0
  }

  /** Inside a transaction of the database: puts what waits. Nothing that waits is read before. */
  flushPuts(): void {
    for (let row = 0; row < this.#waitingRows; row++) {
      this.#put.run(this.#waiting.slice(row * this.#columns, (row + 1) * this.#columns))
    }
    this.dropPuts()
  }

  /** The transaction was given up, and what waits with it. */
  dropPuts(): void {
    this.#waitingRows = 0
    this.#waiting.fill(null)
  }

  #keep(bytes: Buffer, start: number, end: number): Buffer {
    const length = end - start
    let kept = this.#kept[this.#waitingRows]!
    if (kept.length !== length) this.#kept[this.#waitingRows] = kept = Buffer.allocUnsafe(length)
    copyBytes(bytes, start, end, kept, 0)
    return kept
  }

  /** Inside a transaction of the database. Not of a key that waits to be put. */
  delete(key: string): void {
    this.#delete.run(this.#segment(key), key)
  }

  /** The segments of a range that may have such rows. */
  segmentsWith({ segments: { first, last }, group, earliestMs }: BaseRangeOptions): readonly number[] {
    const isKnown = this.#unknownFrom === null && group !== null
    if (isKnown && this.#layout.timeOf !== null && earliestMs > this.#latestMs) return noSegments
    const found: number[] = []
    for (const segment of this.#segments) {
      if (segment < first || segment > last) continue
      if (!isKnown || this.#layout.groupOf === null || this.#groups.get(segment)?.mayHave(group) === true) {
        found.push(segment)
      }
    }
    return found
  }

  /** Up to `limit` rows of a segment with `from ≤ key < to`, in order. The cursor is closed before this returns. */
  page(segment: number, from: string, to: string, limit: number, reverse: boolean): readonly BaseRow[] {
    const statement = reverse ? this.#backward : this.#forward
    return statement.all(segment, from, to, limit) as BaseRow[]
  }

  /** Inside a transaction of the database. */
  expire(firstLiveSegment: number): void {
    this.#expire.run(firstLiveSegment)
    for (const filters of [this.#filters, this.#groups]) {
      for (const segment of filters.keys()) if (segment < firstLiveSegment) filters.delete(segment)
    }
    for (const segment of this.#segments) if (segment < firstLiveSegment) this.#segments.delete(segment)
    this.#lastSegment = -1
  }

  #segment(key: string): number {
    const { segmentOf } = this.#layout
    return segmentOf === null ? 0 : segmentOf(key)
  }
}

const noSegments: readonly number[] = []

function filterOf(filters: Map<number, KeyFilter>, segment: number): KeyFilter {
  let filter = filters.get(segment)
  if (filter === undefined) filters.set(segment, (filter = new KeyFilter()))
  return filter
}

/** One segment at a time: over several of them SQLite has no order by key, and would sort all their rows for each page. */
export const pageQuery = (table: string, order: 'ASC' | 'DESC'): string =>
  `SELECT key, ts AS timestampMs, value AS bytes FROM ${table}
   WHERE segment = ? AND key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`

/** The slices of time that a range can lie in; both ends belong to it. */
export interface SegmentRange {
  readonly first: number
  readonly last: number
}

export const allSegments: SegmentRange = { first: 0, last: Number.MAX_SAFE_INTEGER }
