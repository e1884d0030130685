import type { AnalyticsDocument } from '@voting/election/analytics-events'
import type { ResultsVisible } from '@voting/election/poll-terms'
import { receiptFor } from '@voting/election/receipt'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { openapi } from '../src/openapi.ts'
import { startViewer } from '../src/service.ts'
import { insertPoll, LiveClient, writeAnalytics, writeCount } from './support/live-client.ts'

const opensAtMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000
/** Of what is counted in this test; each begins anew. */
let epoch = 5
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

/** Numbers that stand nowhere by chance. */
const [votesA, votesB] = [70_123, 30_456]
const told = ['70123', '70,123', '30456', '30,456', '69.7', '30.3', '39667', '39,667']

const count = (version: number, a = votesA, b = votesB, status = 'open'): Promise<void> =>
  writeCount(database, { epoch, version, a, b, asOfMs: opensAtMs + 61_000, status })

const base = { poll: 'p1', epoch: 0, version: 1 } as const
const found: readonly AnalyticsDocument[] = [
  { ...base, kind: 'lead', start: opensAtMs, at: opensAtMs, from: 'b', to: 'a', margin: 39_667, voters: 5 },
  { ...base, kind: 'flows', start: 0, flows: { a: { b: 30_456 } } },
  {
    ...base,
    kind: 'standing',
    start: opensAtMs,
    at: opensAtMs,
    voters: 5,
    totals: { a: votesA, b: votesB },
    leader: 'a',
    margin: 39_667,
    turnout: null,
  },
  {
    ...base,
    kind: 'minute',
    start: opensAtMs,
    recorded: 5,
    accepted: 5,
    changed: 0,
    duplicates: 0,
    rejections: {},
    counts: { a: votesA, b: votesB },
    regions: {},
  },
]

beforeEach(async () => {
  epoch++
  await insertPoll(database, opensAtMs)
  // Another poll, which anyone may see, to compare with.
  await database.pool.query(
    `INSERT INTO polls (id, slug, title, options, regions, revote, definition_hash, opens_at, closes_at, poll_key)
     SELECT 'p2', 'other', 'Other', options, regions, revote, 'h2', opens_at, closes_at, poll_key FROM polls`,
  )
})

async function hide(resultsVisible: ResultsVisible): Promise<void> {
  await database.pool.query("UPDATE polls SET results_visible = $1 WHERE id = 'p1'", [JSON.stringify(resultsVisible)])
  await count(1)
  await writeAnalytics(
    database,
    found.map((document) => ({ ...document, epoch })),
  )
}

/** Every address there is that could tell of a poll. */
const addresses = [
  ...Object.keys(openapi.paths).map((path) => path.replace('{id}', 'which')),
  '/api/polls/which/trends?window=1s',
  '/api/polls/which/compare?with=other',
  '/api/polls/other/compare?with=which',
  `/api/polls/which/results?at=${new Date(opensAtMs).toISOString()}`,
  '/api/polls/which/export.csv?table=regions',
  '/api/polls/which/export.csv?table=minutes',
  '/',
  '/p/which',
  '/p/which?lang=ar&sort=votes&mode=share&range=all',
  '/p/which?cmp=other',
  '/p/other?cmp=which',
  `/p/which?at=${new Date(opensAtMs).toISOString()}`,
  '/embed/which',
  '/polls',
]

async function leaks(query = ''): Promise<string[]> {
  const found: string[] = []
  for (const address of addresses) {
    const response = await fetch(`${viewer.url}${address}${query && (address.includes('?') ? '&' : '?')}${query}`)
    const text = await response.text()
    expect([address, response.status < 500 && response.status !== 404]).toEqual([address, true])
    if (told.some((number) => text.includes(number))) found.push(address)
  }
  return found
}

test.each(['after-close', 'after-voting', { from: 200_000 }] as const)(
  'results that are shown %j leak from no address and no frame',
  async (resultsVisible) => {
    await hide(resultsVisible)
    expect(await leaks()).toEqual([])
    expect(await leaks('receipt=AAAAA-BBBBB-CCCCC-DDDDD')).toEqual([])

    const client = await new LiveClient(viewer.url).open()
    client.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs } })
    const snap = await client.next('snap')
    expect(snap).toMatchObject({ hidden: resultsVisible, voters: votesA + votesB, o: [], regions: {} })
    await count(2, votesA + 1)
    const change = await client.next('d')
    expect(change).toMatchObject({ ver: 2, voters: votesA + votesB + 1, o: [] })
    client.send({ op: 'sub', poll: 'p1', epoch, ver: 1, trend: { res: '1s', since: opensAtMs } })
    const resumed = await client.next('d')
    const said = JSON.stringify([snap, change, resumed, client.frames])
    expect([...told, '70124', '"b":'].filter((number) => said.includes(number))).toEqual([])
    client.socket.close()
  },
)

