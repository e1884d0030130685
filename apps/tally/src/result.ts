import {
  type Accounting,
  type Choice,
  optionsOf,
  type RejectionReason,
  type ResultDocument,
} from '@voting/election/events'
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
 * `recorded = accepted + superseded + rejected + duplicates`, `voters = accepted`, and where a ballot names one option
 * the totals and the blank ballots add up to it.
 */
export function applyEffect(result: ResultState, effect: Effect, ballotPartitions: number): ResultState {
  const base = {
    ...result,
    poll: effect.poll,
    epoch: result.epoch === 0 ? effect.epoch : result.epoch,
    version: result.version + 1,
    asOf: Math.max(result.asOf, effect.time),
    ...positionsWith(result, effect),
  }
  if (effect.type === 'open') {
    // Every partition opens the poll; the first that arrives brings the rules.
    if (result.definitionHash !== '') return base
    const { options, regions, definitionHash, allowBlank = false } = effect.rules
    const zeros = Object.fromEntries(options.map((option) => [option, 0]))
    return {
      ...base,
      definitionHash,
      totals: { ...zeros, ...result.totals },
      ...(allowBlank && { blank: result.blank ?? 0 }),
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
        ...blankMoved(blankMoved(result, effect.remove, -1), effect.add, 1),
        regions: movedIn(movedIn(result.regions, effect.removeRegion, effect.remove, -1), effect.region, effect.add, 1),
      }
    case 'accepted':
      accounting.accepted++
      return {
        ...base,
        accounting,
        voters: accounting.accepted,
        totals: moved(result.totals, effect.add, 1),
        ...blankMoved(result, effect.add, 1),
        regions: movedIn(result.regions, effect.region, effect.add, 1),
      }
  }
}

/** What everybody may read. */
export function publicResult({ closedIn: _, ...document }: ResultState): ResultDocument {
  return document
}

/** Effects of one partition come in its order, so that the last one's offset says it for all. */
function positionsWith(
  { positions }: ResultState,
  { partition, offset }: Effect,
): { readonly positions?: NonNullable<ResultState['positions']> } {
  if (partition === undefined || offset === undefined) return positions ? { positions } : {}
  return { positions: { ...positions, [partition]: offset + 1 } }
}

type Counts = { readonly [option: string]: number }

function moved(counts: Counts, choice: Choice, by: number): Counts {
  const after = { ...counts }
  for (const option of optionsOf(choice)) after[option] = (after[option] ?? 0) + by
  return after
}

/** Blank ballots are counted by themselves: a poll that allows none has no such count. */
const blankMoved = ({ blank }: { readonly blank?: number }, choice: Choice, by: number): { readonly blank?: number } =>
  typeof choice !== 'string' && choice.length === 0
    ? { blank: (blank ?? 0) + by }
    : blank === undefined
      ? {}
      : { blank }

function movedIn(regions: { readonly [region: string]: Counts }, region: string | null, choice: Choice, by: number) {
  return region === null ? regions : { ...regions, [region]: moved(regions[region] ?? {}, choice, by) }
}

const counted = (reasons: ResultDocument['rejections'], reason: RejectionReason): ResultDocument['rejections'] => ({
  ...reasons,
  [reason]: (reasons[reason] ?? 0) + 1,
})
