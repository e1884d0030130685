import { oneOf } from '../common/choice.ts'
import { ArgumentError } from '../common/errors.ts'
import type { Serde } from '../common/serde.ts'
import type {
  KeyValueStoreSpec,
  SessionStoreSpec,
  StoreSpec,
  VersionedStoreSpec,
  WindowStoreSpec,
} from '../state/store-spec.ts'
import { type BuildContext, erased, requiredSerde } from './build-context.ts'
import { checkedName } from './names.ts'
import type { StoreOptions } from './options.ts'

const additionalRetentionMs = 86_400_000

/** A store as an operator asked for it; its spec is made when the topology is written. */
export interface Materialized {
  readonly storeName: string
  /** Whether the user gave the name: only then is the store one to be queried, and some tables are kept only then. */
  readonly isNamed: boolean
  readonly key: Serde<unknown> | null
  readonly value: Serde<unknown> | null
  readonly isVersioned: boolean
  /** The store takes only the serdes given with it: see `inheritSerdes`. */
  readonly forgetsSerdes: boolean
  readonly options: StoreOptions<unknown, unknown>
}

/** A setting of a store, checked. Throws an ArgumentError that names it and the store. */
export function wholeNumber(option: string, storeName: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new ArgumentError(
    option,
    `${option} of the store "${storeName}" must be a whole number, ${least} or more; got ${value}`,
  )
}

/** Names the store behind a table, and takes the serdes given with it, or else those the operator knows. */
export function materialized(
  context: BuildContext,
  options: StoreOptions<unknown, unknown> | undefined,
  makeName: () => string,
  known: { readonly key: Serde<unknown> | null; readonly value: Serde<unknown> | null },
  javaForgets = false,
): Materialized {
  const given = options ?? {}
  if (given.type !== undefined) oneOf('store.type', given.type, ['persistent', 'in-memory'])
  const isNamed = given.name !== undefined
  const storeName = given.name === undefined ? makeName() : checkedName(given.name)
  if (given.versioned !== undefined && !isNamed) {
    throw new ArgumentError('store.name', 'a versioned store needs a name')
  }
  if (given.versioned !== undefined) {
    const { historyRetentionMs, segmentIntervalMs = 1 } = given.versioned
    wholeNumber('historyRetentionMs', storeName, historyRetentionMs, 0)
    wholeNumber('segmentIntervalMs', storeName, segmentIntervalMs, 1)
  }
  if (given.maxEntries !== undefined) {
    wholeNumber('maxEntries', storeName, given.maxEntries, 1)
    if (given.versioned !== undefined || given.type === 'persistent') {
      throw new ArgumentError(
        'store.maxEntries',
        `the store "${storeName}" with maxEntries is kept in memory, and has no versions`,
      )
    }
  }
  if (!isNamed) {
    context.builder.noteGeneratedName({ kind: 'store', name: storeName })
    if (given.logging !== false)
      context.builder.noteGeneratedName({ kind: 'changelog', name: `${storeName}-changelog` })
  }
  return {
    storeName,
    isNamed,
    key: erased(given.key) ?? known.key,
    value: erased(given.value) ?? known.value,
    isVersioned: given.versioned !== undefined,
    forgetsSerdes: javaForgets && !context.inheritsSerdes,
    options: given,
  }
}

interface CommonSpec {
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly caching: boolean
  readonly inMemory: boolean
}

function common(context: BuildContext, store: Materialized): CommonSpec {
  const { storeName, options } = store
  const [key, value] = store.forgetsSerdes ? [erased(options.key), erased(options.value)] : [store.key, store.value]
  const where = `the store "${storeName}"`
  return {
    name: storeName,
    key: requiredSerde(context, key, 'key', where, 'store.key'),
    value: requiredSerde(context, value, 'value', where, 'store.value'),
    caching: options.caching ?? true,
    inMemory: (options.type ?? context.defaultStoreType) === 'in-memory',
  }
}

