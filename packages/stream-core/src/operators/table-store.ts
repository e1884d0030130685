import { TopologyError } from '../common/errors.ts'
import type { Headers } from '../common/record.ts'
import type { Change } from '../processor/processor.ts'
import type { EngineContext, ProcessingContext } from '../processor/processor-context.ts'
import { TimestampedKeyValueStore, type ValueAndTimestamp } from '../state/key-value-store.ts'
import { VersionedKeyValueStore } from '../state/versioned-store.ts'

/** What a put into a table's store did: `dropped` is not forwarded. */
export type TablePut = 'latest' | 'older' | 'dropped'

/** The store behind a table, of either kind (KeyValueStoreWrapper). */
export interface TableStore<K, V> {
  readonly isVersioned: boolean
  get(key: K): ValueAndTimestamp<V> | null
  getAsOf(key: K, timestampMs: number): ValueAndTimestamp<V> | null
  put(key: K, value: V | null, timestampMs: number): TablePut
  /** A value that nobody else holds, to be sent downstream while the caller goes on with its own. */
  copyOf(key: K, value: V | null): V | null
  /** The plain store, which may have a record cache; null for a versioned one. */
  readonly plain: TimestampedKeyValueStore<K, V> | null
}

export function openTableStore<K, V>(context: ProcessingContext, name: string): TableStore<K, V> {
  const store = context.getStateStore(name)
  if (store instanceof VersionedKeyValueStore) return versioned<K, V>(store)
  if (!(store instanceof TimestampedKeyValueStore)) {
    throw new TopologyError(`"${name}" is no store of a table: it keeps windows`, [], 'INCOMPATIBLE_STORE')
  }
  return plain(store as TimestampedKeyValueStore<K, V>)
}

const plain = <K, V>(store: TimestampedKeyValueStore<K, V>): TableStore<K, V> => ({
  isVersioned: false,
  plain: store,
  get: (key) => store.get(key),
  getAsOf: (key) => store.get(key),
  put(key, value, timestampMs) {
    store.put(key, value, timestampMs)
    return 'latest'
  },
  copyOf: (key, value) => (store.sharesValues || value === null ? value : (store.get(key)?.value ?? null)),
})

const versioned = <K, V>(store: VersionedKeyValueStore<K, V>): TableStore<K, V> => ({
  isVersioned: true,
  plain: null,
  get: (key) => store.get(key),
  getAsOf: (key, timestampMs) => store.get(key, timestampMs),
  put(key, value, timestampMs) {
    const { kind } = store.put(key, value, timestampMs)
    return kind === 'latest' ? 'latest' : kind === 'until' ? 'older' : 'dropped'
  },
  copyOf: (key, value) => (value === null ? null : (store.get(key)?.value ?? null)),
})

/** Forwards a table's changes, unless a record cache does so when it is flushed (TimestampedTupleForwarder). */
export type ForwardChange<K, V> = (
  key: K,
  newValue: V | null,
  oldValue: V | null,
  isLatest: boolean,
  timestampMs: number,
  headers: Headers,
) => void

export function changeForwarder<K, V>(
  context: EngineContext<K, Change<V>>,
  store: TimestampedKeyValueStore<K, V> | null,
  sendsOldValues: boolean,
): ForwardChange<K, V> {
  const isCached =
    store?.onChange((key, newValue, oldValue, { timestampMs, headers }) => {
      const value = { newValue: newValue?.value ?? null, oldValue: oldValue?.value ?? null, isLatest: true }
      context.forward({ key, value, timestampMs: newValue?.timestampMs ?? timestampMs, headers })
    }, sendsOldValues) ?? false
  if (isCached) return () => undefined
  return (key, newValue, oldValue, isLatest, timestampMs, headers) => {
    const value = { newValue, oldValue: sendsOldValues ? oldValue : null, isLatest }
    context.forward({ key, value, timestampMs, headers })
  }
}
