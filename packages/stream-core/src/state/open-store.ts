import type { BaseTable } from './base-table.ts'
import { noRecordContext } from '../common/record.ts'
import { CustomStore } from './custom-store.ts'
import { GraceBuffer } from './grace-buffer.ts'
import { KeyValueStore, TimestampedKeyValueStore } from './key-value-store.ts'
import type { Isolation } from './layered-table.ts'
import { OuterJoinStore } from './outer-join-store.ts'
import type { StoreView } from './store-base.ts'
import { SessionStore, sessionLayout } from './session-store.ts'
import type { StateStore } from './state-store.ts'
import type { StoreHost } from './store-host.ts'
import type { StoreSpec } from './store-spec.ts'
import { SubscriptionStore } from './subscription-store.ts'
import { SuppressBuffer } from './suppress-buffer.ts'
import { plainLayout, type TableLayout } from './table-layout.ts'
import { VersionedKeyValueStore, versionedLayout } from './versioned-store.ts'
import { TimestampedWindowStore, windowLayout, WindowStore } from './window-store.ts'

/** The store that a spec describes. */
export function openStore(spec: StoreSpec, base: BaseTable | null, host: StoreHost, view?: StoreView): StateStore {
  const parts = view === undefined ? { base, host } : { base, host, view }
  switch (spec.kind) {
    case 'keyValue':
      return spec.timestamped ? new TimestampedKeyValueStore(spec, parts) : new KeyValueStore(spec, parts)
    case 'window':
      return spec.timestamped ? new TimestampedWindowStore(spec, parts) : new WindowStore(spec, parts)
    case 'session':
      return new SessionStore(spec, parts)
    case 'versioned':
      return new VersionedKeyValueStore(spec, parts)
    case 'suppressBuffer':
      return new SuppressBuffer(spec, parts)
    case 'graceBuffer':
      return new GraceBuffer(spec, parts)
    case 'outerJoin':
      return new OuterJoinStore(spec, parts)
    case 'subscription':
      return new SubscriptionStore(spec, parts)
    case 'custom':
      return new CustomStore(spec, parts)
  }
}

/**
 * A store as queries see it: as far as it is committed, or with what is being written. It follows the store until that is
 * closed; nothing can be put into it, and reading it changes nothing, not even what the record cache evicts next.
 */
export function viewOf(store: StateStore, isolation: Isolation): StateStore {
  const { spec } = store
  // Only the last keys used are kept, and a query is no use.
  const viewed = spec.kind === 'keyValue' ? { ...spec, maxEntries: null } : spec
  return openStore(viewed, null, viewHost, { of: store, isolation })
}

const viewHost: StoreHost = {
  recordContext: noRecordContext,
  cache: null,
  hasExactCacheSizes: false,
  isGlobal: true,
  isReadOnly: true,
  drop: () => undefined,
}

/** What processors and readers get of a store: of one of the user's own making, its face. */
export const faceOf = (store: StateStore): unknown => (store instanceof CustomStore ? store.face : store)

/** How its keys are made, for the rows on disk. */
export function layoutOf(spec: StoreSpec): TableLayout {
  switch (spec.kind) {
    case 'window':
      return windowLayout(spec.retentionMs)
    case 'session':
      return sessionLayout(spec.retentionMs)
    case 'versioned':
      return versionedLayout
    default:
      return plainLayout
  }
}
