import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { Headers } from '../common/record.ts'
import type { LayeredTable } from './layered-table.ts'
import type { StoreMeta } from './store-meta.ts'
import type { StoreSpec } from './store-spec.ts'

/** Takes a store's changelog records; the value's bytes are good until it returns. `timestampMs` null: the log's own time. */
export type AppendChange = (key: string, value: Buffer | null, timestampMs: number | null, headers: Headers) => void

/** What a task knows of each of its stores, whatever its kind. */
export interface StateStore {
  readonly spec: StoreSpec
  /** @internal */
  readonly table: LayeredTable
  /** @internal */
  readonly meta: StoreMeta
  /** @internal Hands on what the record cache holds back. */
  flushCache(): void
  /** @internal This transaction has changelog records. */
  readonly hasChanges: boolean
  /** @internal Hands over the changelog records of this transaction. */
  changes(append: AppendChange): void
  /** @internal The transaction is committed in the log. */
  freeze(): void
  /** @internal The transaction is aborted. */
  rollBack(): void
  /** @internal Takes one changelog record while restoring. `key` is the stored key, `bytes` null for a deletion. */
  restore(key: string, bytes: Buffer | null, timestampMs: number, headers: Headers): void
  /** @internal The same of the record that was just read, where nothing of it is looked at: false if something is. */
  restoreRow(record: RecordBatchReader): boolean
  /** @internal Slice of time below which the base may delete; −1 for stores that keep everything. */
  firstLiveSegment(): number
}
