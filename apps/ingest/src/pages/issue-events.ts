import type { Words } from '../messages/index.ts'
import type { PollEvent } from '../poll-audit.ts'

/** Something that was done, or the same several times in a row by the same organiser: codes are often issued lot by lot. */
export interface Fold {
  readonly firstMs: number
  readonly last: PollEvent
  readonly times: number
  /** Codes of all lots; 0 where it is something else. */
  readonly codes: number
}

/** What was done, with lots of codes in a row as one: a list of hundreds would hide what matters. The database has each. */
export function foldIssues(events: readonly PollEvent[]): readonly Fold[] {
  const folds: Fold[] = []
  for (const event of events) {
    const before = folds.at(-1)
    const codes = event.kind === 'codes-issued' ? Number(event.details['count']) : 0
    const isMore = codes > 0 && before !== undefined && before.codes > 0 && before.last.actor === event.actor
    if (isMore)
      folds[folds.length - 1] = { ...before, last: event, times: before.times + 1, codes: before.codes + codes }
    else folds.push({ firstMs: event.atMs, last: event, times: 1, codes })
  }
  return folds
}

/** What was done several times in a row, in a sentence; null for what was done once. */
export const issueWords = (words: Words, { last, times, codes }: Fold): string | null =>
  times === 1 ? null : words.say('eventCodesIssuedOften', { n: codes, times, until: words.moment(last.atMs) })
