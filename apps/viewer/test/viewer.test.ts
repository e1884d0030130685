import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { silentLogger } from 'stream-core'
import { lineOf } from '../public/shared.js'
import { texts, tongueOf } from '../src/pages/messages/index.ts'
import { startViewer } from '../src/service.ts'
import { insertPoll, LiveClient, writeAnalytics, writeCount } from './support/live-client.ts'

let database: TestDatabase
let viewer: Awaited<ReturnType<typeof startViewer>>
/** Of what is counted in this test; each begins anew. */
let epoch = 0
const opensAtMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000

beforeAll(async () => {
  database = await openTestDatabase()
  viewer = await startViewer({
    databaseUrl: database.url,
    host: '127.0.0.1',
    port: 0,
    opsHost: '127.0.0.1',
    opsPort: 0,
    ballotUrl: 'http://ballots.example',
    tickMs: 20,
    connectionsMax: 100,
    allowedOrigins: ['https://city.example'],
    logger: silentLogger,
  })
})
afterAll(async () => {
  await viewer.close()
  await database.drop()
})

beforeEach(async () => {
  epoch++
  await insertPoll(database, opensAtMs)
})

const count = (version: number, a: number, b: number, status = 'open'): Promise<void> =>
  writeCount(database, { epoch, version, a, b, asOfMs: opensAtMs + 61_000, status })

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${viewer.url}${path}`, { headers })

test('the results of a poll without votes are zeros', async () => {
  const response = await get('/api/polls/which/results')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    poll: 'p1',
    status: 'open',
    voters: 0,
    asOf: null,
    totals: { a: 0, b: 0 },
    regions: { north: { a: 0, b: 0 } },
    accounting: { recorded: 0, accepted: 0, superseded: 0, rejected: 0, duplicates: 0 },
  })
})

test('a result that was seen is answered with 304 until it changes', async () => {
  await count(1, 1, 0)
  const first = await get('/api/polls/p1/results')
  const etag = first.headers.get('etag')!
  expect((await get('/api/polls/p1/results', { 'if-none-match': etag })).status).toBe(304)
  await count(2, 1, 1)
  const changed = await get('/api/polls/p1/results', { 'if-none-match': etag })
  expect(await changed.json()).toMatchObject({ version: 2, voters: 2, status: 'open' })
})

test('a trend has every window from the opening, zeros where nothing was counted, aligned columns', async () => {
  await count(1, 3, 1)
  const body = (await (await get('/api/polls/p1/trends?window=1m')).json()) as {
    start: string[]
    counts: Record<string, number[]>
  }
  expect(body.start[0]).toBe(new Date(opensAtMs).toISOString())
  expect(body.start.length).toBeGreaterThanOrEqual(3)
  expect(body.counts['a']!.slice(0, 3)).toEqual([0, 3, 0])
  expect(body.counts['b']).toHaveLength(body.start.length)
  const range = `from=${new Date(opensAtMs + 60_000).toISOString()}&to=${new Date(opensAtMs + 62_000).toISOString()}`
  const part = await (await get(`/api/polls/p1/trends?window=1s&${range}`)).json()
  expect(part).toEqual({
    window: '1s',
    start: [0, 1000].map((ms) => new Date(opensAtMs + 60_000 + ms).toISOString()),
    counts: { a: [0, 3], b: [0, 1] },
  })
})

test('analytics are those of the counting that is shown', async () => {
  await count(1, 2, 1)
  const lead = { kind: 'lead', poll: 'p1', version: 1, from: null, margin: 1, voters: 1 } as const
  await writeAnalytics(database, [
    { ...lead, epoch: epoch - 1, start: opensAtMs, at: opensAtMs, to: 'b' },
    { ...lead, epoch, start: opensAtMs + 1000, at: opensAtMs + 1000, to: 'a' },
  ])
  const answer = await get('/api/polls/which/analytics')
  expect(await answer.json()).toMatchObject({
    poll: 'p1',
    epoch,
    minutes: { start: [], totals: { a: [], b: [] } },
    leads: [{ at: new Date(opensAtMs + 1000).toISOString(), from: null, to: 'a', margin: 1, voters: 1 }],
    flows: [],
    bursts: [],
  })
  expect(await (await get('/api/polls/nope/analytics')).json()).toMatchObject({ status: 404, code: 'unknown-poll' })
})

test('wrong requests get problem documents', async () => {
  expect(await (await get('/api/polls/nope/results')).json()).toMatchObject({ status: 404, code: 'unknown-poll' })
  expect(await (await get('/api/polls/p1/trends?window=2m')).json()).toMatchObject({ status: 400, code: 'malformed' })
  expect(await (await get('/api/polls/p1/trends?from=yesterday')).json()).toMatchObject({
    status: 400,
    code: 'malformed',
  })
  expect(await (await get('/api/else')).json()).toMatchObject({ status: 404, code: 'not-found' })
})

test('bounds of a trend never widen it: there is nothing before the opening, and nothing in the future', async () => {
  await count(1, 3, 1)
  const trend = async (query: string) => {
    const response = await get(`/api/polls/p1/trends?window=1s&${query}`)
    return (await response.json()) as { start: string[]; counts: Record<string, number[]> }
  }
  const votes = ({ counts }: { counts: Record<string, number[]> }): number => counts['a']!.reduce((x, y) => x + y, 0)
  const nowIso = new Date().toISOString()
  const future = await trend('to=2099-01-01T00:00:00Z')
  expect(votes(future)).toBe(3)
  expect(future.start.at(-1)! <= new Date().toISOString()).toBe(true)
  const past = await trend('from=2020-01-01T00:00:00Z')
  expect(past.start[0]).toBe(new Date(opensAtMs).toISOString())
  expect(votes(past)).toBe(3)
  expect((await trend('from=2099-01-01T00:00:00Z')).start).toEqual([])
  expect((await trend(`from=${nowIso}&to=2020-01-01T00:00:00Z`)).start).toEqual([])
})

test.each([
  ['a NUL', '%00'],
  ['300 characters', 'x'.repeat(300)],
  ['capitals', 'P1'],
  ['a picture', '%F0%9F%97%B3'],
])('a poll with %s for a name is unknown, not an error', async (_what, name) => {
  const answer = await get(`/api/polls/${name}/results`)
  expect(await answer.json()).toMatchObject({ status: 404, code: 'unknown-poll' })
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  const page = await get(`/p/${name}`)
  expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
  expect(await page.text()).toContain('There is no such poll')
})

test('an address that is no address is a problem document for programs and a page for people', async () => {
  const answer = await get('/api/polls/%zz/results')
  expect(await answer.json()).toMatchObject({ status: 400, code: 'malformed' })
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  const page = await get('/p/%zz')
  expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8'])
})

test('while PostgreSQL does not answer people get a page that looks again, and programs a problem document', async () => {
  await database.pool.query('ALTER TABLE results RENAME TO results_away')
  try {
    const page = await get('/p/which')
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8'])
    expect(page.headers.get('retry-after')).toBe('2')
    expect(await page.text()).toContain('<meta http-equiv="refresh" content="5">')
    const answer = await get('/api/polls/p1/results')
    expect(await answer.json()).toMatchObject({ status: 503, code: 'unavailable' })
  } finally {
    await database.pool.query('ALTER TABLE results_away RENAME TO results')
  }
})

test('the page says when it was open, also of a poll that was closed before it opened', async () => {
  const page = async (): Promise<string> => (await (await get('/p/which')).text()).replace(/[\u2068\u2069]/g, '')
  const open = await page()
  expect(open).toMatch(/Open until \w+ \d+, \d{4}, \d+:\d\d.[AP]M UTC\..*href="[^"]*"> *Cast/s)
  await database.pool.query("UPDATE polls SET closes_at = now() - interval '1 second', closed_at = now()")
  const closed = await page()
  // What is over changes no more: a form in it can be filled in without a script.
  expect([closed.includes('http-equiv'), open.includes('http-equiv')]).toEqual([false, true])
  expect(closed).toMatch(/It was open from \w+ \d+, \d{4}, .* to \w+ \d+, \d{4}, .* UTC\./)
  expect(closed).toMatch(/id="cast"[^>]* hidden>/)
  await database.pool.query("UPDATE polls SET opens_at = now() + interval '1 day'")
  expect(await page()).toMatch(/Closed \w+ \d+, \d{4}, .* UTC, before it opened\./)
})

test('every time on the page is of one form: with the date where it is not today', async () => {
  const at = Date.UTC(2026, 4, 3, 8, 5, 9)
  const { moment } = tongueOf('en').words
  expect(moment(at, at + 60_000)).toMatch(/^8:05:09.AM$/)
  expect(moment(at, at + 86_400_000)).toMatch(/^May 3, 2026, 8:05:09.AM$/)
  await count(1, 1, 2)
  const text = await (await get('/p/which')).text()
  expect(text).toMatch(/id="as-of">(\w+ \d+, \d{4}, )?\d+:\d\d:\d\d.[AP]M<\/time> UTC</)
  expect(text).toMatch(/<th scope="col">Time \(UTC\)<\/th>.*<th scope="row">(\w+ \d+, \d{4}, )?\d+:\d\d:\d\d.[AP]M</)
})

test('of twenty options no two have the same line', () => {
  const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify(lineOf(i)))
  expect(new Set(lines).size).toBe(20)
})

test('one ballot is one ballot', async () => {
  await database.pool.query(
    `INSERT INTO polls SELECT 'p2', 'other', title, options, regions, revote, electorate, definition_hash, opens_at, closes_at,
       poll_key FROM polls`,
  )
  await count(1, 1, 0)
  expect(await (await get('/p/other')).text()).toContain('Open · 1 ballot<')
})

test('the scripts of a page are at most 35 kB, compressed, and the whole page at most 60 kB', async () => {
  await count(1, 3, 1)
  const html = await (await get('/p/which')).text()
  const [script, style] = [/src="([^"]+)"/.exec(html)![1]!, /stylesheet" href="([^"]+)"/.exec(html)![1]!]
  const size = async (path: string): Promise<number> => gzipSync(await (await get(path)).text()).length
  const scriptSize = await size(script)
  expect(scriptSize).toBeLessThan(35_000)
  expect(html.match(/<script (?!type="application\/json")/g)).toHaveLength(1)
  expect(scriptSize + (await size(style)) + gzipSync(html).length).toBeLessThan(60_000)
})

test('the list of polls has status and totals', async () => {
  await count(1, 1, 2)
  expect(await (await get('/api/polls')).json()).toMatchObject({
    polls: [
      {
        id: 'p1',
        slug: 'which',
        status: 'open',
        voters: 3,
        totals: { a: 1, b: 2 },
        opensAt: new Date(opensAtMs).toISOString(),
      },
    ],
  })
})

test('the page is whole without a script, escapes the title, and is found by slug and as the current poll', async () => {
  await count(1, 1, 2)
  for (const path of ['/', '/p/which']) {
    const text = await (await get(path)).text()
    expect(text).toContain('Which &lt;one&gt;?')
    expect(text).toMatch(/data-state="open">Open<.*Unofficial: votes are still coming in\./s)
    expect(text).toMatch(/data-cell="share"[^>]*>66\.7%/)
    // Each option has its line before any script draws one, and it ends at its votes.
    expect(text.match(/<polyline /g)).toHaveLength(2)
    expect(text).toMatch(/<polyline class="c1" points="[^"]* 600\.0,0\.0"/)
    expect(text).toContain('<strong>3</strong> recorded = <strong>3</strong> counting now')
  }
  // Which lines there are is in the address, and so is for those without a script, too; nonsense means all.
  for (const [opts, lines] of [
    ['2', 1],
    ['7,x', 2],
  ]) {
    const text = await (await get(`/p/which?opts=${opts}`)).text()
    expect(text.match(/<polyline /g)).toHaveLength(lines as number)
    expect(text).toContain(`sort=votes`)
    expect(text).toContain(`opts=${encodeURIComponent(opts as string)}`)
  }
  expect((await get('/p/nope')).status).toBe(404)
})

test('every text of every language fills the places of the English one, and no other', () => {
  const placesOf = (message: unknown): string[] => {
    const texts = typeof message === 'string' ? [message] : Object.values(message as Record<string, string>)
    return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort()
  }
  for (const part of ['live', 'page'] as const) {
    const [english, arabic] = [new Map(Object.entries(texts.en[part])), Object.entries(texts.ar[part])]
    for (const [key, message] of arabic) expect([key, placesOf(message)]).toEqual([key, placesOf(english.get(key))])
  }
})

test('a page is in the language that the address names, else in the first that the browser asks for and that there is', async () => {
  const page = async (path: string, accept = ''): Promise<string> =>
    (await get(path, { 'accept-language': accept })).text()
  expect(await page('/p/which?lang=ar')).toContain('<html lang="ar" dir="rtl">')
  expect(await page('/p/which', 'fr, ar-MA;q=0.8, en;q=0.5')).toContain('<html lang="ar" dir="rtl">')
  expect(await page('/p/which?lang=en', 'ar')).toContain('<html lang="en" dir="ltr">')
  expect(await page('/p/which?lang=tlh', 'ar;q=0, fr')).toContain('<html lang="en" dir="ltr">')
  expect(await page('/p/nope?lang=ar')).toContain('لا يوجد اقتراع كهذا')
  // Links keep the language that was named, and offer the other one.
  const named = await page('/p/which?lang=ar&range=1h')
  expect(named).toContain('href="/polls?lang=ar"')
  expect(named).toContain('href="/p/which?range=1h&amp;lang=en"')
  expect((await get('/p/which')).headers.get('vary')).toContain('accept-language')
})

test('a file for spreadsheets says what it is, and no label in it is a formula', async () => {
  const options = [
    { id: 'a', label: '=HYPERLINK(1)' },
    { id: 'b', label: 'B, "b"' },
  ]
  await database.pool.query('UPDATE polls SET options = $1', [JSON.stringify(options)])
  await count(3, 2, 1)
  const answer = await get('/api/polls/which/export.csv')
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="which-results.csv"')
  const rows = Buffer.from(await answer.arrayBuffer())
    .toString()
    .split('\r\n')
  expect(rows[0]).toBe('\uFEFFtitle,Which <one>?')
  expect(rows).toContain('status,open')
  expect(rows).toContain(`version,${epoch}.3`)
  expect(rows.slice(-4)).toEqual([
    'option,label,votes,share',
    "a,'=HYPERLINK(1),2,0.666667",
    'b,"B, ""b""",1,0.333333',
    '',
  ])
  const regions = await (await get('/api/polls/which/export.csv?table=regions')).text()
  expect(regions).toContain('\r\nnorth,2,1\r\n')
  expect(await (await get('/api/polls/which/export.csv?table=secrets')).json()).toMatchObject({ code: 'malformed' })
})

test('a file for programs has the definition, the result and the analytics', async () => {
  await count(3, 2, 1)
  expect(await (await get('/api/polls/which/export.json')).json()).toMatchObject({
    definition: { title: 'Which <one>?', options: [{ id: 'a' }, { id: 'b' }], revote: 'last' },
    result: { version: 3, totals: { a: 2, b: 1 } },
    analytics: { minutes: { start: [] }, leads: [] },
  })
})

test('the embedded page may be shown inside others and has no navigation; every other page may not', async () => {
  await count(1, 1, 2)
  const embedded = await get('/embed/which')
  const text = await embedded.text()
  expect(embedded.headers.get('content-security-policy')).toContain('frame-ancestors *')
  expect(embedded.headers.get('x-frame-options')).toBeNull()
  expect(embedded.headers.get('set-cookie')).toBeNull()
  expect(text).not.toContain('<nav')
  expect(text).toContain('data-cell="votes">2<')
  expect((await get('/p/which')).headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect((await get('/embed/nope')).status).toBe(404)
})

test('a socket gets a snapshot, then what changed, with absolute values', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient(viewer.url).open()
  expect(await client.next('hello')).toMatchObject({ hb: 10_000 })
  client.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs + 60_000 } })
  const snap = await client.next('snap')
  expect(snap).toMatchObject({
    poll: 'p1',
    epoch,
    ver: 1,
    status: 'open',
    voters: 1,
    o: [
      ['a', 1],
      ['b', 0],
    ],
  })
  expect(snap['trend']).toMatchObject({ res: '1s', t0: opensAtMs + 60_000, step: 1000 })
  await count(2, 1, 5)
  expect(await client.next('d')).toMatchObject({
    from: 1,
    ver: 2,
    voters: 6,
    o: [['b', 5]],
    acc: [6, 6, 0, 0, 0],
  })
  client.socket.close()
})

test('bad messages close the socket with 4400, unknown polls are told, foreign origins are not let in', async () => {
  const bad = await new LiveClient(viewer.url).open()
  bad.socket.send('{"op":"dance"}')
  await expect.poll(() => bad.closeCode).toBe(4400)
  const unknown = await new LiveClient(viewer.url).open()
  unknown.send({ op: 'sub', poll: 'nope' })
  expect(await unknown.next('err')).toMatchObject({ code: 'unknown_poll' })
  unknown.socket.close()
  await expect(new LiveClient(viewer.url, 'https://evil.example').open()).rejects.toThrow('403')
  const allowed = await new LiveClient(viewer.url, 'https://city.example').open()
  allowed.socket.close()
})

test('a poll that is final says so to everybody who watches', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient(viewer.url).open()
  client.send({ op: 'sub', poll: 'p1' })
  await client.next('snap')
  await count(2, 1, 0, 'final')
  expect(await client.next('d')).toMatchObject({ status: 'final' })
  client.socket.close()
})

test('health and metrics are on a port of their own', async () => {
  expect(await (await fetch(`${viewer.ops}/livez`)).text()).toBe('live\n')
  expect((await fetch(`${viewer.ops}/readyz`)).status).toBe(200)
  expect(await (await fetch(`${viewer.ops}/metrics`)).text()).toContain('viewer_connections')
  expect((await get('/metrics')).status).toBe(404)
})
