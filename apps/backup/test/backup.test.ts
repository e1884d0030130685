import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPool } from '@voting/election/database'
import { recount } from '@voting/tally/recount'
import { type Broker, silentLogger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { backup } from '../src/backup.ts'
import type { BackupError } from '../src/backup-error.ts'
import { readManifest } from '../src/manifest.ts'
import { restore } from '../src/restore.ts'
import { type Ballot, ballotOf, Election, emptyDatabase, eventually, type Poll } from './support/election.ts'

let folder: string
let database: TestDatabase

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-test-'))
  chmodSync(folder, 0o755) // PostgreSQL may have to run as another user
  database = await openTestDatabase()
})
afterAll(async () => {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

const openLog = (name: string): Promise<Broker> => openEmbeddedLog({ path: join(folder, name, 'log', 'log.db') })

/** Restores into a new log and a new database. */
async function restored(name: string, from: string) {
  const [broker, url] = [await openLog(name), await emptyDatabase(database)]
  const pool = openPool({ url, connectionsMax: 2, applicationName: 'test' })
  const stateDir = join(folder, name, 'state')
  const target = { broker, pool, logger: silentLogger, applicationId: 'tally', stateDir }
  try {
    return { broker, url, stateDir, target, outcome: await restore({ ...target, from }) }
  } catch (error) {
    await broker.close()
    throw error
  } finally {
    await pool.end()
  }
}

const refusal = async (work: Promise<unknown>): Promise<BackupError> => {
  const outcome = await work.catch((error: unknown) => error)
  if (!(outcome instanceof Error)) throw new Error('it was not refused')
  return outcome as BackupError
}

/** What everybody sees of the first test's election. */
let running: Election
let closed: Poll
const inBackup = new Map<Ballot, string>()

test(
  'an election that is voted in while it is backed up is restored as it was, and voting goes on with each ballot counted once',
  { timeout: 90_000 },
  async () => {
    running = await Election.start(await openLog('live'), database.url, join(folder, 'live', 'state'))
    closed = await running.newPoll(3, 'last')
    for (const voter of [0, 1, 1]) expect((await running.vote(ballotOf(closed, voter))).status).toBe(201)
    await running.act(closed, 'close')
    const poll = await running.newPoll(400)
    // Something that is no ballot, and no text either.
    const producer = await running.broker.openProducer()
    const odd = Buffer.from([0xff, 0x00, 0xfe, 0x0a])
    producer.append('ballots', 1, null, odd, 1_763_800_000_000, [['trace', odd]])
    await producer.flush()
    await producer.close()

    const acknowledged: [Ballot, string][] = []
    let isVoting = true
    const voting = (async () => {
      for (let voter = 0; isVoting && voter < 300; voter++) {
        const ballot = ballotOf(poll, voter)
        acknowledged.push([ballot, (await running.vote(ballot)).receipt])
      }
    })()
    await eventually('some have voted', async () => acknowledged.length > 40)
    const before = acknowledged.length
    const out = join(folder, 'backup')
    const manifest = await backup({ ...running.parts, source: 'embedded', applicationId: 'tally', out })
    isVoting = false
    await voting
    for (const [ballot, receipt] of acknowledged.slice(0, before)) inBackup.set(ballot, receipt)
    expect(manifest.results).toMatchObject({ uncounted: 0 })
    expect(statSync(join(out, 'manifest.json')).mode & 0o077).toBe(0)
    execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out })

    const { broker, url, stateDir, outcome } = await restored('again', out)
    expect(outcome.polls.map(({ isEqual }) => isEqual)).toEqual([true, true, true]) // the third is of what is no ballot
    expect(outcome.polls.find(({ poll: id }) => id === closed.id)!.recounted).toMatchObject({
      status: 'final',
      voters: 2,
    })
    const again = await Election.start(broker, url, stateDir)
    // Who had a receipt before the backup has one that holds; the same form is known; the code votes no second time.
    for (const [ballot, receipt] of [...inBackup].slice(0, 20)) {
      await eventually('it is counted', async () => (await again.receiptStatus(receipt)) === 'counted')
      expect(await again.vote(ballot)).toEqual({ status: 200, receipt })
      expect((await again.vote({ ...ballot, nonce: 'n'.repeat(20) })).status).toBe(409)
    }
    // Who has voted since sends the same form again; it is known if it had come before the end of the log.
    for (const [ballot, receipt] of acknowledged.slice(before)) {
      const answer = await again.vote(ballot)
      expect([200, 201]).toContain(answer.status)
      expect(answer.receipt).toBe(receipt)
    }
    for (let voter = 300; voter < 310; voter++) expect((await again.vote(ballotOf(poll, voter))).status).toBe(201)
    const voters = acknowledged.length + 10
    const counted = await eventually('all are counted', async () => {
      const result = await again.result(poll)
      return result && result.voters >= voters ? result : null
    })
    expect(counted.accounting).toEqual({
      recorded: voters,
      accepted: voters,
      superseded: 0,
      rejected: 0,
      duplicates: 0,
    })
    const live = { applicationId: 'tally', stateDir: null }
    const found = await recount({ broker, logger: silentLogger, live })
    expect(found.polls.filter(({ isEqual }) => !isEqual)).toEqual([])
    const bytes = broker.openReader()
    bytes.assign([{ topic: 'ballots', partition: 1, offset: 0 }])
    const records = (await bytes.poll(1000))[0]!.records
    while (records.next() && records.key() !== null);
    expect([records.value(), records.headers(), records.timestampMs]).toEqual([
      odd,
      [['trace', odd]],
      1_763_800_000_000,
    ])
    await bytes.close()
    await again.stop()
    await broker.close()
  },
)

