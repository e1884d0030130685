/**
 * The JSON values of the topics. They are a public format: add fields, never change the meaning of one. No personal data
 * is in any of them; the voter tag is an HMAC under a key that only ingest holds.
 */

/** The part of a poll's definition that decides what becomes of a ballot. */
export interface PollRules {
  readonly options: readonly string[]
  readonly regions: readonly string[]
  /** `first`: the first ballot of a voter counts. `last`: a later one replaces it. */
  readonly revote: 'first' | 'last'
  readonly definitionHash: string
  readonly electorate?: number
  /** How many options a ballot may name. Absent: one. */
  readonly maxChoices?: number
  /** Whether a ballot may name none. Absent: it may not. */
  readonly allowBlank?: boolean
}

/** Topic `ballots`, key `pollId|voterTag`, partition by the key; the record's timestamp is `at`. */
export interface BallotEvent {
  readonly type: 'ballot'
  readonly poll: string
  /** Unique per intended vote: a repeat of the same ballot carries the same id and counts once. */
  readonly ballotId: string
  /** The one choice; a ballot has either this or `choices`. */
  readonly option?: string
  /** Choices where a poll allows several, each once, in the poll's order; or none: a blank ballot. */
  readonly choices?: readonly string[]
  /** Region of the voter's code, if it has one. */
  readonly region: string | null
  /** Milliseconds since the epoch, when ingest accepted it. */
  readonly at: number
}

/**
 * Topic `ballots`, key `pollId`, written to EVERY partition: a ballot's fate depends on what precedes it in its own
 * partition. Idempotent by `eventId` (`<pollId>:open`, `<pollId>:close`, `<pollId>:extend:<n>`).
 */
export type ControlEvent =
  | {
      readonly type: 'open'
      readonly poll: string
      readonly eventId: string
      readonly rules: PollRules
      readonly opensAt: number
      readonly closesAt: number
      readonly at: number
    }
  | {
      readonly type: 'extend'
      readonly poll: string
      readonly eventId: string
      readonly closesAt: number
      readonly at: number
    }
  | { readonly type: 'close'; readonly poll: string; readonly eventId: string; readonly at: number }

export type LogEvent = BallotEvent | ControlEvent

/** What a ballot chooses: one option as its id, several as a list, a blank ballot as an empty one. */
export type Choice = string | readonly string[]

/** The options of a choice, whichever of its two forms it has. */
export const optionsOf = (choice: Choice): readonly string[] => (typeof choice === 'string' ? [choice] : choice)

export type RejectionReason =
  | 'unknown-poll'
  | 'not-open'
  | 'closed'
  | 'unknown-option'
  | 'too-many-choices'
  | 'blank-not-allowed'
  | 'already-voted'
  | 'malformed'

/** How many ballots the log holds for a poll and what became of them. Holds in every version:
 * `recorded = accepted + superseded + rejected + duplicates`. */
export interface Accounting {
  readonly recorded: number
  /**
   * Counting now = voters. Where a ballot names one option this is the sum of the totals and the blank ballots; where it may
   * name several the totals may add up to more.
   */
  readonly accepted: number
  /** Replaced by a later ballot of the same voter. */
  readonly superseded: number
  readonly rejected: number
  /** A ballot id seen before. */
  readonly duplicates: number
}

/** Topic `results`, key poll id: the whole result, absolute values. */
export interface ResultDocument {
  readonly poll: string
  /** Milliseconds; grows when counting starts anew. A result is newer if (epoch, version) is greater. */
  readonly epoch: number
  /** Grows by one with every effect that was applied. */
  readonly version: number
  /** `final`: every partition has passed the poll's close. */
  readonly status: 'open' | 'closed' | 'final'
  /** Event time of the newest effect in it. */
  readonly asOf: number
  readonly definitionHash: string
  readonly voters: number
  readonly totals: { readonly [option: string]: number }
  /** Counting ballots that name no option. Absent where the poll allows none. */
  readonly blank?: number
  readonly regions: { readonly [region: string]: { readonly [option: string]: number } }
  readonly accounting: Accounting
  readonly rejections: { readonly [reason in RejectionReason]?: number }
  /**
   * What of the log is in this result: of each partition of `ballots` the offset behind the poll's last record that is. A
   * partition that is not named has none, or none since an earlier version counted, which did not say it.
   */
  readonly positions?: { readonly [partition: string]: number }
}

/** Topic `trends`, key `pollId|windowMs|startMs`: net change of each option in the window, absolute, may be negative. */
export interface TrendDocument {
  readonly poll: string
  readonly windowMs: number
  readonly start: number
  readonly epoch: number
  readonly version: number
  readonly counts: { readonly [option: string]: number }
}

/** Topic `receipts`, key receipt. */
export interface ReceiptDocument {
  readonly poll: string
  readonly ballotId: string
  readonly status: 'counted' | 'superseded' | 'rejected'
  readonly reason?: RejectionReason
  readonly at: number
}

/** Topic `rejections`, key poll id. */
export interface RejectionEvent {
  readonly poll: string
  readonly ballotId: string | null
  readonly reason: RejectionReason
  readonly at: number
}
