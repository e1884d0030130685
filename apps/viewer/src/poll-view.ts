import type { Accounting, ResultDocument } from '@voting/election/events'
import type { ResultsVisible } from '@voting/election/poll-terms'
import type { Hiding } from './sealing.ts'

export type PollStatus = 'scheduled' | 'open' | 'closed' | 'final'

/** A poll's row, as ingest wrote it. */
export interface PollRow {
  readonly id: string
  readonly slug: string
  readonly title: string
  readonly options: readonly { readonly id: string; readonly label: string }[]
  readonly regions: readonly string[]
  readonly definitionHash: string
  readonly electorate: number | null
  /** The polls that were cloned from each other are the runs of one series. */
  readonly seriesId: string
  readonly run: number
  readonly revote: 'first' | 'last'
  readonly maxChoices: number
  readonly allowBlank: boolean
  readonly resultsVisible: ResultsVisible
  readonly opensAtMs: number
  readonly closesAtMs: number
  readonly isOpened: boolean
  readonly isClosed: boolean
}

/** What viewers see of a poll: its definition and the newest result, with zeros where nothing was counted yet. */
export interface PollView {
  readonly poll: PollRow
  /** Why the results are not in it: it is sealed (`sealing.ts`); null: they are. */
  readonly hiding: Hiding | null
  readonly epoch: number
  readonly version: number
  /** Event time of the newest counted ballot; null before the first. */
  readonly asOfMs: number | null
  readonly voters: number
  readonly totals: { readonly [option: string]: number }
  /** Counting ballots that name no option; null where the poll allows none. */
  readonly blank: number | null
  readonly regions: { readonly [region: string]: { readonly [option: string]: number } }
  readonly accounting: Accounting
  /** Ballots that were not counted, by reason. */
  readonly rejections: ResultDocument['rejections']
  readonly documentStatus: ResultDocument['status'] | null
}

const nothing: Accounting = { recorded: 0, accepted: 0, superseded: 0, rejected: 0, duplicates: 0 }

export function viewOf(poll: PollRow, document: ResultDocument | null): PollView {
  const zeros = Object.fromEntries(poll.options.map(({ id }) => [id, 0]))
  return {
    poll,
    hiding: null,
    epoch: document?.epoch ?? 0,
    version: document?.version ?? 0,
    asOfMs: document && document.asOf > 0 ? document.asOf : null,
    voters: document?.voters ?? 0,
    totals: { ...zeros, ...document?.totals },
    blank: poll.allowBlank ? (document?.blank ?? 0) : null,
    regions: { ...Object.fromEntries(poll.regions.map((region) => [region, zeros])), ...document?.regions },
    accounting: document?.accounting ?? nothing,
    rejections: document?.rejections ?? {},
    documentStatus: document?.status ?? null,
  }
}

/** `final` when every partition of the log has passed the close; until then closed by the clock or by the organiser. */
export function statusOf(view: PollView, nowMs: number): PollStatus {
  const { poll, documentStatus } = view
  if (documentStatus === 'final') return 'final'
  if (documentStatus === 'closed' || poll.isClosed || nowMs >= poll.closesAtMs) return 'closed'
  return nowMs >= poll.opensAtMs ? 'open' : 'scheduled'
}

/** Counting that started anew is newer than all before it; within it the version tells. */
export const isNewer = (view: PollView, than: PollView): boolean =>
  view.epoch === than.epoch ? view.version > than.version : view.epoch > than.epoch
