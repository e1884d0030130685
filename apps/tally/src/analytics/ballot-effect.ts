import { optionsOf } from '@voting/election/events'
import type { Effect } from '../effects.ts'

export type BallotEffect = Extract<Effect, { type: 'ballot' }>

/** Ballots of polls that were opened: what is sent to others is nobody's, and is not analysed. */
export const isAnalysed = (effect: Effect): boolean => effect.type === 'ballot' && effect.epoch > 0

export interface NetChange {
  readonly adds: readonly string[]
  readonly removes: readonly string[]
  readonly region: string | null
  readonly removeRegion: string | null
}

/** What a ballot changes in the result; null where it changes nothing. */
export function netChange(effect: Effect): NetChange | null {
  if (effect.type !== 'ballot') return null
  if (effect.class === 'accepted')
    return { adds: optionsOf(effect.add), removes: [], region: effect.region, removeRegion: null }
  if (effect.class === 'changed') {
    const { add, remove, region, removeRegion } = effect
    return { adds: optionsOf(add), removes: optionsOf(remove), region, removeRegion }
  }
  return null
}

export type Counts = { readonly [option: string]: number }

/** The counts with some options changed by the same number. */
export function changedBy(counts: Counts, options: readonly string[], by: number): Counts {
  if (options.length === 0) return counts
  const changed: { [option: string]: number } = { ...counts }
  for (const option of options) changed[option] = (changed[option] ?? 0) + by
  return changed
}
