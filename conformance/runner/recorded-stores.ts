import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
  WindowStore,
} from 'stream-core'
import type { TopologyTestDriver } from 'stream-core/testing'
import type { Json, Raw, RecordedStore } from './format.ts'
import { isTimestamped } from './store-actions.ts'
import { isDouble, isInteger, type Value, type WindowedKey } from './values.ts'
import { encode, toJson } from './wire.ts'

/** The contents of all stores that the format lists (§8), by name. */
export function recordedStores(
  driver: TopologyTestDriver,
  input: readonly Raw[],
): { readonly [name: string]: RecordedStore } {
  const recorded: { [name: string]: RecordedStore } = {}
  for (const [name, store] of [...driver.stores].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entries = recordedStore(store, driver, input)
    if (entries !== null) recorded[name] = entries
  }
  return recorded
}

function recordedStore(store: StateStore, driver: TopologyTestDriver, input: readonly Raw[]): RecordedStore | null {
  const { spec } = store
  switch (spec.kind) {
    case 'keyValue': {
      const entries = [...(store as KeyValueStore<Value, Value>).all()]
      return spec.timestamped
        ? { type: 'timestampedKeyValue', entries: entries.map(timed) }
        : { type: 'keyValue', entries: entries.map(plain) }
    }
    case 'window': {
      const entries = windowsOf(store as WindowStore<Value, Value>)
      if (entries === null) return null
      return isTimestamped(store)
        ? { type: 'timestampedWindow', entries: entries.map(timed) }
        : { type: 'window', entries: entries.map(plain) }
    }
    case 'session':
      return {
        type: 'session',
        entries: byKeyAndWindow([...(store as SessionStore<Value, Value>).all()]).map(plain),
      }
    case 'versioned':
      return {
        type: 'versioned',
        entries: versions(store as VersionedKeyValueStore<Value, Value>, driver, input),
      }
    default:
      return null
  }
}

const plain = ([key, value]: readonly [Value, Value]): Json => [toJson(key), toJson(value)]

/** The typed view of a timestamped store gives pairs of value and time. */
function timed([key, stored]: readonly [Value, Value]): Json {
  const { value, timestampMs } = stored as unknown as ValueAndTimestamp<Value>
  return [toJson(key), toJson(value), timestampMs]
}

/** null: Java cannot iterate windows of size 0, as long as there are any. */
function windowsOf(store: WindowStore<Value, Value>): (readonly [WindowedKey, Value])[] | null {
  try {
    const entries = byKeyAndWindow([...store.all()])
    return store.spec.windowSizeMs === 0 && entries.length > 0 ? null : entries
  } catch (error) {
    if (store.spec.windowSizeMs === 0) return null
    throw error
  }
}

/** By key bytes, start and end; what was put first under one window stays first. */
function byKeyAndWindow(entries: readonly (readonly [unknown, Value])[]): (readonly [WindowedKey, Value])[] {
  const rows = (entries as readonly (readonly [WindowedKey, Value])[]).map(
    (entry) => [keyBytes(entry[0].key), entry] as const,
  )
  rows.sort(([aBytes, [a]], [bBytes, [b]]) => {
    return Buffer.compare(aBytes, bBytes) || a.window.start - b.window.start || ends(a) - ends(b)
  })
  return rows.map(([, entry]) => entry)
}

/** Infinity less Infinity would be no order. */
const ends = ({ window }: WindowedKey): number => Math.min(window.end, Number.MAX_VALUE)

function keyBytes(key: Value): Buffer {
  if (typeof key === 'string') return Buffer.from(key, 'utf8')
  const serde = Buffer.isBuffer(key) ? 'bytes' : isInteger(key) ? 'integer' : isDouble(key) ? 'double' : 'long'
  return encode(key, serde) ?? Buffer.alloc(0)
}

/** Nothing lists the keys of a versioned store: they are those of its changelog and of the input, as in the recorder. */
function versions(
  store: VersionedKeyValueStore<Value, Value>,
  driver: TopologyTestDriver,
  input: readonly Raw[],
): Json[] {
  const keys = new Set<string>()
  for (const { key } of driver.producedRecords(`app-${store.spec.name}-changelog`)) {
    if (key !== null) keys.add(key.toString('utf8'))
  }
  for (const { key } of input) if (typeof key === 'string') keys.add(key)
  return [...keys]
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap((key) =>
      store.history(key).map(({ value, timestampMs, validToMs }) => [key, toJson(value), timestampMs, validToMs]),
    )
}
