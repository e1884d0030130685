import { createServer, type Server } from 'node:http'
import { listen, urlOf } from '@voting/election/ops-server'
import { silentLogger } from 'stream-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { WebSocket } from 'ws'
import { LiveHub } from '../src/live/live-hub.ts'
import { ResultStore } from '../src/result-store.ts'
import { type Frame, insertPoll, LiveClient, writeAnalytics, writeCount } from './support/live-client.ts'

let database: TestDatabase
let store: ResultStore
let server: Server
let hub: LiveHub
let url: string
let revision = 0
const acks: number[] = []
const opensAtMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000
const countedMs = opensAtMs + 61_000

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await insertPoll(database, opensAtMs)
  store = new ResultStore(database.pool)
  await openHub(store)
})
afterEach(async () => {
  await hub.close()
  server.close()
})

async function openHub(of: ResultStore, heartbeatMs = 100, proxyHops = 0): Promise<void> {
  hub = new LiveHub({
    store: of,
    logger: silentLogger,
    tickMs: 20,
    connectionsMax: 10,
    allowedOrigins: [],
    heartbeatMs,
    proxyHops,
    connectionsPerAddressMax: 4,
    drainMs: 3000,
    onAck: (seconds) => acks.push(seconds),
  })
  server = createServer()
  hub.attach(server)
  await listen(server, 0, '127.0.0.1')
  url = urlOf(server, '127.0.0.1')
}

const count = (version: number, a: number, b: number, epoch = 7): Promise<void> =>
  writeCount(database, { epoch, version, a, b, asOfMs: countedMs + version * 1000 })

/** As the change feed does when it is woken. */
async function publish(): Promise<void> {
  const changes = await store.changesSince(revision)
  revision = changes.revision
  hub.publish(changes)
}

const kinds = ({ frames }: LiveClient): unknown[] => frames.map(({ t }) => t).filter((t) => t !== 'h')

test('a client that resumes gets one change from where it was, with every value and the trend it asks for', async () => {
  await count(3, 2, 2)
  const client = await new LiveClient(url).open()
  await client.next('hello')
  client.send({ op: 'sub', poll: 'p1', epoch: 7, ver: 1, trend: { res: '1s', since: opensAtMs } })
  expect(await client.next('d')).toMatchObject({
    from: 1,
    ver: 3,
    voters: 4,
    status: 'open',
    closes: expect.any(Number),
    o: [
      ['a', 2],
      ['b', 2],
    ],
    regions: { north: { a: 2, b: 2 } },
    acc: [4, 4, 0, 0, 0],
    res: '1s',
    b: [[countedMs + 3000, [2, 2]]],
  })
  await count(4, 3, 2)
  await publish()
  expect(await client.next('d')).toMatchObject({ from: 3, ver: 4, o: [['a', 3]] })
  expect(kinds(client)).toEqual([])
  client.socket.close()
})

test('a client that resumes where nothing has changed gets nothing, and what comes after it', async () => {
  await count(3, 2, 2)
  const client = await new LiveClient(url).open()
  await client.next('hello')
  client.send({ op: 'sub', poll: 'p1', epoch: 7, ver: 3 })
  expect(await client.next('h')).toBeDefined()
  await expect.poll(async () => (await client.next('h'))['v']).toEqual({ p1: 3 })
  expect(kinds(client)).toEqual([])
  await count(4, 3, 2)
  await publish()
  expect(await client.next('d')).toMatchObject({ from: 3, ver: 4 })
  client.socket.close()
})

test('a client that resumes from another counting gets a whole snapshot', async () => {
  await count(3, 2, 2)
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1', epoch: 6, ver: 30, trend: { res: '1s', since: opensAtMs } })
  expect(await client.next('snap')).toMatchObject({ epoch: 7, ver: 3, trend: { res: '1s', t0: opensAtMs } })
  client.socket.close()
})

test('the heartbeat says the newest version of each poll that the socket follows', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient(url).open()
  expect((await client.next('h'))['v']).toEqual({})
  client.send({ op: 'sub', poll: 'which' })
  await client.next('snap')
  await count(2, 1, 1)
  await publish()
  await expect.poll(async () => (await client.next('h'))['v']).toEqual({ p1: 2 })
  client.socket.close()
})

