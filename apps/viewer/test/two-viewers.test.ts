import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { type Frame, insertPoll, LiveClient, writeCount } from './support/live-client.ts'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')
const opensAtMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000
let database: TestDatabase
const children: ChildProcess[] = []

beforeAll(async () => {
  database = await openTestDatabase()
  await insertPoll(database, opensAtMs)
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await database?.drop()
})

/** A viewer as it runs in production: a process of its own, which shares nothing with another but the database. */
async function startProcess(): Promise<{ url: string; ops: string; exited: Promise<number | null>; stop(): void }> {
  const child = spawn(process.execPath, [main, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      PORT: '0',
      OPS_PORT: '0',
      TICK_MS: '20',
      DRAIN_MS: '1000',
      LOG_LEVEL: 'warn',
    },
  })
  children.push(child)
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk) => resolve(String(chunk)))
    child.once('exit', (code) => reject(new Error(`the viewer ended with ${code}`)))
  })
  const { url, ops } = JSON.parse(line) as { url: string; ops: string }
  return { url, ops, exited, stop: () => void child.kill('SIGTERM') }
}

const count = (version: number, a: number, b: number): Promise<void> =>
  writeCount(database, { epoch: 3, version, a, b, asOfMs: opensAtMs + 61_000 })

const sameOf = ({ now: _, ...frame }: Frame): object => frame

test('with several viewers it does not matter which one a page comes to, also when one of them is stopped', async () => {
  const [one, two] = await Promise.all([startProcess(), startProcess()])
  await count(1, 1, 0)
  const [first, second] = [await new LiveClient(one.url).open(), await new LiveClient(two.url).open()]
  for (const client of [first, second])
    client.send({ op: 'sub', poll: 'which', trend: { res: '1s', since: opensAtMs } })
  const [snap, other] = [await first.next('snap'), await second.next('snap')]
  expect({ ...sameOf(snap), trend: 0 }).toEqual({ ...sameOf(other), trend: 0 })
  expect(snap).toMatchObject({ epoch: 3, ver: 1 })
  await count(2, 2, 1)
  const change = await first.next('d')
  expect(sameOf(change)).toEqual(sameOf(await second.next('d')))

  // By HTTP, too, the same version has the same tag everywhere.
  const tagAt = async (url: string) => (await fetch(`${url}/api/polls/which/results`)).headers.get('etag')
  expect(await tagAt(one.url)).toBe(await tagAt(two.url))

  // One is stopped: its page is told when to come again, and goes on at the other from where it was.
  one.stop()
  const { retry } = await first.next('bye')
  expect(retry).toBeLessThan(1000)
  await expect.poll(() => first.closeCode, { timeout: 5000 }).toBe(1012)
  expect(await one.exited).toBe(0)
  await count(3, 2, 4)
  const again = await new LiveClient(two.url).open()
  again.send({ op: 'sub', poll: 'which', epoch: 3, ver: change['ver'], trend: { res: '1s', since: opensAtMs } })
  expect(await again.next('d')).toMatchObject({ from: 2, ver: 3, voters: 6 })
  expect(await second.next('d')).toMatchObject({ from: 2, ver: 3, voters: 6 })
  again.socket.close()
  second.socket.close()
})
