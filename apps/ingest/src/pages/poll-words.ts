import type { Eligibility, ResultsVisible } from '@voting/election/poll-terms'
import type { PollEvent } from '../poll-audit.ts'
import type { Poll } from '../poll-repository.ts'

export const when = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

export type PollState = 'draft' | 'scheduled' | 'open' | 'closed'

export function stateOf(poll: Poll, nowMs: number): PollState {
  if (poll.isDraft) return 'draft'
  if (poll.isClosed || nowMs >= poll.closesAtMs) return 'closed'
  return nowMs >= poll.opensAtMs ? 'open' : 'scheduled'
}

export function openTimes({ opensAtMs, closesAtMs }: Poll): string {
  const [opens, closes] = [when.format(opensAtMs), when.format(closesAtMs)]
  if (closesAtMs < opensAtMs) return `Closed ${closes} UTC, before it was to open at ${opens} UTC.`
  return `${opens} to ${closes} UTC.`
}

export function visibleWords(visible: ResultsVisible): string {
  switch (visible) {
    case 'live':
      return 'Results are visible live.'
    case 'after-voting':
      return 'Results are visible to who has voted, and to everybody after the close.'
    case 'after-close':
      return 'Results are visible after the close.'
    default:
      return `Results are visible from ${visible.from} voters, or after the close.`
  }
}

export function eligibilityWords(eligibility: Eligibility): string {
  switch (eligibility.kind) {
    case 'link':
      return 'Indicative: anyone with the link may take part.'
    case 'codes':
      return 'For who has a voter code.'
    case 'addresses':
      return 'For listed e-mail addresses.'
    case 'claim':
      return `For who has ${eligibility.claim} = ${eligibility.value} at the provider.`
  }
}

export function choiceWords({ maxChoices, allowBlank, revote }: Poll): string {
  const choices = maxChoices === 1 ? 'One choice' : `Up to ${maxChoices} choices`
  const blank = allowBlank ? ', blank ballots are allowed' : ''
  return `${choices}${blank}. ${revote === 'first' ? 'The first ballot counts.' : 'The last ballot counts.'}`
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
const timeText = (value: unknown): string => `${when.format(Date.parse(text(value)))} UTC`

/** What was done, in a sentence. */
export function eventWords({ kind, details }: PollEvent): string {
  switch (kind) {
    case 'created':
      return 'Created'
    case 'changed':
      return 'Changed'
    case 'published':
      return 'Published'
    case 'opened':
      return 'Opened: nothing that voters decide on changes from here on'
    case 'extended':
      return `Extended from ${timeText(details['from'])} to ${timeText(details['to'])}: ${text(details['reason'])}`
    case 'closed':
      return details['planned'] === undefined ? 'Closed' : `Closed ahead of ${timeText(details['planned'])}`
    case 'codes-issued':
      return `${text(details['count'])} voter codes issued`
    case 'addresses-listed':
      return `${text(details['listed'])} addresses listed`
    case 'cloned':
      return 'Created as the next run of an earlier poll'
  }
}
