import { expect, test } from 'vitest'
import { wordsIn } from '../src/messages/index.ts'
import { foldIssues, issueWords } from '../src/pages/issue-events.ts'
import type { PollEvent, PollEventKind } from '../src/poll-audit.ts'

const noonMs = Date.parse('2026-05-03T12:00:00Z')
const event = (minute: number, kind: PollEventKind, actor: string | null, count?: number): PollEvent => ({
  kind,
  atMs: noonMs + minute * 60_000,
  actor,
  details: count === undefined ? {} : { count },
})

test('lots of codes that one organiser issues in a row are one line, and nothing else is', () => {
  const folds = foldIssues([
    event(0, 'opened', null),
    event(1, 'codes-issued', 'Ada', 500),
    event(2, 'codes-issued', 'Ada', 500),
    event(3, 'codes-issued', 'Ada', 7),
    event(4, 'codes-issued', 'Bo', 9),
    event(5, 'extended', 'Ada'),
    event(6, 'extended', 'Ada'),
    event(7, 'codes-issued', 'Ada', 2),
  ])
  expect(folds.map(({ firstMs, times, codes }) => [(firstMs - noonMs) / 60_000, times, codes])).toEqual([
    [0, 1, 0],
    [1, 3, 1007],
    [4, 1, 9],
    [5, 1, 0],
    [6, 1, 0],
    [7, 1, 2],
  ])
  expect(folds.map((fold) => issueWords(wordsIn('en'), fold))).toEqual([
    null,
    '1,007 voter codes issued in 3 lots, the last May 3, 2026, 12:03 PM UTC',
    null,
    null,
    null,
    null,
  ])
})
