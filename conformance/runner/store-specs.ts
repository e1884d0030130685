import { stores } from 'stream-core'
import { javaRules } from '../../packages/stream-core/src/common/java-rules.ts'
import { JavaError } from './error-classes.ts'
import { checkFields, flag, FormatError, given, objects, type Raw, required, text, whole } from './format.ts'
import { limit } from './long-limits.ts'
import { serdeOf } from './serdes.ts'

const common = ['type', 'name', 'keySerde', 'valueSerde', 'persistent', 'caching', 'logging']

/** Fields of each type of store besides those that all have. */
const ownFields: { readonly [type: string]: readonly string[] } = {
  keyValue: [],
  timestampedKeyValue: [],
  lru: ['maxEntries'],
  window: ['retentionMs', 'windowSizeMs', 'retainDuplicates'],
  timestampedWindow: ['retentionMs', 'windowSizeMs', 'retainDuplicates'],
  session: ['retentionMs'],
  versioned: ['historyRetentionMs', 'segmentIntervalMs'],
}

export type StoreSpec = ReturnType<typeof storeSpec>

/** A store of the Processor API (format §6). */
export const storeSpec = (raw: Raw) => ({ ...plainSpec(raw), [javaRules]: true as const })

/** Java's builders neither cache nor keep in memory unless told to. */
function plainSpec(raw: Raw) {
  const type = required(text, raw, 'type')
  const fields = Object.hasOwn(ownFields, type) ? ownFields[type] : undefined
  if (fields === undefined) throw new FormatError(`unknown store type "${type}"`)
  checkFields(raw, `a store of type ${type}`, [...common, ...fields])
  const shared = {
    name: required(text, raw, 'name'),
    key: serdeOf(raw['keySerde'] ?? null),
    value: serdeOf(raw['valueSerde'] ?? null),
    ...given({ logging: flag(raw, 'logging') === false ? (false as const) : undefined }),
  }
  const caching = flag(raw, 'caching') === true
  const kept = flag(raw, 'persistent') === false ? ('in-memory' as const) : ('persistent' as const)
  switch (type) {
    case 'keyValue':
    case 'timestampedKeyValue':
      return stores.keyValue({ ...shared, caching, type: kept, timestamped: type === 'timestampedKeyValue' })
    case 'lru':
      return lru({ ...shared, caching, type: 'in-memory' }, required(whole, raw, 'maxEntries'))
    case 'window':
    case 'timestampedWindow':
      return stores.window({
        ...shared,
        caching,
        retentionMs: required(limit, raw, 'retentionMs'),
        windowSizeMs: required(limit, raw, 'windowSizeMs'),
        retainDuplicates: flag(raw, 'retainDuplicates') === true,
        timestamped: type === 'timestampedWindow',
      })
    case 'session':
      return stores.session({ ...shared, caching, retentionMs: required(limit, raw, 'retentionMs') })
    default:
      return stores.versioned({
        ...shared,
        historyRetentionMs: required(limit, raw, 'historyRetentionMs'),
        ...given({ segmentIntervalMs: limit(raw, 'segmentIntervalMs') }),
      })
  }
}

/** The stores that a supplier adds itself. */
export const ownStores = (step: Raw): readonly StoreSpec[] => (objects(step, 'ownStores') ?? []).map(storeSpec)

/** Java counts in 32 bits, and makes a store that keeps nothing, which the library refuses to. */
function lru(options: Parameters<typeof stores.keyValue>[0], given: number): ReturnType<typeof stores.keyValue> {
  const maxEntries = given === Infinity ? -1 : Number(BigInt.asIntN(32, BigInt(given)))
  if (maxEntries < 0) throw new JavaError('IllegalArgumentException', 'maxCacheSize cannot be negative')
  return { ...stores.keyValue({ ...options, maxEntries: Math.max(1, maxEntries) }), maxEntries }
}
