import type { RejectionReason } from './events.ts'

/**
 * Values of the topic `analytics` (compacted, key `pollId|kind|startMs`): what the tally finds out about a poll beside its
 * result. A public format like the others (`events.ts`): add fields and kinds, never change the meaning of one. Values
 * are absolute: a newer one of the same key, greater by (epoch, version), replaces the older.
 */
interface AnalyticsBase {
  readonly poll: string
  /** What the value is about begins here, in milliseconds; 0 where it is about the whole poll. */
  readonly start: number
  readonly epoch: number
  readonly version: number
}

type Counts = { readonly [option: string]: number }

/**
 * One minute of event time: what became of its ballots, and the net change of the result. The sum over all minutes is the
 * result, so the sum up to one of them is how the poll stood then.
 */
export interface MinuteDocument extends AnalyticsBase {
  readonly kind: 'minute'
  readonly recorded: number
  /** First ballots of voters. */
  readonly accepted: number
  /** Ballots that replaced an earlier one. */
  readonly changed: number
  readonly duplicates: number
  readonly rejections: { readonly [reason in RejectionReason]?: number }
  /** Net change of each option, may be negative. */
  readonly counts: Counts
  readonly regions: { readonly [region: string]: Counts }
}

/** How the poll stood at the end of a minute, in the order in which ballots were counted. */
export interface StandingDocument extends AnalyticsBase {
  readonly kind: 'standing'
  /** Event time of the newest ballot in it. */
  readonly at: number
  readonly voters: number
  readonly totals: Counts
  /** The option with most votes; null where several have as many. */
  readonly leader: string | null
  /** Votes between the first and the second. */
  readonly margin: number
  /** Voters of those who may vote, 0 to 1; null where it is not known how many may. */
  readonly turnout: number | null
}

/**
 * Another option is ahead than before. Keyed by the second, the last of which counts: with `from` equal to `to` the lead came
 * back within it, and nothing changed.
 */
export interface LeadDocument extends AnalyticsBase {
  readonly kind: 'lead'
  readonly at: number
  /** Who was ahead at the beginning of the second; null: nobody yet. */
  readonly from: string | null
  readonly to: string
  readonly margin: number
  readonly voters: number
}

/** How voters changed their minds over the whole poll. Groups below `flowGroupMin` are left out: they are people one may know. */
export interface FlowsDocument extends AnalyticsBase {
  readonly kind: 'flows'
  /** Voters who went from one option to another: `flows[from][to]`. */
  readonly flows: { readonly [from: string]: Counts }
}

/** Many more ballots than usual within some windows in a row: to be looked at. They count like all others. */
export interface BurstDocument extends AnalyticsBase {
  readonly kind: 'burst'
  /** End of the last of its windows, exclusive. */
  readonly end: number
  readonly windowMs: number
  /** Ballots of any fate in it. */
  readonly recorded: number
  readonly rejected: number
  /** Most ballots in one window. */
  readonly peak: number
  /** Per window: the median of the five minutes before, or the mean of all windows with ballots so far if that is more. */
  readonly usual: number
}

export type AnalyticsDocument = MinuteDocument | StandingDocument | LeadDocument | FlowsDocument | BurstDocument
export type AnalyticsKind = AnalyticsDocument['kind']

/** Smaller groups of voters who changed their minds are never published. */
export const flowGroupMin = 10

export const analyticsMinuteMs = 60_000
