import type { Effect } from './format.ts'
import type { Value } from './values.ts'
import { toJson } from './wire.ts'

/** What peek and foreach saw. Of a stimulus that fails nothing is kept. */
export interface EffectLog {
  readonly effects: Effect[]
  stimulus: number
}

export const noteEffect =
  (log: EffectLog, id: string | undefined) =>
  (key: Value, value: Value): void => {
    log.effects.push({ after: log.stimulus, id: id ?? null, key: toJson(key), value: toJson(value) })
  }
