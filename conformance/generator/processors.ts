import type { Json, Raw } from '../runner/format.ts'
import { type Draft, present } from './draft.ts'
import * as functions from './typed-functions.ts'
import { hasNumber, hasText, isWindowed, type KeyType, type Plain, serdeOf } from './types.ts'

/** A processor with the store it needs, and what it forwards. */
export interface ChosenProcessor {
  readonly processor: Raw
  /** To be added and connected; a global store needs neither. */
  readonly store?: Raw
  readonly key: KeyType
  readonly value: Plain
  readonly isRekeying?: boolean
}

interface Kind {
  readonly weight: number
  readonly make: (draft: Draft, key: KeyType, value: Plain) => ChosenProcessor
  readonly fits?: (key: KeyType, value: Plain, draft: Draft) => boolean
  /** For `process` and `addProcessor` only. */
  readonly isFree?: true
}

/** A processor of format §6 for records of these types. `isFree`: it may change the key. */
export function chooseProcessor(draft: Draft, key: KeyType, value: Plain, isFree: boolean): ChosenProcessor {
  const fitting = kinds.filter((kind) => (isFree || kind.isFree !== true) && (kind.fits?.(key, value, draft) ?? true))
  const chosen = draft.random.weighted(fitting.map((kind) => [kind.weight, kind] as const)).make(draft, key, value)
  return isFree ? withPunctuation(draft, chosen) : chosen
}

const plain = (make: (draft: Draft, key: KeyType, value: Plain) => Raw, weight = 1): Kind => ({
  weight,
  make: (draft, key, value) => ({ processor: make(draft, key, value), key, value }),
})

const keyed = (key: KeyType): boolean => hasText(key) && !isWindowed(key)

const kinds: readonly Kind[] = [
  plain(() => ({ type: 'forward' }), 0.7),
  plain(() => ({ type: 'drop' }), 0.3),
  plain(
    (draft) => ({ type: 'shiftTimestamp', ms: draft.random.chance(0.7) ? draft.span(0, 12) : -draft.span(0, 6) }),
    1.5,
  ),
  {
    weight: 1,
    make: (_draft, key) => ({ processor: { type: 'recordInfo' }, key, value: 'string' }),
  },
  plain((draft) => ({
    type: 'addHeader',
    header: draft.random.pick(['h', 'g', '']),
    value: draft.random.pick(['x', '', 'é', null]),
  })),
  plain((draft) => ({ type: 'removeHeader', header: draft.random.pick(['h', 'g']) })),
  {
    weight: 1.5,
    isFree: true,
    make: (draft, key, value) => {
      const { name, type } = functions.selector(draft.random, key, value)
      return { processor: { type: 'rekey', selector: name }, key: type, value, isRekeying: true }
    },
  },
  {
    weight: 1,
    isFree: true,
    fits: (key) => key === 'string',
    make: (_draft, key, value) => ({ processor: { type: 'fanOut' }, key, value }),
  },
  { weight: 2, make: (draft, key) => counting(draft, 'count', key) },
  { weight: 1.5, make: (draft, key) => counting(draft, 'silentCount', key) },
  {
    weight: 1.5,
    // Windowed keys in window stores have no order that the format defines.
    fits: (key, value) => hasText(value) && !isWindowed(key),
    make: (draft, key, value) => {
      const store = windowStore(draft, key, 'string', false)
      return { processor: { type: 'dedup', store: store['name']!, withinMs: draft.span(0, 15) }, store, key, value }
    },
  },
  {
    weight: 1.5,
    fits: (key) => !isWindowed(key),
    make: (draft, key) => {
      const store = windowStore(draft, key, 'long', draft.random.chance(0.4))
      return {
        processor: { type: 'windowCount', store: store['name']!, sizeMs: draft.span(1, 12) },
        store,
        key,
        value: 'string',
      }
    },
  },
  { weight: 2.5, fits: (key, value) => hasText(value) && keyed(key), make: windowScan },
  {
    weight: 2,
    fits: (key) => !isWindowed(key),
    make: (draft, key) => {
      const store = sessionStore(draft, key)
      // J9 is a cached session store with a large gap.
      const gapMs = store['caching'] === true ? Math.min(draft.span(1, 15), 50_000) : draft.span(1, 15)
      return { processor: { type: 'sessions', store: store['name']!, gapMs }, store, key, value: 'string' }
    },
  },
  { weight: 2.5, fits: (key, value) => key === 'string' && hasText(value), make: versionedProcessor },
  { weight: 2.5, fits: (key, value) => key === 'string' && hasText(value), make: range },
  {
    weight: 1,
    fits: (_key, value) => hasText(value),
    make: (draft, key) => {
      const store = keyValueStore(draft, draft.random.pick(['keyValue', 'keyValue', 'lru']), key, 'string')
      return { processor: { type: 'putIfAbsent', store: store['name']! }, store, key, value: 'string' }
    },
  },
  {
    weight: 2,
    fits: (_key, value, draft) => hasText(value) && draft.globalStores.length > 0,
    make: (draft, key) => {
      const store = draft.random.pick(draft.globalStores)
      return { processor: { type: 'lookup', store }, key, value: 'string' }
    },
  },
  plain(() => ({ type: 'failOnBoom' }), 0.7),
]

