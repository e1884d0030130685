import type { Windowed } from '../common/windowed.ts'
import { type KeyValueStore, TimestampedKeyValueStore } from '../state/key-value-store.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { StoreCodec } from '../state/value-codec.ts'
import type { VersionedKeyValueStore } from '../state/versioned-store.ts'
import { TimestampedWindowStore, type WindowStore } from '../state/window-store.ts'
import { inTurn, type LocalStore, type LocalStores, merged } from './local-stores.ts'
import type {
  QueryKind,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyStores,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
} from './read-only-stores.ts'

/** What a kind of query gives, over stores that fit it. */
export function openReadOnly<K, V>(
  kind: QueryKind,
  spec: StoreSpec,
  stores: LocalStores,
): ReadOnlyStores<K, V>[QueryKind] {
  switch (kind) {
    case 'keyValue':
    case 'timestampedKeyValue':
      return new KeyValueQuery(spec, stores, kind === 'timestampedKeyValue') as ReadOnlyKeyValueStore<K, V>
    case 'window':
    case 'timestampedWindow':
      return new WindowQuery(stores, kind === 'timestampedWindow') as ReadOnlyWindowStore<K, V>
    case 'session':
      return new SessionQuery(stores)
    case 'versioned':
      return new VersionedQuery(stores)
  }
}

/** The kinds of queries that a store answers; none for stores that are no table of keys and values. */
export function queryKinds(spec: StoreSpec): readonly QueryKind[] {
  switch (spec.kind) {
    case 'keyValue':
      return spec.timestamped ? ['keyValue', 'timestampedKeyValue'] : ['keyValue']
    case 'window':
      return spec.timestamped ? ['window', 'timestampedWindow'] : ['window']
    case 'session':
      return ['session']
    case 'versioned':
      return ['versioned']
    default:
      return []
  }
}

/** The first that one of the stores has. */
function first<R>(locals: Iterable<LocalStore>, read: (store: StateStore) => R | null): R | null {
  for (const local of locals) {
    local.check()
    const found = read(local.store)
    if (found !== null) return found
  }
  return null
}

/** A value as it is asked for: with its time, or without. */
type Shown = (value: unknown) => unknown
const asIs: Shown = (value) => value
const valueOnly: Shown = (value) => (value === null ? null : (value as { readonly value: unknown }).value)

function* shownRows<K>(rows: Iterable<readonly [K, unknown]>, shown: Shown): Generator<[K, unknown]> {
  for (const [key, value] of rows) yield [key, shown(value)]
}

class KeyValueQuery<K> implements ReadOnlyKeyValueStore<K, unknown> {
  readonly #stores: LocalStores
  readonly #withTime: boolean
  readonly #codec: StoreCodec<K, unknown>

  constructor(spec: StoreSpec, stores: LocalStores, withTime: boolean) {
    this.#stores = stores
    this.#withTime = withTime
    this.#codec = new StoreCodec(spec)
  }

