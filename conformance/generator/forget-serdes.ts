import { isObject, type Json } from '../runner/format.ts'
import type { Draft } from './draft.ts'
import type { Random } from './random.ts'

const defaults = ['string', 'long', 'integer', 'double'] as const
const forgetProbability = 0.35
/** Sources and sinks: without their serdes little would get as far as the operators. */
const outerProbability = 0.1
const outer: readonly Json[] = ['stream', 'table', 'globalTable', 'to', 'addSource', 'addSink', 'addGlobalStore']

/**
 * Leaves out serdes that the scenario needs, under defaults that may be of another type: where Java takes which default, and
 * what it does with a value that a serde does not take, shows only so.
 */
export function forgetSerdes(draft: Draft, random: Random): void {
  for (const part of ['defaultKeySerde', 'defaultValueSerde']) {
    if (random.chance(0.88)) draft.config[part] = random.pick(defaults)
    else delete draft.config[part]
  }
  if (random.chance(0.8)) draft.config['processingHandler'] = 'continue'
  for (const step of draft.steps) {
    if (!outer.includes(step['op'] ?? null) || random.chance(outerProbability)) strip(step, random)
  }
}

interface Fields {
  [field: string]: Json
}

function strip(fields: Fields, random: Random): void {
  for (const field of Object.keys(fields)) {
    const value = fields[field]!
    if (field.endsWith('erde') && random.chance(forgetProbability)) delete fields[field]
    else if (isObject(value)) strip(value, random)
    else if (Array.isArray(value)) {
      for (const item of value) if (isObject(item)) strip(item, random)
    }
  }
}
