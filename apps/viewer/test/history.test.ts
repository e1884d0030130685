import type { MinuteDocument, StandingDocument } from '@voting/election/analytics-events'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { startViewer } from '../src/service.ts'
import { insertPoll, writeAnalytics, writeCount } from './support/live-client.ts'

const minuteMs = 60_000
const opensAtMs = Math.floor(Date.now() / minuteMs) * minuteMs - 60 * minuteMs
let database: TestDatabase
let viewer: Awaited<ReturnType<typeof startViewer>>

beforeAll(async () => {
  database = await openTestDatabase()
  viewer = await startViewer({
    databaseUrl: database.url,
    host: '127.0.0.1',
    port: 0,
    opsHost: '127.0.0.1',
    opsPort: 0,
    ballotUrl: null,
    tickMs: 20,
    connectionsMax: 100,
    allowedOrigins: [],
    logger: silentLogger,
  })
})
afterAll(async () => {
  await viewer.close()
  await database.drop()
})

const epoch = 5
const base = { poll: 'p1', epoch, version: 1 }

const minute = (at: number, a: number, more: Partial<MinuteDocument> = {}): MinuteDocument => ({
  ...base,
  kind: 'minute',
  start: opensAtMs + at * minuteMs,
  recorded: a,
  accepted: a,
  changed: 0,
  duplicates: 0,
  rejections: {},
  counts: { a },
  regions: { north: { a } },
  ...more,
})
const standing = (poll: string, openedMs: number, at: number, a: number, b: number): StandingDocument => ({
  ...base,
  poll,
  kind: 'standing',
  start: openedMs + at * minuteMs,
  at: 0,
  voters: a + b,
  totals: { a, b },
  leader: 'a',
  margin: 0,
  turnout: null,
})

/** `p1` was open for ten minutes; its second run `p2` opened five minutes ago. */
beforeEach(async () => {
  await insertPoll(database, opensAtMs)
  await database.pool.query(
    `INSERT INTO polls (id, slug, title, options, regions, revote, definition_hash, opens_at, closes_at, poll_key, opened_at, series_id, run)
     SELECT 'p2', 'which-again', 'Which now?', options, regions, revote, 'h2', to_timestamp($1 / 1000.0), closes_at, poll_key, now(), 'p1', 2
     FROM polls WHERE id = 'p1'`,
    [opensAtMs + 55 * minuteMs],
  )
  await database.pool.query(
    "UPDATE polls SET closes_at = opens_at + interval '10 minutes', closed_at = now() WHERE id = 'p1'",
  )
  await writeCount(database, { epoch, version: 9, a: 6, b: 1, asOfMs: opensAtMs + 9 * minuteMs, status: 'final' })
  await writeAnalytics(database, [
    minute(0, 2),
    minute(3, 3, {
      recorded: 6,
      changed: 1,
      duplicates: 1,
      rejections: { malformed: 1 },
      counts: { a: 2, b: 1 },
      regions: { north: { a: 2, b: 1 } },
    }),
    minute(9, 2),
    standing('p1', opensAtMs, 0, 2, 0),
    standing('p1', opensAtMs, 3, 4, 1),
    standing('p1', opensAtMs, 9, 6, 1),
    { ...standing('p2', opensAtMs + 55 * minuteMs, 1, 1, 1), epoch: 0 },
  ])
})

const get = async (path: string): Promise<Response> => fetch(`${viewer.url}${path}`)
const isoAt = (minutes: number): string => new Date(opensAtMs + minutes * minuteMs).toISOString()

test('a closed poll is shown as it stood at a minute, every number of it', async () => {
  const at = async (minutes: number) => (await get(`/api/polls/which/results?at=${isoAt(minutes)}`)).json()
  expect(await at(0)).toMatchObject({ voters: 0, totals: { a: 0, b: 0 } })
  expect(await at(4)).toMatchObject({
    at: isoAt(4),
    asOf: isoAt(4),
    epoch,
    voters: 5,
    totals: { a: 4, b: 1 },
    regions: { north: { a: 4, b: 1 } },
    accounting: { recorded: 8, accepted: 5, superseded: 1, rejected: 1, duplicates: 1 },
    rejections: { malformed: 1 },
  })
  // What lies outside of the poll is its beginning and its end.
  expect(await at(-1000)).toMatchObject({ at: isoAt(0), voters: 0 })
  expect(await at(1000)).toMatchObject({ at: isoAt(10), voters: 7, totals: { a: 6, b: 1 } })
})

