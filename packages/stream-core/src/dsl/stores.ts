import { oneOf } from '../common/choice.ts'
import { ArgumentError } from '../common/errors.ts'
import { bytes, type Serde } from '../common/serde.ts'
import type { CustomRows } from '../state/custom-store.ts'
import type {
  CustomStoreSpec,
  KeyValueStoreSpec,
  SessionStoreSpec,
  StoreSpec,
  VersionedStoreSpec,
  WindowStoreSpec,
} from '../state/store-spec.ts'
import {
  wholeNumber,
  changelog,
  defaultVersionedSegmentMs,
  expiringChangelog,
  versionedChangelog,
} from './store-specs.ts'

interface StoreSettings<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Hold updates back until the commit. Default false. */
  readonly caching?: boolean
  /** false: no changelog. An object: settings of the changelog topic. Default true. */
  readonly logging?: boolean | { readonly [config: string]: string }
  /** In memory: restored from the changelog at every start. Default `persistent`. */
  readonly type?: 'persistent' | 'in-memory'
}

export interface KeyValueStoreSettings<K, V> extends StoreSettings<K, V> {
  /** Keeps the event time of each value, as the stores of the DSL do. Default false. */
  readonly timestamped?: boolean
  /** Keeps this many keys, the ones used last, in memory. */
  readonly maxEntries?: number
}

export interface WindowStoreSettings<K, V> extends StoreSettings<K, V> {
  /** How far behind the newest window others are kept. */
  readonly retentionMs: number
  readonly windowSizeMs: number
  /** Keeps every value put under one key and start, instead of the last. Default false. */
  readonly retainDuplicates?: boolean
  /** Keeps the event time of each value. Default false. */
  readonly timestamped?: boolean
}

export interface SessionStoreSettings<K, V> extends StoreSettings<K, V> {
  /** How far behind the newest end of a session others are kept. */
  readonly retentionMs: number
}

export interface VersionedStoreSettings<K, V> extends Omit<StoreSettings<K, V>, 'caching'> {
  /** How far back the store answers. */
  readonly historyRetentionMs: number
  /** Width of the slices in which it forgets. Default: chosen by the retention, as Kafka Streams does. */
  readonly segmentIntervalMs?: number
}

export interface CustomStoreSettings extends Pick<StoreSettings<never, never>, 'name' | 'logging' | 'type'> {
  /** Makes the face that processors get. */
  readonly open: (rows: CustomRows) => unknown
}

function common<K, V>({ name, key, value, caching = false, type = 'persistent' }: StoreSettings<K, V>) {
  if (typeof name !== 'string') throw new ArgumentError('name', `a store needs a name, got ${String(name)}`)
  oneOf('type', type, ['persistent', 'in-memory'])
  return {
    name,
    key: key as Serde<never> as Serde<unknown>,
    value: value as Serde<never> as Serde<unknown>,
    caching,
    inMemory: type === 'in-memory',
  }
}

/**
 * Stores for processors (Kafka Streams' `Stores`): what `addStateStore`, or `stores` of a processor's supplier, takes. Each
 * is data; a task opens it.
 */
export const stores = {
  /** Values by key, in the order of the keys' bytes. */
  keyValue<K, V>(settings: KeyValueStoreSettings<K, V>): KeyValueStoreSpec {
    const { maxEntries, timestamped = false, logging, name } = settings
    return {
      ...common(settings),
      kind: 'keyValue',
      timestamped,
      maxEntries: maxEntries === undefined ? null : wholeNumber('maxEntries', name, maxEntries, 1),
      ...(maxEntries === undefined ? {} : { inMemory: true }),
      logging: changelog(logging, { 'cleanup.policy': 'compact' }),
    }
  },

  /** Values by key and start of a window. */
  window<K, V>(settings: WindowStoreSettings<K, V>): WindowStoreSpec {
    const { name, windowSizeMs, retainDuplicates = false, timestamped = false, logging, caching = false } = settings
    const retentionMs = wholeNumber('retentionMs', name, settings.retentionMs, 0)
    if (windowSizeMs > retentionMs) {
      throw new ArgumentError(
        'retentionMs',
        `the retention of the store "${name}" (${retentionMs} ms) must not be below its window size (${windowSizeMs} ms)`,
      )
    }
    return {
      ...common(settings),
      kind: 'window',
      timestamped,
      windowSizeMs: wholeNumber('windowSizeMs', name, windowSizeMs, 0),
      retentionMs,
      retainDuplicates,
      // A cache keeps the last value of each key; a store that keeps duplicates has none.
      caching: caching && !retainDuplicates,
      logsHeaders: false,
      emitFinal: false,
      logging: changelog(logging, expiringChangelog(retentionMs, retainDuplicates ? 'delete' : 'compact,delete')),
    }
  },

  /** Values by key and session. */
  session<K, V>(settings: SessionStoreSettings<K, V>): SessionStoreSpec {
    const retentionMs = wholeNumber('retentionMs', settings.name, settings.retentionMs, 0)
    return {
      ...common(settings),
      kind: 'session',
      retentionMs,
      emitFinal: false,
      logging: changelog(settings.logging, expiringChangelog(retentionMs, 'compact,delete')),
    }
  },

  /** Values by key and the time from which they hold (KIP-889). */
  versioned<K, V>(settings: VersionedStoreSettings<K, V>): VersionedStoreSpec {
    const { name, segmentIntervalMs, logging } = settings
    const historyRetentionMs = wholeNumber('historyRetentionMs', name, settings.historyRetentionMs, 0)
    return {
      ...common(settings),
      kind: 'versioned',
      caching: false,
      historyRetentionMs,
      segmentIntervalMs: wholeNumber(
        'segmentIntervalMs',
        name,
        segmentIntervalMs ?? defaultVersionedSegmentMs(historyRetentionMs),
        1,
      ),
      logging: changelog(logging, versionedChangelog(historyRetentionMs)),
    }
  },

  /**
   * A store of the user's own making: `open` makes its face on rows of bytes, and processors get that face. The rows are
   * committed, rolled back, logged, kept on disk and restored like those of every other store. What the face remembers
   * beside them must follow from them: after a roll-back or a restore it is made anew.
   */
  custom(settings: CustomStoreSettings): CustomStoreSpec {
    const { name, open, logging, type = 'persistent' } = settings
    return {
      kind: 'custom',
      name,
      key: bytes(),
      value: bytes(),
      caching: false,
      inMemory: type === 'in-memory',
      open,
      logging: changelog(logging, { 'cleanup.policy': 'compact' }),
    }
  },
} satisfies { readonly [kind: string]: (settings: never) => StoreSpec }
