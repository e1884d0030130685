import { analyticsMinuteMs, type MinuteDocument } from '@voting/election/analytics-events'
import { type PollView, statusOf } from './poll-view.ts'

/** All minutes of a poll up to some time, added up. */
export type MinuteSums = Pick<MinuteDocument, 'recorded' | 'accepted' | 'changed' | 'duplicates'> & {
  readonly rejections: PollView['rejections']
  readonly counts: PollView['totals']
  readonly regions: PollView['regions']
}

/** `at` of an address: a time in ISO 8601, or as a form sends it, without zone and in UTC. null: it is no time. */
export function parseAt(text: string): number | null {
  const isPlain = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/.test(text)
  const ms = Date.parse(isPlain ? `${text}Z` : text)
  return Number.isNaN(ms) ? null : ms
}

/** Only what is over stands still: of a poll that is open, late ballots may still change the past. */
export const isOver = (view: PollView, nowMs: number): boolean => ['closed', 'final'].includes(statusOf(view, nowMs))

/** Times are of whole minutes, within those of the poll. */
export function clampAt(view: PollView, atMs: number): number {
  const last = Math.ceil(Math.max(view.poll.closesAtMs, view.asOfMs ?? 0) / analyticsMinuteMs) * analyticsMinuteMs
  return Math.max(view.poll.opensAtMs, Math.min(last, Math.floor(atMs / analyticsMinuteMs) * analyticsMinuteMs))
}

/** A poll as it stood: the sum of the minutes until then. */
export function viewAt(view: PollView, sums: MinuteSums, atMs: number): PollView {
  const { poll } = view
  const zeros = Object.fromEntries(poll.options.map(({ id }) => [id, 0]))
  const rejected = Object.values(sums.rejections).reduce((total, count) => total + count, 0)
  const totals = { ...zeros, ...sums.counts }
  const chosen = Object.values(totals).reduce((total, count) => total + count, 0)
  return {
    ...view,
    asOfMs: atMs,
    voters: sums.accepted,
    totals,
    // Where a ballot may name several options their sum does not tell how many named none.
    blank: view.blank === null || poll.maxChoices > 1 ? null : sums.accepted - chosen,
    regions: Object.fromEntries(poll.regions.map((region) => [region, { ...zeros, ...sums.regions[region] }])),
    accounting: {
      recorded: sums.recorded,
      accepted: sums.accepted,
      superseded: sums.changed,
      rejected,
      duplicates: sums.duplicates,
    },
    rejections: sums.rejections,
  }
}
