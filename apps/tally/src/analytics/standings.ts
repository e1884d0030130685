import type { LeadDocument, StandingDocument } from '@voting/election/analytics-events'
import {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  json,
  type KeyValueStore,
  stores,
  string,
} from 'stream-core'
import type { Effect } from '../effects.ts'
import { changedBy, type Counts, netChange } from './ballot-effect.ts'

/** How a poll stands now, and who was ahead. */
export interface RunningState {
  readonly epoch: number
  readonly version: number
  readonly at: number
  readonly electorate: number | null
  readonly voters: number
  readonly totals: Counts
  /** Who is ahead, or was until others drew level; null before the first vote. */
  readonly ahead: string | null
  /** The second of the newest change of the lead, and who was ahead at its beginning. */
  readonly leadSecond: number
  readonly aheadBefore: string | null
}

/** A standing, and the change of the lead that came with it. */
export interface Standing {
  readonly document: StandingDocument
  readonly lead: LeadDocument | null
}

export const runningStore = 'running'

const unopened: RunningState = {
  epoch: 0,
  version: 0,
  at: 0,
  electorate: null,
  voters: 0,
  totals: {},
  ahead: null,
  leadSecond: 0,
  aheadBefore: null,
}

/**
 * Follows the totals ballot by ballot: how the poll stands after each that changes them, and when another option takes the
 * lead. It reads effects and not the result document, of which only the last version of a commit is forwarded: what it finds
 * does not depend on when commits happen. Event time only moves on: a late ballot belongs to the standing of now.
 */
export function standings(): FixedKeyProcessor<string, Effect, Standing> {
  let context: FixedKeyProcessorContext<string, Standing>
  let running: KeyValueStore<string, RunningState>
  return {
    init(given) {
      context = given
      running = context.getStateStore(runningStore)
    },
    process({ key: poll, value: effect, headers }) {
      if (poll === null || effect === null) return
      const before = running.get(poll) ?? unopened
      const after = follow(before, effect)
      if (after === before) return
      running.put(poll, after)
      const value = { document: standingOf(poll, after), lead: leadOf(poll, before, after) }
      context.forward({ key: poll, value, timestampMs: after.at, headers })
    },
  }
}

standings.stores = [stores.keyValue({ name: runningStore, key: string(), value: json<RunningState>() })]

function follow(before: RunningState, effect: Effect): RunningState {
  const at = Math.max(before.at, effect.time)
  const base = { ...before, epoch: effect.epoch, version: before.version + 1, at }
  if (effect.type === 'open') {
    if (before.epoch !== 0) return before
    const zeros = Object.fromEntries(effect.rules.options.map((option) => [option, 0]))
    return { ...base, electorate: effect.rules.electorate ?? null, totals: zeros }
  }
  const change = netChange(effect)
  if (change === null) return before
  const totals = changedBy(changedBy(before.totals, change.removes, -1), change.adds, 1)
  const voters = before.voters + (effect.type === 'ballot' && effect.class === 'accepted' ? 1 : 0)
  const { leader } = rank(totals)
  if (leader === null || leader === before.ahead) return { ...base, totals, voters }
  const leadSecond = Math.floor(at / 1000) * 1000
  const aheadBefore = leadSecond === before.leadSecond ? before.aheadBefore : before.ahead
  return { ...base, totals, voters, ahead: leader, leadSecond, aheadBefore }
}

function standingOf(poll: string, { epoch, version, at, voters, totals, electorate }: RunningState): StandingDocument {
  return {
    kind: 'standing',
    poll,
    start: at,
    epoch,
    version,
    at,
    voters,
    totals,
    ...rank(totals),
    turnout: electorate === null ? null : voters / electorate,
  }
}

function leadOf(poll: string, before: RunningState, after: RunningState): LeadDocument | null {
  if (after.ahead === null || after.ahead === before.ahead) return null
  const { epoch, version, at, leadSecond: start, aheadBefore: from, ahead: to, voters, totals } = after
  return { kind: 'lead', poll, start, epoch, version, at, from, to, margin: rank(totals).margin, voters }
}

/** Who has most votes, if one has, and by how many. */
function rank(totals: Counts): { leader: string | null; margin: number } {
  let [leader, first, second]: [string | null, number, number] = [null, 0, 0]
  for (const [option, votes] of Object.entries(totals)) {
    if (votes > first) [leader, first, second] = [option, votes, first]
    else if (votes > second) second = votes
  }
  return first === second ? { leader: null, margin: 0 } : { leader, margin: first - second }
}
