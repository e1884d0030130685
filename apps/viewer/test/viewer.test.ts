import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { silentLogger } from 'stream-core'
import { WebSocket } from 'ws'
import { startViewer } from '../src/service.ts'

let database: TestDatabase
let viewer: Awaited<ReturnType<typeof startViewer>>
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
  await database.pool.query('TRUNCATE polls, results, trends CASCADE')
  await database.pool.query(
    `INSERT INTO polls (id, slug, title, options, regions, revote, definition_hash, opens_at, closes_at, poll_key, opened_at)
     VALUES ('p1', 'which', 'Which <one>?', '[{"id":"a","label":"A"},{"id":"b","label":"B"}]', '["north"]', 'last', 'h1',
       to_timestamp($1 / 1000.0), now() + interval '1 hour', 'k', now())`,
    [opensAtMs],
  )
})

/** Writes as the tally's sink does: rows with a new revision, and a word on the channel. */
async function count(version: number, a: number, b: number, status = 'open'): Promise<void> {
  const document = {
    poll: 'p1',
    epoch: 7,
    version,
    status,
    asOf: opensAtMs + 61_000,
    definitionHash: 'h1',
    voters: a + b,
    totals: { a, b },
    regions: { north: { a, b } },
    accounting: { recorded: a + b, accepted: a + b, superseded: 0, rejected: 0, duplicates: 0 },
    rejections: {},
  }
  await database.pool.query(
    `INSERT INTO results VALUES ('p1', 7, $1, $2, nextval('results_revision'), now())
     ON CONFLICT (poll_id) DO UPDATE SET version = excluded.version, document = excluded.document, revision = excluded.revision`,
    [version, document],
  )
  for (const windowMs of [1000, 10_000, 60_000]) {
    await database.pool.query(
      `INSERT INTO trends VALUES ('p1', $1, $2, 7, $3, $4, nextval('results_revision'))
       ON CONFLICT (poll_id, window_ms, start_ms) DO UPDATE SET counts = excluded.counts, revision = excluded.revision`,
      [windowMs, Math.floor((opensAtMs + 61_000) / windowMs) * windowMs, version, { a, b }],
    )
  }
  await database.pool.query("SELECT pg_notify('results_changed', '')")
}

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${viewer.url}${path}`, { headers })

class LiveClient {
  readonly frames: Record<string, unknown>[] = []
  readonly socket: WebSocket
  closeCode = 0
  #waiting: (() => void)[] = []

  constructor(origin?: string) {
    this.socket = new WebSocket(`${viewer.url.replace('http', 'ws')}/ws`, 'tally.v1', origin ? { origin } : {})
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse((data as Buffer).toString()) as Record<string, unknown>)
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.socket.on('close', (code) => {
      this.closeCode = code
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.socket.on('error', () => (this.closeCode = -1))
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    return this
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  async next(type: string): Promise<Record<string, unknown>> {
    const end = Date.now() + 5000
    for (;;) {
      const at = this.frames.findIndex((frame) => frame['t'] === type)
      if (at >= 0) return this.frames.splice(at, 1)[0]!
      if (Date.now() > end) throw new Error(`no frame of type ${type}; there are ${JSON.stringify(this.frames)}`)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        setTimeout(resolve, 100)
      })
    }
  }
}

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

test('wrong requests get problem documents', async () => {
  expect(await (await get('/api/polls/nope/results')).json()).toMatchObject({ status: 404, code: 'unknown-poll' })
  expect(await (await get('/api/polls/p1/trends?window=2m')).json()).toMatchObject({ status: 400, code: 'malformed' })
  expect(await (await get('/api/polls/p1/trends?from=yesterday')).json()).toMatchObject({
    status: 400,
    code: 'malformed',
  })
  expect(await (await get('/api/else')).json()).toMatchObject({ status: 404, code: 'not-found' })
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
    expect(text).toContain('Open: unofficial, still counting')
    expect(text).toMatch(/data-cell="share"[^>]*>66\.7%/)
    expect(text).toContain('<strong>3</strong> recorded = <strong>3</strong> counting now')
  }
  expect((await get('/p/nope')).status).toBe(404)
})

test('a socket gets a snapshot, then what changed, with absolute values', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient().open()
  expect(await client.next('hello')).toMatchObject({ hb: 10_000 })
  client.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs + 60_000 } })
  const snap = await client.next('snap')
  expect(snap).toMatchObject({
    poll: 'p1',
    epoch: 7,
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

test('a socket that resumes with the newest version gets only what comes after it', async () => {
  await count(3, 2, 2)
  const client = await new LiveClient().open()
  client.send({ op: 'sub', poll: 'p1', epoch: 7, ver: 3 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  await count(4, 3, 2)
  expect(await client.next('d')).toMatchObject({ from: 3, ver: 4, o: [['a', 3]] })
  expect(client.frames.some((frame) => frame['t'] === 'snap')).toBe(false)
  const behind = await new LiveClient().open()
  behind.send({ op: 'sub', poll: 'p1', epoch: 7, ver: 1 })
  expect(await behind.next('snap')).toMatchObject({ ver: 4 })
  client.socket.close()
  behind.socket.close()
})

test('bad messages close the socket with 4400, unknown polls are told, foreign origins are not let in', async () => {
  const bad = await new LiveClient().open()
  bad.socket.send('{"op":"dance"}')
  await expect.poll(() => bad.closeCode).toBe(4400)
  const unknown = await new LiveClient().open()
  unknown.send({ op: 'sub', poll: 'nope' })
  expect(await unknown.next('err')).toMatchObject({ code: 'unknown_poll' })
  unknown.socket.close()
  await expect(new LiveClient('https://evil.example').open()).rejects.toThrow('403')
  const allowed = await new LiveClient('https://city.example').open()
  allowed.socket.close()
})

test('a poll that is final says so to everybody who watches', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient().open()
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
