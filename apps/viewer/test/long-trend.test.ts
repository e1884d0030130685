import { createServer, type Server } from 'node:http'
import { listen, urlOf } from '@voting/election/ops-server'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { LiveHub } from '../src/live/live-hub.ts'
import { TrendSlices } from '../src/live/trend-slices.ts'
import { ResultStore } from '../src/result-store.ts'
import { type Frame, insertPoll, LiveClient, writeCount } from './support/live-client.ts'

const [options, windows] = [20, 3000]
const opensAtMs = Math.floor(Date.now() / 1000) * 1000 - windows * 1000
let database: TestDatabase
let hub: LiveHub
let server: Server
beforeAll(async () => {
  database = await openTestDatabase()
  await insertPoll(database, opensAtMs)
  await writeCount(database, { epoch: 7, version: 1, a: 1, b: 1, asOfMs: opensAtMs })
  const ids = Array.from({ length: options }, (_, i) => ({ id: `option-${i}`, label: `Option ${i}` }))
  await database.pool.query('UPDATE polls SET options = $1', [JSON.stringify(ids)])
  // Something in all windows but each tenth.
  await database.pool.query(
    `INSERT INTO trends SELECT 'p1', 1000, $1::bigint + n * 1000, 7, 1, $2, 1 FROM generate_series(1, $3) n WHERE n % 10 <> 0`,
    [opensAtMs, JSON.stringify(Object.fromEntries(ids.map(({ id }, i) => [id, 1000 + i]))), windows - 1],
  )
  const store = new ResultStore(database.pool)
  hub = new LiveHub({ store, logger: silentLogger, tickMs: 20, connectionsMax: 10, allowedOrigins: [] })
  server = createServer()
  hub.attach(server)
  await listen(server, 0, '127.0.0.1')
})
afterAll(async () => {
  await hub.close()
  server.close()
  await database.drop()
})

/** What frames say of the trend, by the start of each window. */
const bucketsOf = (frames: readonly Frame[]): (readonly [number, readonly number[]])[] =>
  frames.flatMap(({ b }) => (b ?? []) as [number, number[]][])

test.each([
  ['who comes anew', {}, 'snap'],
  ['who resumes', { epoch: 7, ver: 0 }, 'd'],
])(
  'a long trend comes to %s in frames that are small each, the newest first, and whole',
  async (_name, token, first) => {
    const client = await new LiveClient(urlOf(server, '127.0.0.1')).open()
    client.send({ op: 'sub', poll: 'p1', ...token, trend: { res: '1s', since: opensAtMs } })
    const whole = windows - windows / 10
    await expect.poll(() => bucketsOf(client.frames).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(whole)
    const frames = client.frames.filter(({ t }) => t !== 'hello')
    expect(frames[0]!['t']).toBe(first)
    expect(frames.length).toBeGreaterThan(10)
    for (const frame of frames) expect(JSON.stringify(frame).length).toBeLessThan(64 * 1024)
    if (first === 'snap') expect(frames[0]!['trend']).toMatchObject({ t0: opensAtMs, step: 1000 })
    const buckets = bucketsOf(frames.filter(({ t }) => t === 'b'))
    expect(new Set(buckets.map(([start]) => start)).size).toBe(buckets.length)
    const sums = buckets.reduce((sum, [, counts]) => sum + (counts[options - 1] ?? 0), 0)
    expect(sums).toBe(whole * (1000 + options - 1))
    const starts = frames.flatMap(({ t, b }) => (t === 'b' ? [(b as [number][]).at(-1)![0]] : []))
    expect(starts).toEqual(starts.toSorted((x, y) => y - x))
    expect(client.closeCode).toBe(0)
    client.socket.close()
  },
)

test('a window that has changed while older ones are being sent is not sent again as it was', () => {
  const row = (startMs: number) => ({ pollId: 'p1', windowMs: 1000, startMs, counts: {} })
  const slices = new TrendSlices([1, 2, 3, 4, 5].map(row), 2000)
  expect(slices.next().map(({ startMs }) => startMs)).toEqual([4, 5])
  slices.changed([row(2), row(3)])
  expect(slices.next().map(({ startMs }) => startMs)).toEqual([1])
  expect(slices.next()).toEqual([])
})
