import type { Entry } from './entry.ts'
import type { LayeredTable } from './layered-table.ts'
import type { StoreSpec } from './store-spec.ts'

/** What a task knows of each of its stores, whatever its kind. */
export interface StateStore {
  readonly spec: StoreSpec
  readonly table: LayeredTable
  /** Takes one changelog record while restoring. `key` is the stored key, `bytes` null for a deletion. */
  restore(key: string, bytes: Buffer | null, timestampMs: number): void
  /** Drops what is older than the store keeps. Called between transactions. */
  expire(): void
  /** Slice of time below which the base may delete; −1 for stores that keep everything. */
  firstLiveSegment(): number
}

/** Serialised writes: what the record cache and user code hand over. */
export const entryOf = (bytes: Buffer | null, decoded: unknown, timestampMs: number): Entry => ({
  bytes,
  decoded,
  timestampMs,
})