test('what happens between the end of the log and the look at the database is taken back, and can be done again', async () => {
  const { pool } = running
  const closing = await running.newPoll(3)
  const poll = await running.newPoll(4)
  await running.vote(ballotOf(closing, 0))
  const first = ballotOf(poll, 0)
  const early = await running.vote(first)
  const late = ballotOf(poll, 1)
  let opened: Poll | null = null
  const slow = Object.create(pool, {
    connect: {
      value: async () => {
        expect((await running.vote(late)).status).toBe(201)
        // Ingest has written it to the log, and died before it noted so.
        await pool.query("UPDATE claims SET state = 'pending', recorded_at = NULL WHERE receipt = $1", [early.receipt])
        opened = await running.newPoll(2)
        expect((await running.vote(ballotOf(opened, 0))).status).toBe(201)
        await running.act(closing, 'close')
        await running.act(poll, 'extend', { closesAt: new Date(Date.now() + 9e6).toISOString(), reason: 'Rain' })
        return pool.connect()
      },
    },
  }) as typeof pool
  const out = join(folder, 'backup-between')
  await backup({ broker: running.broker, pool: slow, source: 'embedded', applicationId: 'tally', out })
  const { broker, url, stateDir, outcome } = await restored('between', out)
  expect(outcome.polls.filter(({ isEqual }) => !isEqual)).toEqual([])
  // Two ballots, and of the polls an opening, a close and an extension.
  expect(outcome.reconciled).toEqual({ claimsReleased: 2, claimsRecorded: 1, controlsUndone: 3 })
  const again = await Election.start(broker, url, stateDir)
  expect(await again.vote(first)).toEqual({ status: 200, receipt: early.receipt })
  // The voter's form is gone: another one is taken.
  expect((await again.vote(ballotOf(poll, 1, 'b'))).status).toBe(201)
  expect((await again.vote(ballotOf(opened!, 0))).status).toBe(201)
  await eventually('the poll is final', async () => (await again.result(closing))?.status === 'final')
  await eventually('both are counted', async () => (await again.result(poll))?.voters === 2)
  await eventually('the poll is opened', async () => (await again.result(opened!))?.voters === 1)
  const { rows } = await again.pool.query(
    'SELECT extensions, extensions_recorded, opened_at IS NOT NULL AS opened FROM polls WHERE id = ANY ($1) ORDER BY extensions',
    [[poll.id, opened!.id]],
  )
  expect(rows).toEqual([
    { extensions: 0, extensions_recorded: 0, opened: true },
    { extensions: 1, extensions_recorded: 1, opened: true },
  ])
  await again.stop()
  await broker.close()
})