test('hidden results say so: programs get a stable code, lists and results a mark, people a sentence', async () => {
  await hide('after-close')
  const get = async (path: string) => (await fetch(`${viewer.url}${path}`)).json()
  expect(await get('/api/polls/which/results')).toMatchObject({ hidden: 'after-close', totals: {}, regions: {} })
  expect(await get('/api/polls')).toMatchObject({ polls: [{ hidden: 'after-close', totals: {} }, { id: 'p2' }] })
  for (const path of ['trends', 'analytics', 'export.csv', 'export.json', 'compare?with=other']) {
    expect(await get(`/api/polls/which/${path}`)).toMatchObject({ status: 403, code: 'results-hidden' })
  }
  const page = await (await fetch(`${viewer.url}/p/which`)).text()
  expect(page).toContain('The results are shown after the close.')
})

test('after the close everything is shown, and those who watch are told to come for it', async () => {
  await hide('after-close')
  const client = await new LiveClient(viewer.url).open()
  client.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs } })
  await client.next('snap')
  await database.pool.query("UPDATE polls SET closes_at = now(), closed_at = now() WHERE id = 'p1'")
  await count(2, votesA, votesB, 'final')
  expect(await client.next('st')).toMatchObject({ status: 'final', reveal: expect.any(Number) })
  client.socket.close()
  const shown = await leaks()
  expect(shown).toContain('/api/polls/which/results')
  expect(shown).toContain('/p/which')
  expect(shown).toContain('/embed/which')
  expect(shown).toContain('/api/polls/which/export.json')
})

test('a close by the clock alone, with nothing written, is enough', async () => {
  await hide('after-close')
  await database.pool.query("UPDATE polls SET closes_at = now() + interval '1.2 seconds' WHERE id = 'p1'")
  const client = await new LiveClient(viewer.url).open()
  client.send({ op: 'sub', poll: 'which' })
  expect(await client.next('snap')).toMatchObject({ hidden: 'after-close' })
  expect(await client.next('st')).toMatchObject({ status: 'closed' })
  expect(await client.next('st')).toMatchObject({ status: 'closed', reveal: expect.any(Number) })
  client.socket.close()
})

test('who has voted sees the results by the receipt, also live; a rejected or foreign receipt opens nothing', async () => {
  await hide('after-voting')
  const [counted, rejected, foreign] = ['x1', 'x2', 'x3'].map(receiptFor)
  await database.pool.query(
    `INSERT INTO receipts VALUES ($1, 'p1', 'x1', 'counted', NULL, now()), ($2, 'p1', 'x2', 'rejected', 'closed', now()),
       ($3, 'p2', 'x3', 'counted', NULL, now())`,
    [counted, rejected, foreign],
  )
  expect(await leaks(`receipt=${rejected}`)).toEqual([])
  expect(await leaks(`receipt=${foreign}`)).toEqual([])
  const shown = await leaks(`receipt=${counted!.toLowerCase()}`)
  expect(shown).toContain('/p/which')
  expect(shown).toContain('/api/polls/which/results')
  // Lists are the same for everybody.
  expect(shown).not.toContain('/polls')

  const [voter, other] = [await new LiveClient(viewer.url).open(), await new LiveClient(viewer.url).open()]
  voter.send({ op: 'sub', poll: 'which', receipt: counted, trend: { res: '1s', since: opensAtMs } })
  other.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs } })
  expect(await voter.next('snap')).toMatchObject({
    o: [
      ['a', votesA],
      ['b', votesB],
    ],
  })
  expect(await other.next('snap')).toMatchObject({ o: [] })
  await count(2, votesA + 1)
  expect(await voter.next('d')).toMatchObject({
    o: [['a', votesA + 1]],
    b: [[expect.any(Number), [votesA + 1, votesB]]],
  })
  expect(await other.next('d')).toMatchObject({ o: [] })
  voter.socket.close()
  other.socket.close()
})

test('results that wait for so many voters are shown with the one who makes them so many', async () => {
  await hide({ from: votesA + votesB + 1 })
  const client = await new LiveClient(viewer.url).open()
  client.send({ op: 'sub', poll: 'which' })
  expect(await client.next('snap')).toMatchObject({ o: [] })
  expect((await leaks()).length).toBe(0)
  await count(2, votesA, votesB + 1)
  expect(await client.next('st')).toMatchObject({ status: 'open', reveal: expect.any(Number) })
  expect(await leaks()).toContain('/p/which')
  client.socket.close()
})
