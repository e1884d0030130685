import type { Entry } from './entry.ts'
import { type Isolation, LayeredTable, type TableRange } from './layered-table.ts'

/** A store's table as queries see it: nothing is written through it, and reading leaves no trace. */
export class TableView extends LayeredTable {
  readonly #table: LayeredTable
  readonly #isolation: Isolation

  constructor(table: LayeredTable, isolation: Isolation, encode: (value: unknown) => Buffer) {
    super(table.name, null, encode)
    this.#table = table
    this.#isolation = isolation
  }

  override find(key: string): Entry | undefined {
    return this.#table.peek(key, this.#isolation)
  }

  override range(from: string, to: string, options: TableRange = {}): Generator<[string, Entry]> {
    return this.#table.range(from, to, { ...options, isolation: this.#isolation })
  }
}