test('what is published while a snapshot is being read follows it, trend and all', async () => {
  await count(1, 1, 0)
  const [reading, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const trend: ResultStore['trend'] = async (...given) => {
    const rows = await store.trend(...given)
    reading.resolve()
    await gate.promise
    return rows
  }
  const slow = new Proxy(store, {
    get(target, name) {
      if (name === 'trend') return trend
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  await hub.close()
  server.close()
  await openHub(slow)
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1', trend: { res: '1s', since: opensAtMs } })
  await reading.promise
  await count(2, 1, 5)
  await publish()
  gate.resolve()
  const seen: Frame[] = [await client.next('snap')]
  seen.push(await client.next(seen[0]!['ver'] === 2 ? 'b' : 'd'))
  expect(Math.max(...seen.map(({ ver }) => Number(ver ?? 0)))).toBe(2)
  expect(seen[1]!['b']).toContainEqual([countedMs + 2000, [1, 5]])
  client.socket.close()
})

test('the first result of a poll brings the bars and the trend to those who were waiting', async () => {
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1', trend: { res: '1s', since: opensAtMs } })
  expect(await client.next('snap')).toMatchObject({ epoch: 0, ver: 0 })
  await count(1, 1, 0)
  await publish()
  expect(await client.next('snap')).toMatchObject({ epoch: 7, ver: 1, voters: 1 })
  expect(await client.next('b')).toMatchObject({ b: [[countedMs + 1000, [1, 0]]] })
  client.socket.close()
})

test('when counting starts anew everybody gets a whole snapshot with its trend', async () => {
  await count(5, 3, 2)
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1', trend: { res: '1s', since: opensAtMs } })
  await client.next('snap')
  await database.pool.query('DELETE FROM trends')
  await count(1, 1, 0, 8)
  await publish()
  const snap = await client.next('snap')
  expect(snap).toMatchObject({ epoch: 8, ver: 1, voters: 1 })
  const { t0, step, cols } = snap['trend'] as { t0: number; step: number; cols: number[][] }
  expect(cols[0]!.flatMap((n, i) => (n === 0 ? [] : [[t0 + i * step, n]]))).toEqual([[countedMs + 1000, 1]])
  client.socket.close()
})

test('a client that offers only other sub-protocols is refused, one that names none takes what there is', async () => {
  const none = await new LiveClient(url, undefined, []).open()
  none.socket.close()
  await expect(new LiveClient(url, undefined, ['tally.v9']).open()).rejects.toThrow('400')
  const both = await new LiveClient(url, undefined, ['tally.v2', 'tally.v1']).open()
  expect(both.socket.protocol).toBe('tally.v1')
  both.socket.close()
})

test.each([
  ['a name that is none', { op: 'sub', poll: '\u0000' }, 'unknown_poll', 0],
  ['a time that is none', { op: 'sub', poll: 'p1', trend: { res: '1s', since: 1e300 } }, 'bad-message', 4400],
  ['a text for a time', { op: 'sub', poll: 'p1', trend: { res: '1s', since: 'now' } }, 'bad-message', 4400],
])('%s is answered as what it is, not as an outage', async (_what, message, code, closeCode) => {
  const client = await new LiveClient(url).open()
  client.send(message)
  expect(await client.next('err')).toMatchObject({ code })
  if (closeCode > 0) await expect.poll(() => client.closeCode).toBe(closeCode)
  client.socket.close()
})

test('a socket that is behind is skipped, and gets one snapshot of now when it reads again', async () => {
  // It will not answer pings for a while, either.
  await hub.close()
  server.close()
  await openHub(store, 60_000)
  await count(1, 1, 0)
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1' })
  await client.next('snap')
  const view = (await store.poll('p1'))!
  // Its other end no longer reads; what the system keeps for it fills up first.
  const { _socket: line } = client.socket as unknown as { _socket: { pause(): void; resume(): void } }
  line.pause()
  const regions = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`region ${i}`, { a: i, b: i }]))
  let version = 1
  for (let i = 0; i < 20_000 && hub.skippedSends === 0; i++) {
    const views = [{ ...view, version: ++version, regions, totals: { a: version, b: 0 } }]
    hub.publish({ views, trends: [], found: [], revision, isLate: false })
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(hub.skippedSends).toBeGreaterThan(0)
  await count(version + 1, 7, 8)
  line.resume()
  // Whatever has come through was in order; behind it there is one whole answer.
  await expect
    .poll(
      async () => {
        await publish()
        await count(++version + 1, 7, 8)
        return client.frames.find(({ t }) => t === 'snap')?.['voters']
      },
      { timeout: 10_000 },
    )
    .toBe(15)
  const versions = client.frames.filter(({ t }) => t === 'd').map(({ ver }) => Number(ver))
  expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  client.socket.close()
})

test('pages that acknowledge heartbeats and then stand still are closed; programs that never do are not', async () => {
  const [page, program] = [await new LiveClient(url).open(), await new LiveClient(url).open()]
  await page.next('h')
  page.send({ op: 'ack' })
  await expect.poll(() => page.closeCode, { timeout: 5000 }).toBe(4408)
  expect(program.closeCode).toBe(0)
  expect(acks.length).toBe(1)
  program.socket.close()
})

test('readers are told when newer ballots are recorded than are counted, and when that is over', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient(url).open()
  expect(await client.next('hello')).toMatchObject({ late: false })
  client.send({ op: 'sub', poll: 'p1' })
  await client.next('snap')
  const say = async (behindMs: number): Promise<void> => {
    await database.pool.query('UPDATE tally_pulse SET behind_ms = $1', [behindMs])
    await publish()
  }
  await say(60_000)
  expect(await client.next('st')).toMatchObject({ late: true })
  await say(500)
  expect(await client.next('st')).toMatchObject({ late: false })
  // Nobody has said anything for too long: nobody counts.
  await database.pool.query("UPDATE tally_pulse SET at = now() - interval '11 seconds'")
  await publish()
  expect(await client.next('st')).toMatchObject({ late: true })
  client.socket.close()
})

test('what is found out reaches everybody who follows, and those who come later', async () => {
  await count(1, 1, 0)
  const client = await new LiveClient(url).open()
  client.send({ op: 'sub', poll: 'p1' })
  await client.next('snap')
  const lead = { poll: 'p1', epoch: 7, version: 1, start: 1000, at: 1000, from: null, to: 'a', margin: 1, voters: 1 }
  await writeAnalytics(database, [{ kind: 'lead', ...lead }])
  await publish()
  const lists = { leads: [{ atMs: 1000, from: null, to: 'a' }], flows: [], bursts: [] }
  expect(await client.next('a')).toMatchObject(lists)
  const later = await new LiveClient(url).open()
  later.send({ op: 'sub', poll: 'p1', epoch: 7, ver: 1 })
  expect(await later.next('a')).toMatchObject(lists)
  client.socket.close()
  later.socket.close()
})

test('one address has as many sockets as it may, and whoever is refused is told when to come again', async () => {
  const open = async () => new LiveClient(url).open()
  const inside = await Promise.all(Array.from({ length: 4 }, open))
  await expect(open()).rejects.toThrow('429')
  inside.pop()!.socket.close()
  await expect.poll(() => hub.connections).toBe(3)
  inside.push(await open())
  await hub.close()
  await expect(open()).rejects.toThrow('503')
  for (const { socket } of inside) socket.close()
})

test('behind a proxy the address is the one that it adds, not what a client says of itself', async () => {
  await hub.close()
  server.close()
  await openHub(store, 60_000, 1)
  const open = (forwarded: string) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, ['tally.v1'], {
      headers: { 'x-forwarded-for': forwarded },
    })
    return new Promise<WebSocket>((resolve, reject) => socket.once('open', () => resolve(socket)).once('error', reject))
  }
  const inside = await Promise.all(['a, 10.0.0.1', 'b, 10.0.0.1', 'c, 10.0.0.1', 'd, 10.0.0.1'].map(open))
  await expect(open('e, 10.0.0.1')).rejects.toThrow('429')
  inside.push(await open('10.0.0.1, 10.0.0.2'))
  for (const socket of inside) socket.close()
})

test('a hub that is closed tells each page a time of its own to come again', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => new LiveClient(url).open()))
  await hub.close()
  const retries = await Promise.all(clients.map(async (client) => Number((await client.next('bye'))['retry'])))
  expect(new Set(retries).size).toBeGreaterThan(1)
  for (const retry of retries) expect(retry).toBeLessThan(3000)
  await expect.poll(() => clients.map(({ closeCode }) => closeCode)).toEqual([1012, 1012, 1012, 1012])
})

test('heartbeats of pages are spread over the time between two, so that their answers do not come all at once', async () => {
  await hub.close()
  server.close()
  await openHub(store, 1000)
  const clients = await Promise.all(Array.from({ length: 4 }, () => new LiveClient(url).open()))
  const beats = await Promise.all(clients.map((client) => client.next('h')))
  expect(new Set(beats.map(({ now }) => now)).size).toBe(4)
})
