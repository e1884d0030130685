import type { BaseTable } from './base-table.ts'
import type { Entry } from './entry.ts'
import type { LayeredTable } from './layered-table.ts'
import type { OrderedLayer } from './ordered-layer.ts'
import type { RestoredRows } from './restored-rows.ts'
import { sortedPlaces, StringKeys } from './sorted-keys.ts'

/** Writes what one table has committed to its base in key order, a slice at a time, inside the caller's SQLite transaction. */
export interface PersistRun {
  readonly table: LayeredTable
  /** Writes up to `rows` rows; true when all are written. */
  write(rows: number): boolean
}

/** Of a frozen layer. */
export class LayerRun implements PersistRun {
  readonly table: LayeredTable
  readonly #base: BaseTable
  readonly #keys: readonly string[]
  readonly #entries: readonly Entry[]
  /** Places of the keys in their order. */
  readonly #places: Float64Array
  #next = 0

  constructor(table: LayeredTable, base: BaseTable, layer: OrderedLayer) {
    this.table = table
    this.#base = base
    this.#keys = Array.from(layer.entries.keys())
    this.#entries = Array.from(layer.entries.values())
    this.#places = sortedPlaces(new StringKeys(this.#keys))
  }

  write(rows: number): boolean {
    const end = Math.min(this.#next + rows, this.#entries.length)
    for (; this.#next < end; this.#next++) {
      const place = this.#places[this.#next]!
      const entry = this.#entries[place]!
      const bytes = this.table.passingBytesOf(entry)
      if (bytes === null) this.#base.delete(this.#keys[place]!)
      else this.#base.put(this.#keys[place]!, entry.timestampMs, bytes, bytes !== entry.bytes)
    }
    this.#base.flushPuts()
    return this.#next >= this.#entries.length
  }
}

/** Of rows that nobody has asked for since they were read from the changelog. */
export class RowsRun implements PersistRun {
  readonly table: LayeredTable
  readonly #base: BaseTable
  readonly #rows: RestoredRows
  readonly #places: Float64Array
  #next = 0
  /** Of the row that is next; null: not read yet. */
  #nextKey: string | null = null

  constructor(table: LayeredTable, base: BaseTable, rows: RestoredRows) {
    this.table = table
    this.#base = base
    this.#rows = rows
    this.#places = sortedPlaces(rows)
  }

  write(rows: number): boolean {
    const end = Math.min(this.#next + rows, this.#places.length)
    for (; this.#next < end; this.#next++) {
      const row = this.#places[this.#next]!
      const key = this.#nextKey ?? this.#rows.key(row)
      const isLast = this.#next + 1 === this.#places.length
      this.#nextKey = isLast ? null : this.#rows.key(this.#places[this.#next + 1]!)
      if (this.#nextKey === key) continue // it came again later
      if (!this.#rows.isDeletion(row)) {
        this.#base.learn(key)
        this.#rows.put(row, key, this.#base)
      } else if (this.#base.mayHave(key)) {
        this.#base.delete(key)
      }
    }
    this.#base.flushPuts()
    return this.#next >= this.#places.length
  }
}