const common = (draft: Draft) => ({
  caching: draft.random.maybe(0.35, () => true),
  logging: draft.random.maybe(0.15, () => false),
})

const serdes = (key: KeyType, value: Plain) => ({ keySerde: serdeOf(key), valueSerde: value })

function keyValueStore(draft: Draft, type: string, key: KeyType, value: Plain): Raw {
  return present({
    type,
    name: draft.fresh('kv-'),
    ...serdes(key, value),
    persistent: type === 'lru' ? undefined : draft.random.maybe(0.4, () => draft.random.chance(0.5)),
    maxEntries: type === 'lru' ? draft.random.whole(1, 3) : undefined,
    ...common(draft),
  })
}

function windowStore(
  draft: Draft,
  key: KeyType,
  value: Plain,
  isTimestamped: boolean,
  retainDuplicates?: boolean,
): Raw {
  const windowSizeMs = draft.span(1, 12)
  return present({
    type: isTimestamped ? 'timestampedWindow' : 'window',
    name: draft.fresh('windows-'),
    ...serdes(key, value),
    windowSizeMs,
    retentionMs: draft.remember(windowSizeMs + draft.span(0, 20)),
    retainDuplicates,
    ...common(draft),
  })
}

const sessionStore = (draft: Draft, key: KeyType): Raw =>
  present({
    type: 'session',
    name: draft.fresh('sessions-'),
    ...serdes(key, 'long'),
    retentionMs: draft.span(1, 30),
    ...common(draft),
  })

function counting(draft: Draft, type: 'count' | 'silentCount', key: KeyType): ChosenProcessor {
  const storeType = draft.random.pick(['keyValue', 'timestampedKeyValue', 'keyValue', 'lru'])
  const store = keyValueStore(draft, storeType, key, 'long')
  return { processor: { type, store: store['name']! }, store, key, value: 'long' }
}

function windowScan(draft: Draft, key: KeyType): ChosenProcessor {
  const { random } = draft
  const store = windowStore(
    draft,
    key,
    'string',
    false,
    random.maybe(0.4, () => true),
  )
  const processor = present({
    type: 'windowScan',
    store: store['name'],
    backMs: draft.span(0, 25),
    aheadMs: draft.span(0, 25),
    reverse: random.maybe(0.4, () => true),
    allKeys: random.maybe(0.4, () => true),
  })
  return { processor, store, key, value: 'string' }
}

function versionedProcessor(draft: Draft, key: KeyType): ChosenProcessor {
  const { random } = draft
  const store = present({
    type: 'versioned',
    name: draft.fresh('versions-'),
    ...serdes(key, 'string'),
    historyRetentionMs: draft.span(1, 20),
    segmentIntervalMs: random.maybe(0.4, () => draft.span(1, 10)),
    logging: random.maybe(0.15, () => false),
  })
  const processor = present({
    type: 'versioned',
    store: store['name'],
    lagMs: draft.span(0, 15),
    useDelete: random.maybe(0.5, () => true),
  })
  return { processor, store, key, value: 'string' }
}

function range(draft: Draft, key: KeyType): ChosenProcessor {
  const { random } = draft
  const store = keyValueStore(draft, 'keyValue', key, 'string')
  // J8: an empty prefix fails on an in-memory store.
  const prefixes = ['a', 'b', 'A', 'é', 'ab', '\u{10ffff}', ...(draft.isCareless ? [''] : [])]
  const prefix = random.maybe(0.3, () => random.pick(prefixes))
  const bound = (): Json | undefined => random.maybe(0.6, () => random.pick(['', 'a', 'b', 'aa', 'A', 'é', 'zz']))
  const [from, to] = prefix === undefined ? [bound(), bound()] : []
  const reverse = prefix === undefined ? random.maybe(0.4, () => true) : undefined
  return {
    processor: present({ type: 'range', store: store['name'], from, to, reverse, prefix }),
    store,
    key,
    value: 'string',
  }
}

/** Adds a punctuation that forwards what the processor's output may be. */
function withPunctuation(draft: Draft, chosen: ChosenProcessor): ChosenProcessor {
  const { random } = draft
  const actions: string[] = []
  if (chosen.key === 'string' && chosen.value === 'string' && chosen.isRekeying !== true) actions.push('tick')
  const type = chosen.store?.['type']
  const isKeyValue = type === 'keyValue' || type === 'timestampedKeyValue'
  if (isKeyValue && chosen.store?.['valueSerde'] === chosen.value) actions.push('emit', 'emitAndClear')
  if (actions.length === 0 || !random.chance(0.5)) return chosen
  const punctuate = present({
    clock: random.pick(['stream', 'wallClock']),
    intervalMs: draft.span(1, 10),
    startMs: random.maybe(0.2, () => draft.span(0, 10)),
    action: random.pick(actions),
    cancelAfter: random.maybe(0.25, () => random.whole(1, 3)),
  })
  return { ...chosen, processor: { ...chosen.processor, punctuate } }
}

/** Whether a value of this type can be told even or odd: what `route` asks. */
export const canRoute = (value: Plain): boolean => hasNumber(value)
