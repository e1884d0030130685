import type { AnalyticsDocument } from '@voting/election/analytics-events'
import { expect, test } from 'vitest'
import { analyticsOf } from '../src/analytics.ts'

const start = 1_763_800_020_000
const minuteMs = 60_000
const base = { poll: 'p1', epoch: 7, version: 1 }

const minute = (at: number, accepted: number, changed = 0, rejections = {}): AnalyticsDocument => ({
  ...base,
  kind: 'minute',
  start: start + at * minuteMs,
  recorded: accepted + changed,
  accepted,
  changed,
  duplicates: 0,
  rejections,
  counts: { a: accepted },
  regions: {},
})
const standing = (at: number, a: number, b: number, turnout: number | null = null): AnalyticsDocument => ({
  ...base,
  kind: 'standing',
  start: start + at * minuteMs,
  at: start,
  voters: a + b,
  totals: { a, b },
  leader: a > b ? 'a' : 'b',
  margin: Math.abs(a - b),
  turnout,
})

test('columns have every minute; one without a ballot ends as the one before it did', () => {
  const { minutes } = analyticsOf(
    [standing(0, 1, 0, 0.1), minute(0, 1), minute(2, 2, 1, { closed: 2, malformed: 1 }), standing(2, 1, 2, 0.3)],
    ['a', 'b'],
  )
  expect(minutes).toEqual({
    startMs: [start, start + minuteMs, start + 2 * minuteMs],
    votes: [1, 0, 3],
    changed: [0, 0, 1],
    rejected: [0, 0, 3],
    voters: [1, 1, 3],
    turnout: [0.1, 0.1, 0.3],
    leader: ['a', 'a', 'b'],
    margin: [1, 1, 1],
    totals: { a: [1, 1, 1], b: [0, 0, 2] },
  })
  expect(analyticsOf([], ['a']).minutes).toMatchObject({ startMs: [], turnout: null, totals: { a: [] } })
})

test('a lead that came back is not listed, and changes of mind are listed with the largest group first', () => {
  const lead = (at: number, from: string | null, to: string): AnalyticsDocument => ({
    ...base,
    kind: 'lead',
    start: start + at,
    at: start + at,
    from,
    to,
    margin: 1,
    voters: 3,
  })
  const { leads, flows } = analyticsOf(
    [
      lead(0, null, 'a'),
      lead(1000, 'a', 'a'),
      lead(2000, 'a', 'b'),
      { ...base, kind: 'flows', start: 0, flows: { a: { b: 11, c: 40 }, b: { a: 20 } } },
    ],
    ['a', 'b', 'c'],
  )
  expect(leads.map(({ from, to }) => [from, to])).toEqual([
    [null, 'a'],
    ['a', 'b'],
  ])
  expect(flows.map(({ voters }) => voters)).toEqual([40, 20, 11])
})
