import type { Entry } from './entry.ts'
import type { LayeredTable, TableRange } from './layered-table.ts'

/** A store's rows under its typed face, below the record cache: keys are strings of bytes, values are entries. */
export interface InnerStore {
  find(key: string): Entry | undefined
  put(key: string, entry: Entry): void
  /** Live entries with `from ≤ key < to`, in the store's order. */
  range(from: string, to: string, options?: TableRange): Iterable<[string, Entry]>
}

/** The rows of a store that keeps everything: the table itself. */
export const plainInner = (table: LayeredTable): InnerStore => ({
  find: (key) => table.find(key),
  put: (key, entry) => table.set(key, entry),
  range: (from, to, options) => table.range(from, to, options),
})
