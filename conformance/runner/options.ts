import type { Serde, StoreOptions } from 'stream-core'
import { JavaError } from './error-classes.ts'
import { checkFields, flag, given, object, oneOf, type Raw, required, text, whole } from './format.ts'
import { limit } from './long-limits.ts'
import { serde } from './serdes.ts'
import type { TimestampExtractor } from 'stream-core'
import { timestampExtractor } from './timestamp-extractors.ts'
import type { Value } from './values.ts'
import { joinWindowsOf } from './windows.ts'

/** The fields of a step as options of the library's calls. What is left out is left out there, too. */
type Serdes = { key?: Serde<Value>; value?: Serde<Value> }
type Name = { name?: string }

const serdes = (raw: Raw): Serdes => given({ key: serde(raw, 'keySerde'), value: serde(raw, 'valueSerde') })

export const nameOf = (step: Raw): Name => given({ name: text(step, 'named') })

export const storeNames = (names: readonly string[] | undefined) => given({ stores: names })

function checked(step: Raw, field: string, fields: readonly string[]): Raw {
  const raw = object(step, field) ?? {}
  checkFields(raw, `"${field}"`, fields)
  return raw
}

export function consumed(step: Raw): Serdes & Name & { timestampExtractor?: TimestampExtractor } {
  const raw = checked(step, 'consumed', ['keySerde', 'valueSerde', 'timestampExtractor', 'name'])
  return {
    ...serdes(raw),
    ...given({ name: text(raw, 'name'), timestampExtractor: timestampExtractor(raw) }),
  }
}

export function produced(step: Raw): Serdes & Name {
  const raw = checked(step, 'produced', ['keySerde', 'valueSerde', 'name'])
  return { ...serdes(raw), ...given({ name: text(raw, 'name') }) }
}

/** Absent is another thing than empty: Java takes both serdes from a Grouped that is given. */
export function grouped(step: Raw): (Serdes & Name) | undefined {
  if (step['grouped'] === undefined) return undefined
  const raw = checked(step, 'grouped', ['keySerde', 'valueSerde', 'name'])
  return { ...serdes(raw), ...given({ name: text(raw, 'name') }) }
}

export function repartitioned(step: Raw): Serdes & Name & { partitions?: number } {
  const raw = checked(step, 'repartitioned', ['keySerde', 'valueSerde', 'name', 'partitions'])
  return { ...serdes(raw), ...given({ name: text(raw, 'name'), partitions: whole(raw, 'partitions') }) }
}

export function joined(step: Raw): Serdes & Name & { otherValue?: Serde<Value>; grace?: number } {
  const raw = checked(step, 'joined', ['name', 'keySerde', 'valueSerde', 'otherValueSerde', 'graceMs'])
  const more = { name: text(raw, 'name'), otherValue: serde(raw, 'otherValueSerde'), grace: limit(raw, 'graceMs') }
  return { ...serdes(raw), ...given(more) }
}

export const tableJoined = (step: Raw): Name => given({ name: text(checked(step, 'tableJoined', ['name']), 'name') })

const logging = (raw: Raw): false | undefined => (flag(raw, 'logging') === false ? false : undefined)

function storeType(raw: Raw): 'in-memory' | 'persistent' | undefined {
  const type = oneOf(raw, 'store', ['inMemory', 'persistent'])
  return type === 'inMemory' ? 'in-memory' : type
}

/** Java keeps a table for any Materialized, also one that says nothing: so the option stands where the field stands. */
export function materialized(step: Raw): { store?: StoreOptions<Value, Value> } {
  if (object(step, 'materialized') === undefined) return {}
  const raw = checked(step, 'materialized', [
    'type',
    'name',
    'keySerde',
    'valueSerde',
    'store',
    'caching',
    'logging',
    'retentionMs',
    'historyRetentionMs',
    'segmentIntervalMs',
  ])
  const isVersioned = oneOf(raw, 'type', ['versioned']) !== undefined
  if (isVersioned && text(raw, 'name') === undefined) {
    throw new JavaError('NullPointerException', 'name cannot be null')
  }
  const versioned = isVersioned && {
    historyRetentionMs: required(limit, raw, 'historyRetentionMs'),
    ...given({ segmentIntervalMs: limit(raw, 'segmentIntervalMs') }),
  }
  const options = given({
    name: text(raw, 'name'),
    caching: flag(raw, 'caching'),
    logging: logging(raw),
    retentionMs: limit(raw, 'retentionMs'),
    type: storeType(raw),
    versioned: versioned || undefined,
  })
  return { store: { ...serdes(raw), ...options } }
}

/** With a name but nothing materialized, Java's overloads take an empty Materialized. */
export const materializedWithName = (step: Raw): ReturnType<typeof materialized> =>
  object(step, 'materialized') === undefined && text(step, 'named') !== undefined ? { store: {} } : materialized(step)

export function streamJoined(step: Raw) {
  const raw = checked(step, 'streamJoined', [
    'name',
    'storeName',
    'keySerde',
    'valueSerde',
    'otherValueSerde',
    'store',
    'logging',
    'thisStore',
    'otherStore',
  ])
  const options = given({
    name: text(raw, 'name'),
    storeName: text(raw, 'storeName'),
    otherValue: serde(raw, 'otherValueSerde'),
    type: storeType(raw),
    logging: logging(raw),
    thisStore: joinStore(raw, 'thisStore'),
    otherStore: joinStore(raw, 'otherStore'),
  })
  return { ...serdes(raw), ...options, windows: joinWindowsOf(required(object, step, 'windows')) }
}

function joinStore(streamJoined: Raw, field: string) {
  if (object(streamJoined, field) === undefined) return undefined
  const raw = checked(streamJoined, field, ['name', 'retentionMs', 'windowSizeMs', 'retainDuplicates', 'persistent'])
  return {
    name: required(text, raw, 'name'),
    retentionMs: required(limit, raw, 'retentionMs'),
    windowSizeMs: required(limit, raw, 'windowSizeMs'),
    retainDuplicates: flag(raw, 'retainDuplicates') ?? true,
    type: flag(raw, 'persistent') === false ? ('in-memory' as const) : ('persistent' as const),
  }
}
