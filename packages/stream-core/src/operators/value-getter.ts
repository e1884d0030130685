import type { ProcessingContext } from '../processor/processor-context.ts'
import type { ValueAndTimestamp } from '../state/key-value-store.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { SuppressBuffer } from '../state/suppress-buffer.ts'
import type { TimestampedWindowStore } from '../state/window-store.ts'
import type { Windowed } from '../common/windowed.ts'
import { openTableStore } from './table-store.ts'

/** Reads a table's present value for a key: from its store, or computed from its parents where it has none. */
export interface ValueGetter<K, V> {
  readonly isVersioned: boolean
  get(key: K): ValueAndTimestamp<V> | null
  /** The value as of a time; only of a versioned table. */
  getAsOf(key: K, timestampMs: number): ValueAndTimestamp<V> | null
}

/** How to open a getter, and which stores its node has to be connected to. */
export interface ValueGetterSupplier<K, V> {
  readonly storeNames: readonly string[]
  open(context: ProcessingContext): ValueGetter<K, V>
}

const unversioned = <K, V>(get: (key: K) => ValueAndTimestamp<V> | null): ValueGetter<K, V> => ({
  isVersioned: false,
  get,
  getAsOf: get,
})

export const storeGetter = <K, V>(storeName: string): ValueGetterSupplier<K, V> => ({
  storeNames: [storeName],
  open(context) {
    const store = openTableStore<K, V>(context, storeName)
    return {
      isVersioned: store.isVersioned,
      get: (key) => store.get(key),
      getAsOf: (key, timestampMs) => store.getAsOf(key, timestampMs),
    }
  },
})

export const windowStoreGetter = <K, V>(storeName: string): ValueGetterSupplier<Windowed<K>, V> => ({
  storeNames: [storeName],
  open(context) {
    const store = context.getStateStore<TimestampedWindowStore<K, V>>(storeName)
    return unversioned(({ key, window }) => store.fetch(key, window.start))
  },
})

export const sessionStoreGetter = <K, V>(storeName: string): ValueGetterSupplier<Windowed<K>, V> => ({
  storeNames: [storeName],
  open(context) {
    const store = context.getStateStore<SessionStore<K, V>>(storeName)
    return unversioned(({ key, window }) => {
      const value = store.fetchSession(key, window.start, window.end)
      return value === null ? null : { value, timestampMs: window.end }
    })
  },
})

/** Computes each value from the parent's. `map` that returns null says: no value. */
export const mappedGetter = <K, V, R>(
  parent: ValueGetterSupplier<K, V>,
  open: (context: ProcessingContext) => (key: K, value: ValueAndTimestamp<V> | null) => ValueAndTimestamp<R> | null,
): ValueGetterSupplier<K, R> => ({
  storeNames: parent.storeNames,
  open(context) {
    const getter = parent.open(context)
    const map = open(context)
    return {
      isVersioned: getter.isVersioned,
      get: (key) => map(key, getter.get(key)),
      getAsOf: (key, timestampMs) => map(key, getter.getAsOf(key, timestampMs)),
    }
  },
})

/** What suppress has last emitted, while a key is buffered; else the parent's value. */
export const suppressedGetter = <K, V>(
  parent: ValueGetterSupplier<K, V>,
  bufferName: string,
): ValueGetterSupplier<K, V> => ({
  storeNames: [bufferName, ...parent.storeNames],
  open(context) {
    const getter = parent.open(context)
    const buffer = context.getStateStore<SuppressBuffer<K, V>>(bufferName)
    return unversioned((key) => {
      const prior = buffer.priorValue(key)
      if (prior === undefined) return getter.get(key)
      return prior === null ? null : { value: prior, timestampMs: -1 }
    })
  },
})

export type TableJoinKind = 'inner' | 'left' | 'right' | 'outer'

/** The joined value of two tables, computed when it is asked for. */
export const joinedGetter = <K, V1, V2, R>(
  kind: TableJoinKind,
  first: ValueGetterSupplier<K, V1>,
  second: ValueGetterSupplier<K, V2>,
  storeNames: readonly string[],
  joiner: (left: V1 | null, right: V2 | null, key: K) => R,
): ValueGetterSupplier<K, R> => ({
  storeNames,
  open(context) {
    const [one, two] = [first.open(context), second.open(context)]
    return unversioned((key) => {
      const a = one.get(key)
      if (a === null && (kind === 'inner' || kind === 'left')) return null
      const b = two.get(key)
      if (b === null && (kind === 'inner' || kind === 'right')) return null
      if (a === null && b === null) return null
      const value = joiner(a?.value ?? null, b?.value ?? null, key)
      if (value === null || value === undefined) return null
      return { value, timestampMs: Math.max(a?.timestampMs ?? -1, b?.timestampMs ?? -1) }
    })
  },
})
