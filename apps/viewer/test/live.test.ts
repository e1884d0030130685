import { createServer, type Server } from 'node:http'
import { listen, urlOf } from '@voting/election/ops-server'
import { silentLogger } from 'stream-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { LiveHub } from '../src/live/live-hub.ts'
import { ResultStore } from '../src/result-store.ts'
import { type Frame, insertPoll, LiveClient, writeCount } from './support/live-client.ts'

let database: TestDatabase
let store: ResultStore
let server: Server
let hub: LiveHub
let url: string
let revision = 0
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

async function openHub(of: ResultStore): Promise<void> {
  hub = new LiveHub({
    store: of,
    logger: silentLogger,
    tickMs: 20,
    connectionsMax: 10,
    allowedOrigins: [],
    heartbeatMs: 100,
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