  get(key: K): unknown {
    return first(this.#stores.having(key), (store) => this.#shownOf(store)(table<K>(store).get(key)))
  }

  range(from: K | null, to: K | null, options: { readonly reverse?: boolean } = {}): Iterable<[K, unknown]> {
    return this.#rows((store) => table<K>(store).range(from, to, options), options)
  }

  all(options: { readonly reverse?: boolean } = {}): Iterable<[K, unknown]> {
    return this.range(null, null, options)
  }

  prefixScan(prefix: string | Uint8Array, options: { readonly reverse?: boolean } = {}): Iterable<[K, unknown]> {
    return this.#rows((store) => table<K>(store).prefixScan(prefix, options), options)
  }

  approximateNumEntries(): number {
    let count = 0
    for (const { store } of this.#stores.all()) count += table(store).approximateNumEntries()
    return count
  }

  #rows(read: (store: StateStore) => Iterable<[K, unknown]>, { reverse = false }: { readonly reverse?: boolean }) {
    const shown = (store: StateStore): Iterable<[K, unknown]> => shownRows(read(store), this.#shownOf(store))
    return merged(this.#stores.all(), shown, ([key]) => this.#codec.keyString(key), reverse)
  }

  #shownOf(store: StateStore): Shown {
    return store instanceof TimestampedKeyValueStore && !this.#withTime ? valueOnly : asIs
  }
}

class WindowQuery<K> implements ReadOnlyWindowStore<K, unknown> {
  readonly #stores: LocalStores
  readonly #withTime: boolean

  constructor(stores: LocalStores, withTime: boolean) {
    this.#stores = stores
    this.#withTime = withTime
  }

  fetch(key: K, startMs: number): unknown {
    return first(this.#stores.having(key), (store) => this.#shownOf(store)(windows<K>(store).fetch(key, startMs)))
  }

  fetchRange(key: K, fromMs: number, toMs: number, options: { readonly reverse?: boolean } = {}) {
    return this.#rows(this.#stores.having(key), (store) => windows<K>(store).fetchRange(key, fromMs, toMs, options))
  }

  fetchKeys(
    from: K | null,
    to: K | null,
    fromMs: number,
    toMs: number,
    options: { readonly reverse?: boolean } = {},
  ): Iterable<[Windowed<K>, unknown]> {
    return this.#rows(this.#stores.all(), (store) => windows<K>(store).fetchKeys(from, to, fromMs, toMs, options))
  }

  fetchAll(fromMs: number, toMs: number, options: { readonly reverse?: boolean } = {}) {
    return this.fetchKeys(null, null, fromMs, toMs, options)
  }

  all(options: { readonly reverse?: boolean } = {}): Iterable<[Windowed<K>, unknown]> {
    return this.fetchKeys(null, null, 0, Number.POSITIVE_INFINITY, options)
  }

  #rows<P>(locals: Iterable<LocalStore>, read: (store: StateStore) => Iterable<[P, unknown]>): Iterable<[P, unknown]> {
    return inTurn(locals, (store) => shownRows(read(store), this.#shownOf(store)))
  }

  #shownOf(store: StateStore): Shown {
    return store instanceof TimestampedWindowStore && !this.#withTime ? valueOnly : asIs
  }
}

class SessionQuery<K, V> implements ReadOnlySessionStore<K, V> {
  readonly #stores: LocalStores

  constructor(stores: LocalStores) {
    this.#stores = stores
  }

  fetchSession(key: K, startMs: number, endMs: number): V | null {
    return first(this.#stores.having(key), (store) => sessions<K, V>(store).fetchSession(key, startMs, endMs))
  }

  findSessions(key: K, earliestEndMs: number, latestStartMs: number, options: { readonly reverse?: boolean } = {}) {
    return inTurn(this.#stores.having(key), (store) =>
      sessions<K, V>(store).findSessions(key, earliestEndMs, latestStartMs, options),
    )
  }

  fetch(key: K, options: { readonly reverse?: boolean } = {}): Iterable<[Windowed<K>, V]> {
    return this.findSessions(key, 0, Number.POSITIVE_INFINITY, options)
  }

  fetchKeys(from: K | null, to: K | null, options: { readonly reverse?: boolean } = {}): Iterable<[Windowed<K>, V]> {
    return inTurn(this.#stores.all(), (store) => sessions<K, V>(store).fetchKeys(from, to, options))
  }

  all(options: { readonly reverse?: boolean } = {}): Iterable<[Windowed<K>, V]> {
    return this.fetchKeys(null, null, options)
  }
}

class VersionedQuery<K, V> implements ReadOnlyVersionedStore<K, V> {
  readonly #stores: LocalStores

  constructor(stores: LocalStores) {
    this.#stores = stores
  }

  get(key: K, asOfMs?: number) {
    return first(this.#stores.having(key), (store) => versions<K, V>(store).get(key, asOfMs))
  }

  history(key: K) {
    const found = first(this.#stores.having(key), (store) => {
      const history = versions<K, V>(store).history(key)
      return history.length === 0 ? null : history
    })
    return found ?? []
  }
}

type AnyTable<K> = Pick<KeyValueStore<K, unknown>, 'get' | 'range' | 'prefixScan' | 'approximateNumEntries'>
type AnyWindows<K> = Pick<WindowStore<K, unknown>, 'fetch' | 'fetchRange' | 'fetchKeys'>

const table = <K>(store: StateStore): AnyTable<K> => store as unknown as AnyTable<K>
const windows = <K>(store: StateStore): AnyWindows<K> => store as unknown as AnyWindows<K>
const sessions = <K, V>(store: StateStore): SessionStore<K, V> => store as unknown as SessionStore<K, V>
const versions = <K, V>(store: StateStore): VersionedKeyValueStore<K, V> =>
  store as unknown as VersionedKeyValueStore<K, V>
