import { afterAll, beforeAll, expect, test } from 'vitest'
import { createByForm, newOrganiser, type OrganiserClient } from './support/organiser-client.ts'
import { openTestIngest, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
let mary: OrganiserClient
beforeAll(async () => {
  system = await openTestIngest()
  mary = await newOrganiser(system, 'Mary')
})
afterAll(() => system.close())

test('the owner sees how the counting goes and what to look at, and not for what anybody voted', async () => {
  const id = await createByForm(mary, { electorate: '40', visible: 'after-close' })
  expect(await mary.page(`/organiser/polls/${id}`)).toContain('No ballot has been counted yet.')
  const accounting = { recorded: 1234, accepted: 10, superseded: 1200, rejected: 23, duplicates: 1 }
  const result = {
    poll: id,
    voters: 10,
    totals: { o1: 777, o2: 3 },
    accounting,
    rejections: { closed: 3, malformed: 20 },
  }
  const burst = { kind: 'burst', poll: id, start: 0, end: 20_000, recorded: 812, rejected: 5 }
  const { pool } = system.database
  await pool.query('INSERT INTO results VALUES ($1, 7, 1, $2, 1)', [id, result])
  await pool.query("INSERT INTO analytics VALUES ($1, 'burst', 0, 7, 1, $2, 1)", [id, burst])
  const page = (await mary.page(`/organiser/polls/${id}`)).replaceAll(/\s+/g, ' ')
  expect(page).toContain('Ballots recorded: 1,234 = 10 counting now + 1,200 superseded + 23 rejected + 1 duplicates.')
  expect(page).toContain('Turnout: 25.0% of 40.')
  expect(page).toMatch(/20: not readable.*3: after the close/)
  expect(page).toContain('20 s: 812 ballots, of which 5 rejected')
  expect(page).not.toContain('777')
})

test('the owner sees how the poll went; who leads, and by how much, only when everybody may', async () => {
  const id = await createByForm(mary, {
    options: 'Red\nBlue',
    electorate: '40',
    revote: 'last',
    regions: 'North\nSouth',
    visible: 'after-close',
  })
  const [noon, minute] = [Date.parse('2026-05-03T12:00:00Z'), 60_000]
  const document = (kind: string, start: number, rest: object) => ({
    kind,
    poll: id,
    epoch: 7,
    version: 1,
    start,
    ...rest,
  })
  const happened = { recorded: 9, duplicates: 0, counts: {}, regions: {} }
  const documents = [
    document('minute', noon, { ...happened, accepted: 8, changed: 0, rejections: {} }),
    document('minute', noon + 2 * minute, { ...happened, accepted: 3, changed: 2, rejections: { malformed: 4 } }),
    // Long after the last vote: no reason for an axis of years.
    document('minute', noon + 2e6 * minute, { ...happened, accepted: 0, changed: 0, rejections: { closed: 1 } }),
    document('standing', noon, {
      at: noon,
      voters: 8,
      totals: { o1: 2, o2: 6 },
      leader: 'o2',
      margin: 4,
      turnout: 0.2,
    }),
    document('standing', noon + 2 * minute, {
      at: noon,
      voters: 11,
      totals: { o1: 3, o2: 8 },
      leader: 'o2',
      margin: 5,
      turnout: 0.275,
    }),
    document('lead', noon + 1000, { at: noon + 1000, from: null, to: 'o1', margin: 1, voters: 1 }),
    document('lead', noon + 5000, { at: noon + 5000, from: 'o1', to: 'o2', margin: 1, voters: 5 }),
    document('lead', noon + 9000, { at: noon + 9000, from: 'o2', to: 'o2', margin: 1, voters: 7 }),
    document('flows', 0, { flows: { o1: { o2: 12 } } }),
  ]
  const { pool } = system.database
  const regions = { North: { o1: 3, o2: 1 }, South: { o2: 7 } }
  const accounting = { recorded: 18, accepted: 11, superseded: 2, rejected: 5, duplicates: 0 }
  const result = { poll: id, epoch: 7, voters: 11, totals: { o1: 3, o2: 8 }, accounting, rejections: {}, regions }
  await pool.query('INSERT INTO results VALUES ($1, 7, 1, $2, 1)', [id, result])
  for (const each of documents) {
    await pool.query('INSERT INTO analytics VALUES ($1, $2, $3, 7, 1, $4, 1)', [id, each.kind, each.start, each])
  }
  const rows = (page: string): string[][] =>
    [...page.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
      [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => cell!.replace(/<[^>]*>/g, '').trim()),
    )
  const open = (await mary.page(`/organiser/polls/${id}`)).replaceAll(/\s+/g, ' ')
  expect(open).toContain(
    'Votes per minute: 5 in the newest interval that is over, 8 in the busiest one, from May 3, 2026, 12:00 PM UTC on.',
  )
  expect(rows(open)).toEqual([
    ['From (UTC)', 'Votes', 'Changed', 'Rejected', 'Voters so far', 'Turnout'],
    ['May 3, 2026, 12:02 PM', '5', '2', '5', '11', '27.5%'],
    ['12:01 PM', '0', '0', '0', '8', '20.0%'],
    ['12:00 PM', '8', '0', '0', '8', '20.0%'],
  ])
  expect(open).toContain('until then they are for nobody')
  for (const secret of ['took the lead', '72.7%', 'From Red to Blue', 'By region']) expect(open).not.toContain(secret)

  await mary.post(`/organiser/polls/${id}/close`, { confirm: 'close' })
  const closed = (await mary.page(`/organiser/polls/${id}`)).replaceAll(/\s+/g, ' ')
  expect(rows(closed).slice(0, 2)).toEqual([
    ['From (UTC)', 'Votes', 'Changed', 'Rejected', 'Voters so far', 'Turnout', 'Lead of the first', 'Red', 'Blue'],
    ['May 3, 2026, 12:02 PM', '5', '2', '5', '11', '27.5%', '5', '27.3%', '72.7%'],
  ])
  expect(closed).toMatch(
    /12:00:05 PM UTC: Blue took the lead from Red, by 1, after 5 voters.*Red was the first to lead/,
  )
  expect(closed).not.toContain('from Blue')
  expect(closed).toContain('From Red to Blue: 12 voters')
  expect(rows(closed).slice(-2)).toEqual([
    ['North', '3', '1'],
    ['South', '0', '7'],
  ])
})
