import type { MinuteDocument } from '@voting/election/analytics-events'
import type { Effect } from '../effects.ts'
import { changedBy, type Counts, netChange } from './ballot-effect.ts'

/** What happened in a minute of event time. */
export type MinuteState = Omit<MinuteDocument, 'poll' | 'kind' | 'start'>

export const emptyMinute = (): MinuteState => ({
  epoch: 0,
  version: 0,
  recorded: 0,
  accepted: 0,
  changed: 0,
  duplicates: 0,
  rejections: {},
  counts: {},
  regions: {},
})

export function applyToMinute(minute: MinuteState, effect: Effect): MinuteState {
  if (effect.type !== 'ballot') return minute
  const base = { ...minute, epoch: effect.epoch, version: minute.version + 1, recorded: minute.recorded + 1 }
  if (effect.class === 'duplicate') return { ...base, duplicates: minute.duplicates + 1 }
  if (effect.class === 'rejected') {
    const { reason } = effect
    return { ...base, rejections: { ...minute.rejections, [reason]: (minute.rejections[reason] ?? 0) + 1 } }
  }
  const { adds, removes, region, removeRegion } = netChange(effect)!
  return {
    ...base,
    accepted: minute.accepted + (effect.class === 'accepted' ? 1 : 0),
    changed: minute.changed + (effect.class === 'changed' ? 1 : 0),
    counts: changedBy(changedBy(minute.counts, removes, -1), adds, 1),
    regions: changedIn(changedIn(minute.regions, removeRegion, removes, -1), region, adds, 1),
  }
}

type Regions = { readonly [region: string]: Counts }

function changedIn(regions: Regions, region: string | null, options: readonly string[], by: number): Regions {
  if (region === null || options.length === 0) return regions
  return { ...regions, [region]: changedBy(regions[region] ?? {}, options, by) }
}