test.each([
  [
    'a byte was changed',
    'damaged',
    /log\/ballots-0\.ndjson\.gz/,
    (at: string) => {
      const path = join(at, 'log', 'ballots-0.ndjson.gz')
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(path, bytes)
    },
  ],
  [
    'a file was cut off',
    'damaged',
    /database\/codes\.ndjson\.gz/,
    (at: string) => {
      const path = join(at, 'database', 'codes.ndjson.gz')
      writeFileSync(path, readFileSync(path).subarray(0, 100))
    },
  ],
  [
    'a file is missing',
    'incomplete',
    /log\/polls-0\.ndjson\.gz is missing/,
    (at: string) => rmSync(join(at, 'log', 'polls-0.ndjson.gz')),
  ],
  ['the last file is missing', 'incomplete', /SHA256SUMS/, (at: string) => rmSync(join(at, 'SHA256SUMS'))],
  [
    'the manifest was changed',
    'damaged',
    /manifest\.json/,
    (at: string) => {
      const path = join(at, 'manifest.json')
      writeFileSync(
        path,
        readFileSync(path, 'utf8')
          .replace('"kafka"', '"embedded"')
          .replace(/"rows": \d/, '"rows": 7'),
      )
    },
  ],
  [
    'another version made it',
    'unknown-format',
    /format 9, this version reads 1/,
    (at: string) => {
      const path = join(at, 'manifest.json')
      writeFileSync(path, JSON.stringify({ ...readManifest(at), version: 9 }))
    },
  ],
  ['it is no backup', 'nothing-there', /manifest\.json is missing/, (at: string) => rmSync(join(at, 'manifest.json'))],
])('a backup is refused, and nothing is touched, when %s', async (what, code, message, damage) => {
  const from = join(folder, what.replaceAll(' ', '-'))
  cpSync(join(folder, 'backup'), from, { recursive: true })
  damage(from)
  const [broker, url] = [await openLog(`target ${what}`), await emptyDatabase(database)]
  const pool = openPool({ url, connectionsMax: 1, applicationName: 'test' })
  const error = await refusal(
    restore({ broker, pool, logger: silentLogger, from, applicationId: 'tally', stateDir: null }),
  )
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  expect(await broker.admin.listTopics()).toEqual([])
  expect((await pool.query('SELECT 1 FROM pg_tables WHERE schemaname = current_schema()')).rowCount).toBe(0)
  await pool.end()
  await broker.close()
})

test('a log, a database or a folder that is not empty is refused by name', async () => {
  const from = join(folder, 'backup')
  const target = { logger: silentLogger, from, applicationId: 'tally', stateDir: null }
  const refused = async (work: Promise<unknown>): Promise<string> => {
    const { code, message } = await refusal(work)
    return `${code}: ${message}`
  }
  expect(await refused(restore({ ...target, ...running.parts }))).toMatch(/^in-use: the tally tally runs here/)
  const broker = await openLog('not empty')
  const { pool } = running
  expect(await refused(restore({ ...target, broker, pool }))).toMatch(
    /^not-empty: the database is not empty: \w+ has rows/,
  )
  await broker.admin.createTopics([{ topic: 'results', partitions: 1 }])
  const producer = await broker.openProducer()
  producer.append('results', 0, 'p', 'x', 1)
  await producer.flush()
  await producer.close()
  expect(await refused(restore({ ...target, broker, pool }))).toMatch(/^not-empty: .*the topic results has records/)
  await broker.close()
  const there = { ...running.parts, source: 'embedded', applicationId: 'tally', out: from } as const
  expect(await refused(backup(there))).toMatch(/^exists: /)
})

test(
  'the commands take a data folder through backup and restore, and refuse one that is in use',
  { timeout: 120_000 },
  async () => {
    const program = (name: string, url: string, ...options: string[]) => {
      const path = join(import.meta.dirname, '..', 'src', `${name}-main.ts`)
      const env = { ...process.env, KAFKA_BROKERS: '', DATABASE_URL: url, APPLICATION_ID: '' }
      const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...options], { encoding: 'utf8', env })
      return { status, stdout, stderr }
    }
    const [live, out, target] = ['live', 'by-command', 'restored-by-command'].map((name) => join(folder, name))
    const inUse = program('backup', database.url, '--data-dir', live!, '--out', out!)
    expect(inUse).toMatchObject({ status: 2, stderr: expect.stringContaining('held by another process') })
    expect(existsSync(out!)).toBe(false)
    await running.stop()
    await running.broker.close()
    expect(program('backup', database.url, '--data-dir', live!, '--out', out!)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^backup: \d+ records and \d+ rows of 6 counted polls are in /),
    })
    // Without an address of PostgreSQL it makes one in the folder, as npm start does.
    const done = program('restore', '', '--from', out!, '--data-dir', target!)
    expect(done, done.stderr).toMatchObject({ status: 0, stdout: 'restore: equal\n' })
    expect(done.stderr).toContain(`equal   ${closed.id}: 2 voters were published, 2 are counted`)
    expect(program('restore', '', '--from', out!, '--data-dir', target!)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/restored-by-command is not empty/),
    })
    expect(program('restore', '', '--data-dir', target!)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--from is missing/),
    })
  },
)
