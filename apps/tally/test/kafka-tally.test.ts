import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { type LocalKafka, startLocalKafka } from '../../../scripts/local-kafka.ts'
import { createPoll, eventually, newNonce, post, type Results, get } from '../../../e2e/support/api.ts'

let kafka: LocalKafka | null = null
let brokers: string
let database: TestDatabase
let folder: string
const processes = new Set<ChildProcess>()

beforeAll(async () => {
  kafka = process.env['KAFKA_BROKERS'] ? null : await startLocalKafka()
  brokers = process.env['KAFKA_BROKERS'] ?? kafka!.bootstrapServers
  database = await openTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'kafka-tally-'))
})
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL')
  await database?.drop()
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface AppLine {
  readonly ready: true
  readonly app: string
  readonly url: string
  readonly ops: string
}

/** One app as its own process, configured by environment: how it runs in production. */
async function startApp(app: 'ingest' | 'tally' | 'viewer', environment: Record<string, string> = {}) {
  const main = join(import.meta.dirname, '..', '..', app, 'src', 'main.ts')
  const child = spawn(process.execPath, [main, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      KAFKA_BROKERS: brokers,
      APPLICATION_ID: `tally-${process.pid}`,
      STATE_DIR: join(folder, 'state'),
      ORGANISER_TOKEN: 'the-organiser',
      PORT: '0',
      OPS_PORT: '0',
      LOG_LEVEL: 'warn',
      ...environment,
    },
  })
  processes.add(child)
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on('exit', (code, signal) => {
      processes.delete(child)
      resolve(signal ?? code)
    }),
  )
  const ready = new Promise<AppLine>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(JSON.parse(String(chunk)) as AppLine)),
  )
  const first = await Promise.race([ready, exited.then(() => null)])
  if (first === null) throw new Error(`${app} did not start:\n${errors}`)
  return { ...first, child, exited, errors: () => errors }
}

test('the tally killed again and again under load on Kafka counts every recorded ballot once', async () => {
  const [ingest, viewer] = await Promise.all([startApp('ingest'), startApp('viewer')])
  let tally = await startApp('tally')
  const system = {
    ready: true,
    ingest: ingest.url,
    viewer: viewer.url,
    organiserToken: 'the-organiser',
    ops: { ingest: '', tally: '', viewer: '' },
  } as const
  const { id, codes } = await createPoll(system, 'last', 2000)

  let isLoading = true
  const expected = new Map<string, string>()
  let recorded = 0
  const voter = async (from: number): Promise<void> => {
    for (let i = from; isLoading; i += 8) {
      const code = codes[i % codes.length]!
      const option = 'abc'[(i * 7) % 3]!
      const answer = await post(`${ingest.url}/api/polls/${id}/ballots`, { code, option, nonce: newNonce() })
      expect(answer.status).toBe(201)
      recorded++
      // A code is used by one voter at a time, so the last answer is the last ballot of the log.
      expected.set(code, option)
    }
  }
  const load = Promise.all(Array.from({ length: 8 }, (_, i) => voter(i)))
  for (let round = 0; round < 4; round++) {
    const before = recorded
    await eventually('some ballots', async () => (recorded - before > 300 ? true : null), 60_000)
    tally.child.kill('SIGKILL')
    expect(await tally.exited).toBe('SIGKILL')
    tally = await startApp('tally')
  }
  isLoading = false
  await load

  const result = await eventually(
    'everything is counted',
    async () => {
      const { body } = await get<Results>(`${viewer.url}/api/polls/${id}/results`)
      return body.accounting.recorded >= recorded ? body : null
    },
    60_000,
  )
  const totals = { a: 0, b: 0, c: 0 }
  for (const option of expected.values()) totals[option as keyof typeof totals]++
  expect(result.totals).toEqual(totals)
  expect(result.accounting).toEqual({
    recorded,
    accepted: expected.size,
    superseded: recorded - expected.size,
    rejected: 0,
    duplicates: 0,
  })

  // A second tally shares the work, and goes on when the first is stopped.
  const second = await startApp('tally', { STATE_DIR: join(folder, 'other-state') })
  let extra = 0
  const voteOnce = async (): Promise<void> => {
    const code = codes[extra % codes.length]!
    const { status } = await post(`${ingest.url}/api/polls/${id}/ballots`, { code, option: 'a', nonce: newNonce() })
    expect(status).toBe(201)
    extra++
  }
  const untilCounted = (what: string) =>
    eventually(
      what,
      async () => {
        const { body } = await get<Results>(`${viewer.url}/api/polls/${id}/results`)
        return body.accounting.recorded === recorded + extra ? true : null
      },
      60_000,
    )
  for (let i = 0; i < 100; i++) await voteOnce()
  await untilCounted('two count')
  tally.child.kill('SIGTERM')
  expect(await tally.exited).toBe(0)
  for (let i = 0; i < 100; i++) await voteOnce()
  await untilCounted('the second one counts')
  for (const app of [second, viewer, ingest]) {
    app.child.kill('SIGTERM')
    expect(await app.exited, app.app).toBe(0)
  }
})

// A cluster that was given is not ours to restart.
test.skipIf(process.env['KAFKA_BROKERS'])(
  'a broker that restarts is waited for, and no ballot is lost or counted twice',
  async () => {
    const [ingest, viewer, tally] = await Promise.all([startApp('ingest'), startApp('viewer'), startApp('tally')])
    const system = {
      ready: true,
      ingest: ingest.url,
      viewer: viewer.url,
      organiserToken: 'the-organiser',
      ops: { ingest: '', tally: '', viewer: '' },
    } as const
    const { id, codes } = await createPoll(system, 'first', 400)
    const ballots = codes.map((code, i) => ({ code, option: 'abc'[i % 3]!, nonce: newNonce() }))
    const vote = async (ballot: (typeof ballots)[number]): Promise<void> => {
      const deadline = Date.now() + 60_000
      for (;;) {
        const { status } = await post(`${ingest.url}/api/polls/${id}/ballots`, ballot)
        if (status === 200 || status === 201) return
        // What a voter is told to do: send the same form again.
        expect(status).toBe(503)
        if (Date.now() > deadline) throw new Error('the log did not come back')
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
    const voting = (async () => {
      for (let i = 0; i < ballots.length; i += 8) await Promise.all(ballots.slice(i, i + 8).map(vote))
    })()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await kafka!.restart({ signal: 'SIGKILL', downMs: 1000 })
    await voting
    const result = await eventually(
      'everything is counted',
      async () => {
        const { body } = await get<Results>(`${viewer.url}/api/polls/${id}/results`)
        return body.voters >= ballots.length ? body : null
      },
      60_000,
    )
    expect(result.accounting).toMatchObject({ accepted: ballots.length, superseded: 0, rejected: 0 })
    for (const app of [tally, viewer, ingest]) {
      app.child.kill('SIGTERM')
      expect(await app.exited, app.app).toBe(0)
    }
  },
)

test('wrong settings are named all at once, and --check looks without starting', async () => {
  await expect(startApp('tally', { DATABASE_URL: '', OPS_PORT: 'x' })).rejects.toThrow(
    /DATABASE_URL is required[^]*OPS_PORT is "x"/,
  )
  await expect(startApp('ingest', { KAFKA_BROKERS: 'nowhere' })).rejects.toThrow('"nowhere" is no broker address')
})
