import type { Json } from '../runner/format.ts'
import { type Draft, present, type StreamHandle, type TableHandle } from './draft.ts'
import { materialized } from './options.ts'
import { hasNumber, type KeyType, type Plain, serdeOf } from './types.ts'

const keyTypes = [
  [14, 'string'],
  [2, 'long'],
  [1, 'integer'],
  [1, 'bytes'],
] as const satisfies readonly (readonly [number, Plain])[]

const valueTypes = [
  [14, 'string'],
  [5, 'long'],
  [1, 'integer'],
  [1, 'double'],
  [1, 'bytes'],
] as const satisfies readonly (readonly [number, Plain])[]

function consumed(draft: Draft, key: KeyType, value: Plain, isNamed = true): { [option: string]: Json } | undefined {
  const { random } = draft
  const options = present({
    keySerde: draft.keySerde(key, false),
    valueSerde: draft.valueSerde(value, false),
    timestampExtractor: random.maybe(0.06, () => timestampExtractor(draft, value)),
    name: isNamed ? draft.optionalName('source-') : undefined,
  })
  return Object.keys(options).length === 0 && random.chance(0.7) ? undefined : { ...options }
}

/** `value`: what the topics hold, if it is known. */
export function timestampExtractor(draft: Draft, value?: Plain): string {
  const names = ['failOnInvalid', 'logAndSkipOnInvalid', 'usePartitionTimeOnInvalid']
  if (value === undefined ? draft.random.chance(0.3) : hasNumber(value)) names.push('valueNumber')
  return draft.random.pick(names)
}

const known = (options: { [option: string]: Json } | undefined) => ({
  isKeySerdeKnown: options?.['keySerde'] !== undefined,
  isValueSerdeKnown: options?.['valueSerde'] !== undefined,
})

export interface SourceTypes {
  readonly key?: Plain
  readonly value?: Plain
}

export function stream(draft: Draft, types: SourceTypes = {}): StreamHandle {
  const { random } = draft
  const key = types.key ?? random.weighted(keyTypes)
  const value = types.value ?? random.weighted(valueTypes)
  const options = consumed(draft, key, value)
  const topic = (): string => draft.inputTopic('in', key, value, options?.['timestampExtractor'])
  const topics = [topic()]
  while (random.chance(0.12)) topics.push(topic())
  const id = draft.step('stream', { ...topicsOrPattern(draft, topics), consumed: options })
  return draft.addStream({
    id,
    key,
    value,
    ...known(options),
    isRekeyed: false,
    isKeyChanger: false,
    belowKeyChangers: [],
  })
}

const topicsOrPattern = (draft: Draft, topics: readonly string[]) =>
  draft.random.chance(0.01) ? { pattern: topics.join('|') } : { topics: [...topics] }

export function table(draft: Draft, types: SourceTypes = {}): TableHandle {
  const { random } = draft
  const key = types.key ?? random.weighted(keyTypes)
  const value = types.value ?? random.weighted(valueTypes)
  const options = consumed(draft, key, value)
  const store = materialized(
    draft,
    // Only strings: the recorder asks a versioned store for string keys.
    { key, value, ...known(options), canBeVersioned: key === 'string' },
    0.5,
  )
  const id = draft.step('table', {
    topic: draft.inputTopic('table', key, value, options?.['timestampExtractor']),
    consumed: options,
    materialized: store.options,
  })
  return draft.addTable({
    id,
    key,
    value,
    isKeySerdeKnown: known(options).isKeySerdeKnown || store.isKeySerdeGiven,
    isValueSerdeKnown: known(options).isValueSerdeKnown || store.isValueSerdeGiven,
    isWindowResult: false,
    ...(store.historyRetentionMs === undefined ? {} : { historyRetentionMs: store.historyRetentionMs }),
  })
}

export function globalTable(draft: Draft): void {
  const { random } = draft
  const value = random.pick(['string', 'string', 'long'] as const)
  const options = consumed(draft, 'string', value)
  // J2: a Materialized without a store name fails at build.
  const name = draft.isCareless && random.chance(0.3) ? undefined : draft.fresh('global-store-')
  const isMaterialized = !draft.hasSerdes({ id: '', key: 'string', value, ...known(options) }) || random.chance(0.5)
  const id = draft.step('globalTable', {
    topic: draft.inputTopic('global', 'string', value),
    consumed: options,
    materialized: isMaterialized
      ? present({
          name,
          keySerde: draft.keySerde('string', known(options).isKeySerdeKnown),
          valueSerde: draft.valueSerde(value, known(options).isValueSerdeKnown),
          store: random.maybe(0.3, () => 'inMemory'),
        })
      : undefined,
  })
  if (isMaterialized && name !== undefined) draft.globalStores.push(name)
  draft.globalTables.push({ kind: 'globalTable', id, key: 'string', value, ...known(options) })
}

export function globalStore(draft: Draft): void {
  const { random } = draft
  const name = draft.fresh('global-')
  const type = random.pick(['keyValue', 'timestampedKeyValue'])
  draft.endStep('addGlobalStore', {
    store: present({
      type,
      name,
      keySerde: 'string',
      valueSerde: 'string',
      persistent: random.maybe(0.4, () => random.chance(0.5)),
    }),
    topic: draft.inputTopic('global', 'string', 'string'),
    consumed: present({ keySerde: 'string', valueSerde: 'string', name: draft.optionalName('global-source-') }),
    processor: present({
      type: 'globalUpdate',
      store: name,
      mapper: random.maybe(0.4, () => random.pick(['upper', 'bang', 'nullIfEven', 'keyColonValue'])),
    }),
  })
  draft.globalStores.push(name)
}

/** A topic that is a sink of this topology and a source of it, too. */
export function loop(draft: Draft, from: StreamHandle): void {
  const topic = draft.fresh('loop')
  draft.topics[topic] = { keySerde: serdeOf(from.key), valueSerde: serdeOf(from.value) }
  const serdes = { keySerde: serdeOf(from.key), valueSerde: serdeOf(from.value) }
  draft.endStep('to', { on: from.id, topic, produced: serdes })
  draft.loose.delete(from)
  const id = draft.step('stream', { topics: [topic], consumed: serdes })
  draft.addStream({
    ...from,
    id,
    isKeySerdeKnown: true,
    isValueSerdeKnown: true,
    isRekeyed: false,
    isKeyChanger: false,
    belowKeyChangers: [],
  })
}
