import type { BaseRow, BaseTable, SegmentRange } from './base-table.ts'
import { bytesEntry, type Entry } from './entry.ts'

const pageRows = 256

export interface BaseRangeOptions {
  readonly from: string
  readonly to: string
  readonly reverse: boolean
  readonly segments: SegmentRange
  /** See `TableRange`. */
  readonly group: string | null
  readonly earliestMs: number
}

/** The rows on disk with `from ≤ key < to`, in order of their keys, whatever segment they lie in. */
export class BaseCursor {
  readonly #reverse: boolean
  readonly #segments: readonly SegmentCursor[]
  key: string | undefined
  /** Of the row that is next. */
  #next: SegmentCursor | null = null

  /** null: the table is known to have no such row. */
  static open(base: BaseTable, range: BaseRangeOptions): BaseCursor | null {
    const segments = base.segmentsWith(range)
    return segments.length === 0 ? null : new BaseCursor(base, segments, range)
  }

  private constructor(base: BaseTable, segments: readonly number[], range: BaseRangeOptions) {
    this.#reverse = range.reverse
    this.#segments = segments.map((segment) => new SegmentCursor(base, segment, range))
    this.#choose()
  }

  get entry(): Entry | undefined {
    const row = this.#next?.row
    return row && bytesEntry(row.bytes, row.timestampMs)
  }

  advance(): void {
    this.#next?.advance()
    this.#choose()
  }

  #choose(): void {
    let next: SegmentCursor | null = null
    for (const cursor of this.#segments) {
      const { row } = cursor
      if (row === undefined) continue
      const before = next?.row
      if (before === undefined || (this.#reverse ? row.key > before.key : row.key < before.key)) next = cursor
    }
    this.#next = next
    this.key = next?.row?.key
  }
}

/** Reads keyset pages of one segment, so that no SQLite cursor is open while user code runs. */
class SegmentCursor {
  readonly #base: BaseTable
  readonly #segment: number
  readonly #reverse: boolean
  #from: string
  #to: string
  #page: readonly BaseRow[] = []
  #at = 0
  #isLastPage = false
  row: BaseRow | undefined

  constructor(base: BaseTable, segment: number, { from, to, reverse }: BaseRangeOptions) {
    this.#base = base
    this.#segment = segment
    this.#reverse = reverse
    this.#from = from
    this.#to = to
    this.advance()
  }

  advance(): void {
    if (this.#at >= this.#page.length && !this.#isLastPage) {
      this.#page = this.#base.page(this.#segment, this.#from, this.#to, pageRows, this.#reverse)
      this.#at = 0
      this.#isLastPage = this.#page.length < pageRows
      const last = this.#page[this.#page.length - 1]
      if (last !== undefined) {
        if (this.#reverse) this.#to = last.key
        else this.#from = `${last.key}\0`
      }
    }
    this.row = this.#page[this.#at++]
  }
}
