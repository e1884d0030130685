import type { Eligibility, ResultsVisible } from '@voting/election/poll-terms'
import type { Key, Words } from '../messages/index.ts'
import type { PollEvent } from '../poll-audit.ts'
import type { Poll } from '../poll-repository.ts'

export type PollState = 'draft' | 'scheduled' | 'open' | 'closed'

export function stateOf(poll: Poll, nowMs: number): PollState {
  if (poll.isDraft) return 'draft'
  if (poll.isClosed || nowMs >= poll.closesAtMs) return 'closed'
  return nowMs >= poll.opensAtMs ? 'open' : 'scheduled'
}

const stateKeys = {
  draft: 'stateDraft',
  scheduled: 'stateScheduled',
  open: 'stateOpen',
  closed: 'stateClosed',
} as const satisfies { readonly [state in PollState]: Key }

export const stateWord = (words: Words, poll: Poll, nowMs: number): string => words.say(stateKeys[stateOf(poll, nowMs)])

export function openTimes(words: Words, { opensAtMs, closesAtMs }: Poll): string {
  const [opens, closes] = [words.moment(opensAtMs), words.moment(closesAtMs)]
  return words.say(closesAtMs < opensAtMs ? 'closedBefore' : 'fromTo', { opens, closes })
}

export function visibleWords(words: Words, visible: ResultsVisible): string {
  switch (visible) {
    case 'live':
      return words.say('visibleLive')
    case 'after-voting':
      return words.say('visibleAfterVoting')
    case 'after-close':
      return words.say('visibleAfterClose')
    default:
      return words.say('visibleFrom', { n: visible.from })
  }
}

export function eligibilityWords(words: Words, eligibility: Eligibility): string {
  switch (eligibility.kind) {
    case 'link':
      return words.say('forLink')
    case 'codes':
      return words.say('forCodes')
    case 'addresses':
      return words.say('forAddresses')
    case 'claim':
      return words.say('forClaim', { claim: eligibility.claim, value: eligibility.value })
  }
}

export function choiceWords(words: Words, { maxChoices, allowBlank, revote }: Poll): string {
  const sentences = [
    maxChoices === 1 ? words.say('oneChoice') : words.say('upToChoices', { n: maxChoices }),
    ...(allowBlank ? [words.say('blankAllowed')] : []),
    words.say(revote === 'first' ? 'firstCounts' : 'lastCounts'),
  ]
  return sentences.join(' ')
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** What was done, in a sentence. */
export function eventWords(words: Words, { kind, details }: PollEvent): string {
  const time = (value: unknown): string => words.moment(Date.parse(text(value)))
  switch (kind) {
    case 'created':
      return words.say('eventCreated')
    case 'changed':
      return words.say('eventChanged')
    case 'published':
      return words.say('eventPublished')
    case 'opened':
      return words.say('eventOpened')
    case 'extended': {
      const { from, to, reason } = details
      return words.say('eventExtended', { from: time(from), to: time(to), reason: text(reason) })
    }
    case 'closed':
      return details['planned'] === undefined
        ? words.say('eventClosed')
        : words.say('eventClosedEarly', { planned: time(details['planned']) })
    case 'codes-issued':
      return words.say('eventCodesIssued', { n: Number(details['count']) })
    case 'addresses-listed':
      return words.say('eventAddressesListed', { n: Number(details['listed']) })
    case 'cloned':
      return words.say('eventCloned')
  }
}
