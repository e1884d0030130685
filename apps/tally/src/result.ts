import type { Accounting, RejectionReason, ResultDocument } from '@voting/election/events'
import type { Effect } from './effects.ts'

/** The result of a poll as it is kept: the public document, and which partitions have closed. */
export interface ResultState extends ResultDocument {
  readonly closedIn: readonly number[]
}

const nothing: Accounting = { recorded: 0, accepted: 0, superseded: 0, rejected: 0, duplicates: 0 }

export const emptyResult = (): ResultState => ({
  poll: '',
  epoch: 0,
  version: 0,
  status: 'open',
  asOf: 0,
  definitionHash: '',
  voters: 0,
  totals: {},
  regions: {},
  accounting: nothing,
  rejections: {},
  closedIn: [],
})

/**
 * A result with one more effect in it. All counters move together, so that in every version
 * `recorded = accepted + superseded + rejected + duplicates`, `voters = accepted`, and the totals add up to it.
 */
export function applyEffect(result: ResultState, effect: Effect, ballotPartitions: number): ResultState {
  const base = {
    ...result,
    poll: effect.poll,
    epoch: result.epoch === 0 ? effect.epoch : result.epoch,
    version: result.version + 1,
    asOf: Math.max(result.asOf, effect.time),
  }
  if (effect.type === 'open') {
    // Every partition opens the poll; the first that arrives brings the rules.
    if (result.definitionHash !== '') return base
    const { options, regions, definitionHash } = effect.rules
    const zeros = Object.fromEntries(options.map((option) => [option, 0]))
    return {
      ...base,
      definitionHash,
      totals: { ...zeros, ...result.totals },
      regions: { ...Object.fromEntries(regions.map((region) => [region, zeros])), ...result.regions },
    }
  }
  if (effect.type === 'close') {
    const closedIn = [...new Set([...result.closedIn, effect.partition])]
    return { ...base, closedIn, status: closedIn.length >= ballotPartitions ? 'final' : 'closed' }
  }
  const accounting = { ...result.accounting, recorded: result.accounting.recorded + 1 }
  switch (effect.class) {
    case 'duplicate':
      accounting.duplicates++
      return { ...base, accounting }
    case 'rejected':
      accounting.rejected++
      return { ...base, accounting, rejections: counted(result.rejections, effect.reason) }
    case 'changed':
      accounting.superseded++
      return {
        ...base,
        accounting,
        totals: moved(moved(result.totals, effect.remove, -1), effect.add, 1),
        regions: movedIn(movedIn(result.regions, effect.removeRegion, effect.remove, -1), effect.region, effect.add, 1),
      }
    case 'accepted':
      accounting.accepted++
      return {
        ...base,
        accounting,
        voters: accounting.accepted,
        totals: moved(result.totals, effect.add, 1),
        regions: movedIn(result.regions, effect.region, effect.add, 1),
      }
  }
}

/** What everybody may read. */
export function publicResult({ closedIn: _, ...document }: ResultState): ResultDocument {
  return document
}

type Counts = { readonly [option: string]: number }

const moved = (counts: Counts, option: string, by: number): Counts => ({
  ...counts,
  [option]: (counts[option] ?? 0) + by,
})

function movedIn(regions: { readonly [region: string]: Counts }, region: string | null, option: string, by: number) {
  return region === null ? regions : { ...regions, [region]: moved(regions[region] ?? {}, option, by) }
}

const counted = (reasons: ResultDocument['rejections'], reason: RejectionReason): ResultDocument['rejections'] => ({
  ...reasons,
  [reason]: (reasons[reason] ?? 0) + 1,
})