export function keyValueSpec(context: BuildContext, store: Materialized): KeyValueStoreSpec | VersionedStoreSpec {
  const { options } = store
  if (options.versioned !== undefined) {
    const { historyRetentionMs, segmentIntervalMs } = options.versioned
    return {
      ...common(context, store),
      kind: 'versioned',
      caching: false,
      historyRetentionMs,
      segmentIntervalMs: segmentIntervalMs ?? defaultVersionedSegmentMs(historyRetentionMs),
      logging: changelog(options.logging, versionedChangelog(historyRetentionMs)),
    }
  }
  const { maxEntries = null } = options
  return {
    ...common(context, store),
    kind: 'keyValue',
    timestamped: true,
    maxEntries,
    ...(maxEntries === null ? {} : { inMemory: true }),
    logging: changelog(options.logging, { 'cleanup.policy': 'compact' }),
  }
}

/** Options that stand for another kind of store would be ignored. */
function refuseForWindows({ storeName, options }: Materialized): void {
  for (const option of ['maxEntries', 'versioned'] as const) {
    if (options[option] === undefined) continue
    throw new ArgumentError(`store.${option}`, `the store "${storeName}" keeps windows: ${option} is not for it`)
  }
}

export function windowSpec(
  context: BuildContext,
  store: Materialized,
  windowSizeMs: number,
  retentionMs: number,
  emitFinal: boolean,
): WindowStoreSpec {
  refuseForWindows(store)
  return {
    ...common(context, store),
    kind: 'window',
    timestamped: true,
    windowSizeMs,
    retentionMs,
    retainDuplicates: false,
    logsHeaders: false,
    emitFinal,
    logging: changelog(store.options.logging, expiringChangelog(retentionMs, 'compact,delete')),
  }
}

export function sessionSpec(
  context: BuildContext,
  store: Materialized,
  retentionMs: number,
  emitFinal: boolean,
): SessionStoreSpec {
  refuseForWindows(store)
  return {
    ...common(context, store),
    kind: 'session',
    retentionMs,
    emitFinal,
    logging: changelog(store.options.logging, expiringChangelog(retentionMs, 'compact,delete')),
  }
}

/** The topic settings of a changelog: the store's kind decides, the user's own settings win. */
export function changelog(
  logging: StoreOptions<unknown, unknown>['logging'],
  defaults: { readonly [config: string]: string },
): StoreSpec['logging'] {
  if (logging === false) return null
  return { ...defaults, 'message.timestamp.type': 'CreateTime', ...(typeof logging === 'object' ? logging : {}) }
}

/** Rows of this very time are kept for the records of the same time, which belong to them; Java's stores forget them at once. */
export const atLeastNow = ({ javaRules }: BuildContext, retentionMs: number): number =>
  javaRules ? retentionMs : Math.max(1, retentionMs)

export const expiringChangelog = (retentionMs: number, policy: string): { readonly [config: string]: string } => ({
  'cleanup.policy': policy,
  'retention.ms': Number.isFinite(retentionMs) ? String(retentionMs + additionalRetentionMs) : '9223372036854775807',
})

export const versionedChangelog = (historyRetentionMs: number): { readonly [config: string]: string } => ({
  'cleanup.policy': 'compact',
  'min.compaction.lag.ms': String(historyRetentionMs + additionalRetentionMs),
})

/** Kafka Streams' choice of slices for a history (reference §2.3). */
export function defaultVersionedSegmentMs(historyRetentionMs: number): number {
  if (historyRetentionMs <= 60_000) return Math.max(Math.trunc(historyRetentionMs / 3), 2000)
  if (historyRetentionMs <= 300_000) return Math.max(Math.trunc(historyRetentionMs / 5), 20_000)
  if (historyRetentionMs <= 3_600_000) return Math.max(Math.trunc(historyRetentionMs / 12), 60_000)
  return Math.max(Math.trunc(historyRetentionMs / 24), 300_000)
}

/** The retention asked for, or the least that does; less is refused. */
export function checkedRetention(storeName: string, given: number | undefined, leastMs: number, what: string): number {
  const retentionMs = given ?? leastMs
  if (retentionMs >= leastMs) return retentionMs
  throw new ArgumentError(
    'store.retentionMs',
    `the retention of the store "${storeName}" must be at least ${what} (${leastMs} ms), got ${retentionMs}`,
  )
}
