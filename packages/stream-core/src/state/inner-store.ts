import type { CacheScan } from './cache-walk.ts'
import type { Entry } from './entry.ts'
import type { LayeredTable, TableRange } from './layered-table.ts'

export interface RowRange extends TableRange {
  /** Of windows and sessions: what is asked for. Rows beside it may be shown as well; the record cache wants to know. */
  readonly scan?: CacheScan
}

/** A store's rows under its typed face, below the record cache: keys are strings of bytes, values are entries. */
export interface InnerStore {
  find(key: string): Entry | undefined
  put(key: string, entry: Entry): void
  /** Live entries with `from ≤ key < to`, in the store's order. */
  range(from: string, to: string, options?: RowRange): Iterable<[string, Entry]>
}

/** The rows of a store that keeps everything: the table itself. */
export const plainInner = (table: LayeredTable): InnerStore => ({
  find: (key) => table.find(key),
  put: (key, entry) => table.set(key, entry),
  range: (from, to, options) => table.range(from, to, options),
})
