import type { Serde, Topology } from 'stream-core'
import { JavaError } from './error-classes.ts'
import { isObject, type Json, type Raw } from './format.ts'
import type { Value } from './values.ts'

/**
 * The steps with the serdes that their stores use: Java's stores take the application's default for one that they are not
 * given, and fail when the application starts where there is none.
 */
export function withStoreSerdes(steps: readonly Raw[], config: Raw): readonly Raw[] {
  const filled = (store: Json): Json => {
    if (!isObject(store)) return store
    return {
      ...store,
      keySerde: store['keySerde'] ?? config['defaultKeySerde'] ?? missingKey,
      valueSerde: store['valueSerde'] ?? config['defaultValueSerde'] ?? missingValue,
    }
  }
  return steps.map((step) => {
    const { op, store, ownStores } = step
    if (op === 'addStateStore' || op === 'addGlobalStore') return { ...step, store: filled(store ?? null) }
    return Array.isArray(ownStores) ? { ...step, ownStores: (ownStores as readonly Json[]).map(filled) } : step
  })
}

const missingKey = 'missing key'
const missingValue = 'missing value'

/** The serde of a store that nobody gave one; `undefined` where the name is of another. */
export function missingSerde(spec: Json): Serde<Value> | undefined {
  if (spec !== missingKey && spec !== missingValue) return undefined
  const fail = (): never => {
    throw new JavaError('StreamsException', spec)
  }
  return { name: spec, write: fail, read: fail }
}

/** Throws what Java throws for a store without a serde. */
export function checkStoreSerdes({ stores, globalStores }: Topology): void {
  for (const spec of [...stores, ...globalStores]) {
    for (const serde of [spec.key, spec.value]) {
      if (serde?.name !== missingKey && serde?.name !== missingValue) continue
      throw new JavaError(
        'StreamsException',
        `the store ${spec.name} has a ${serde.name} serde, and there is no default`,
      )
    }
  }
}