test('a poll that is open has no past that stands still, and a time is a time', async () => {
  expect(await (await get(`/api/polls/which-again/results?at=${isoAt(56)}`)).json()).toMatchObject({
    status: 409,
    code: 'still-open',
  })
  expect(await (await get('/api/polls/which/results?at=noon')).json()).toMatchObject({ status: 400, code: 'malformed' })
})

test('the page of a poll as it stood says so, takes the time of a form, and does not follow the poll', async () => {
  const page = await (await get(`/p/which?at=${isoAt(4).slice(0, 16)}`)).text()
  expect(page).toMatch(/id="frozen">You see this poll as it stood at <time>/)
  expect(page).toContain('data-state="frozen">As it stood<')
  expect(page).toMatch(/data-cell="votes">4</)
  expect(page).toContain(`"at":${opensAtMs + 4 * minuteMs}`)
  // An open poll, and a time that is none, show what is.
  expect(await (await get(`/p/which-again?at=${isoAt(56)}`)).text()).not.toContain('id="frozen"')
  expect(await (await get('/p/which?at=noon')).text()).not.toContain('id="frozen"')
})

test('polls are compared at the same times after their openings, each as long as it goes', async () => {
  const answer = await (await get('/api/polls/which-again/compare?with=which')).json()
  const { stepSeconds, elapsedSeconds, runs } = answer as {
    stepSeconds: number
    elapsedSeconds: number[]
    runs: { slug: string; run: number; voters: (number | null)[]; totals: Record<string, (number | null)[]> }[]
  }
  expect([stepSeconds, elapsedSeconds.slice(0, 3), runs.map(({ slug, run }) => [slug, run])]).toEqual([
    60,
    [0, 60, 120],
    [
      ['which-again', 2],
      ['which', 1],
    ],
  ])
  expect(runs[1]!.voters).toEqual([0, 2, 2, 2, 5, 5, 5, 5, 5, 5, 7])
  expect(runs[1]!.totals['b']).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
  expect(runs[0]!.voters.slice(0, 4)).toEqual([0, 0, 2, 2])
  expect(runs[0]!.voters.slice(8)).toEqual([null, null, null])
})

test.each([
  ['no other', 'with=', 'malformed'],
  ['too many', 'with=a,b,c,d', 'malformed'],
  ['one that is not there', 'with=nope', 'unknown-poll'],
])('a comparison with %s is refused', async (_what, query, code) => {
  expect(await (await get(`/api/polls/which/compare?${query}`)).json()).toMatchObject({ code })
})

test('the page compares without a script, and offers the other runs first', async () => {
  const page = await (await get('/p/which-again?cmp=which')).text()
  expect(page).toMatch(/<option dir="auto" value="which" selected>\u2068?Which &lt;one&gt;\?/)
  expect(page).toContain('id="compare-table"')
  expect(page).toMatch(/<th scope="row">.*4.*min.*<\/th><td class="n">2<\/td><td class="n">5<\/td>/)
  expect(await (await get('/p/which-again?cmp=which-again')).text()).not.toContain('id="compare-table"')
  expect(await (await get('/p/which-again?cmp=nope')).text()).not.toContain('id="compare-table"')
})

test('all polls are listed, newest first, with their runs; drafts are not, and have no page', async () => {
  const page = await (await get('/polls')).text()
  expect(page.indexOf('Which now?')).toBeLessThan(page.indexOf('Which &lt;one&gt;?'))
  expect(page).toContain('href="/p/which-again?cmp=which&amp;mode=share"')
  await database.pool.query("UPDATE polls SET is_draft = true WHERE id = 'p2'")
  expect(await (await get('/polls')).text()).not.toContain('Which now?')
  expect((await get('/p/which-again')).status).toBe(404)
  expect(await (await get('/api/polls')).json()).toMatchObject({ polls: [{ id: 'p1' }] })
})

test('a long list of polls has pages', async () => {
  await database.pool.query(
    `INSERT INTO polls (id, slug, title, options, revote, definition_hash, opens_at, closes_at, poll_key)
     SELECT 'q' || n, 'many-' || n, 'Poll number ' || n, '[]', 'last', 'h', now() + n * interval '1 hour', now() + interval '9 days', 'k'
     FROM generate_series(1, 30) n`,
  )
  const first = await (await get('/polls')).text()
  expect([first.includes('Poll number 30<'), first.includes('Poll number 5<')]).toEqual([true, false])
  expect(first).toContain('href="/polls?page=2"')
  expect(await (await get('/polls?page=2')).text()).toContain('Poll number 5<')
  expect(await (await get('/polls?page=999')).text()).toContain('Poll number 5<')
})
