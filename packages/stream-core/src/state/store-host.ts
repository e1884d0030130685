import type { RecordContext } from '../common/record.ts'
import type { RecordCache } from './record-cache.ts'

/** What stores use of the task that runs them. */
export interface StoreHost {
  /** Context of the record that is being processed; stores change it while a flush forwards older records. */
  recordContext: RecordContext
  /** null: no record cache (its size is 0), so that every update is forwarded at once. */
  readonly cache: RecordCache | null
  /** Byte sizes in the cache are exact, at the price of serialising every value: the test driver wants Java's evictions. */
  readonly hasExactCacheSizes: boolean
  readonly isGlobal: boolean
  /** Of global stores, while others than their own processor run. */
  isReadOnly: boolean
  /** Counts a put that a store refused because its window has expired. */
  drop(storeName: string, reason: string): void
}
