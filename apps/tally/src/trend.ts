import { optionsOf } from '@voting/election/events'
import type { Effect } from './effects.ts'

/** Widths of the windows that trends are kept in. */
export const trendWindowsMs = [1000, 10_000, 60_000] as const

/**
 * How long after its end a window still takes ballots. A replay reads partitions unevenly and a tally may have been down
 * for days: a ballot that counts in the totals must count in the trend, or the running sum would not equal them.
 */
export const trendGraceMs = 7 * 86_400_000

/** Net change of each option in a window. */
export interface TrendState {
  readonly epoch: number
  readonly version: number
  readonly counts: { readonly [option: string]: number }
}

export const emptyTrend = (): TrendState => ({ epoch: 0, version: 0, counts: {} })

export const changesCounts = (effect: Effect): boolean =>
  effect.type === 'ballot' && (effect.class === 'accepted' || effect.class === 'changed')

export function applyToTrend(trend: TrendState, effect: Effect): TrendState {
  if (effect.type !== 'ballot' || (effect.class !== 'accepted' && effect.class !== 'changed')) return trend
  const counts = { ...trend.counts }
  for (const option of optionsOf(effect.add)) counts[option] = (counts[option] ?? 0) + 1
  if (effect.class === 'changed') {
    for (const option of optionsOf(effect.remove)) counts[option] = (counts[option] ?? 0) - 1
  }
  return { epoch: trend.epoch === 0 ? effect.epoch : trend.epoch, version: trend.version + 1, counts }
}
