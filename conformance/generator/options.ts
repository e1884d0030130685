import type { Json, Raw } from '../runner/format.ts'
import { type Draft, present, type Typed } from './draft.ts'
import type { KeyType, Plain } from './types.ts'

/** The result of an aggregation: what its store and the table over it need. */
export interface Result {
  readonly key: KeyType
  readonly value: Plain
  readonly isKeySerdeKnown: boolean
  /** count and reduce know the serde of their result. */
  readonly isValueSerdeKnown: boolean
  /** Windowed stores: what they have to keep at least. */
  readonly retentionMs?: number
  readonly canBeVersioned?: boolean
  /** J9: a cached session store with a large gap fails on early timestamps. */
  readonly mustNotCache?: boolean
}

export interface Materialization {
  /** undefined: not given. */
  readonly options: Raw | undefined
  readonly isKeySerdeGiven: boolean
  readonly isValueSerdeGiven: boolean
  readonly historyRetentionMs?: number
}

const none: Materialization = { options: undefined, isKeySerdeGiven: false, isValueSerdeGiven: false }

/** A Materialized, given or not; it is if a serde has to be. */
export function materialized(draft: Draft, result: Result, probability = 0.6): Materialization {
  const { random } = draft
  const keySerde = draft.keySerde(result.key, result.isKeySerdeKnown)
  const valueSerde = draft.valueSerde(result.value, result.isValueSerdeKnown)
  const isNeeded = !draft.hasSerdes({ id: '', ...result }) || result.mustNotCache === true
  if (!isNeeded && !random.chance(probability)) return none
  const given = { isKeySerdeGiven: keySerde !== undefined, isValueSerdeGiven: valueSerde !== undefined }
  if (result.canBeVersioned === true && random.chance(0.3))
    return { ...given, ...versioned(draft, keySerde, valueSerde) }
  const retention = result.retentionMs
  return {
    ...given,
    options: present({
      name: draft.optionalName('store-'),
      keySerde,
      valueSerde,
      store: random.maybe(0.3, () => random.pick(['inMemory', 'persistent'])),
      caching: result.mustNotCache === true ? false : random.maybe(0.4, () => random.chance(0.6)),
      logging: random.maybe(0.15, () => false),
      retentionMs:
        retention === undefined ? undefined : random.maybe(0.4, () => draft.remember(retention + draft.span(0, 12))),
    }),
  }
}

function versioned(draft: Draft, keySerde: Json | undefined, valueSerde: Json | undefined) {
  const { random } = draft
  const historyRetentionMs = draft.span(1, 20)
  const options = present({
    type: 'versioned',
    name: draft.fresh('versioned-'),
    historyRetentionMs,
    segmentIntervalMs: random.maybe(0.3, () => draft.span(1, 10)),
    keySerde,
    valueSerde,
    caching: random.maybe(0.2, () => random.chance(0.5)),
    logging: random.maybe(0.1, () => false),
  })
  return { options, historyRetentionMs }
}

/** Serdes of an option that inherits nothing from the stream: Grouped, StreamJoined. */
export const serdesFromScratch = (draft: Draft, key: KeyType, value: Plain) => ({
  keySerde: draft.keySerde(key, false),
  valueSerde: draft.valueSerde(value, false),
})

/** Serdes of an option that takes the stream's own where none are given: Produced, Repartitioned, Joined. */
export const serdesOf = (draft: Draft, typed: Typed) => ({
  keySerde: draft.keySerde(typed.key, typed.isKeySerdeKnown),
  valueSerde: draft.valueSerde(typed.value, typed.isValueSerdeKnown),
})

/** The options, or nothing if none is given: then the option object itself may be left out. */
export function optional(draft: Draft, fields: { readonly [field: string]: Json | undefined }): Raw | undefined {
  const options = present(fields)
  return Object.keys(options).length === 0 && draft.random.chance(0.8) ? undefined : options
}
