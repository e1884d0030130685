import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inTransaction, migrate, openPool } from '../src/database.ts'
import { EnvironmentError } from '../src/environment.ts'
import { openTestDatabase, type TestDatabase } from './support/database.ts'

const migrationsFolder = join(import.meta.dirname, '../src/migrations')
let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.drop())

test('several apps may migrate at once, and a second time', async () => {
  await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const pools = Array.from({ length: 5 }, () => openPool({ url: database.url, applicationName: 'migrate-test' }))
  await Promise.all(pools.map((pool) => migrate(pool)))
  await Promise.all(pools.map((pool) => pool.end()))
  const { rows } = await database.pool.query('SELECT number FROM migrations ORDER BY number')
  const files = readdirSync(migrationsFolder).map((name) => Number(name.slice(0, 4)))
  expect(rows.map((row) => row.number)).toEqual(files.sort((a, b) => a - b))
})

test('what an earlier version has left belongs to the operator, and its open polls stay as they are', async () => {
  const { pool } = database
  await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await pool.query('CREATE TABLE migrations (number integer PRIMARY KEY, name text NOT NULL)')
  for (const [number, name] of [
    [1, '0001-foundation.sql'],
    [2, '0002-sessions.sql'],
  ] as const) {
    await pool.query(readFileSync(join(migrationsFolder, name), 'utf8'))
    await pool.query('INSERT INTO migrations VALUES ($1, $2)', [number, name])
  }
  for (const [id, opened] of [
    ['p1', 'now()'],
    ['p2', 'NULL'],
  ] as const) {
    await pool.query(
      `INSERT INTO polls (id, slug, title, options, revote, definition_hash, opens_at, closes_at, poll_key, opened_at)
       VALUES ($1, $1, 'T', '[]', 'first', 'h', now(), now(), '\\x00', ${opened})`,
      [id],
    )
  }
  await pool.query("INSERT INTO sessions (id_hash) VALUES ('x')")
  await migrate(pool)
  const { rows } = await pool.query(
    `SELECT owner_id, is_draft, max_choices, results_visible, eligibility, run, frozen_at IS NOT NULL AS frozen,
       length(short_code) AS short FROM polls ORDER BY id`,
  )
  const kept = {
    owner_id: 'operator',
    is_draft: false,
    max_choices: 1,
    results_visible: 'live',
    eligibility: { kind: 'codes' },
    run: 1,
    short: 8,
  }
  expect(rows).toEqual([
    { ...kept, frozen: true },
    { ...kept, frozen: false },
  ])
  const sessions = await pool.query('SELECT audience, subject FROM sessions')
  expect(sessions.rows).toEqual([{ audience: 'organiser', subject: 'operator' }])
})

test('a database of a newer version is refused', async () => {
  await database.pool.query("INSERT INTO migrations (number, name) VALUES (999, 'from the future')")
  await expect(migrate(database.pool)).rejects.toThrow('run the newer version')
  await database.pool.query('DELETE FROM migrations WHERE number = 999')
})

test('a connection that breaks in the middle of a transaction ends the transaction, and not the process', async () => {
  const broken: unknown[] = []
  const pool = openPool({ url: database.url, applicationName: 'transaction-test' })
  const onUncaught = (error: unknown): void => void broken.push(error)
  process.on('uncaughtException', onUncaught)
  const work = inTransaction(pool, async (client) => {
    const ended = new Promise((resolve) => client.once('end', resolve))
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await database.pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
    await ended
    await client.query('SELECT 1')
  })
  await expect(work).rejects.toThrow()
  process.off('uncaughtException', onUncaught)
  expect(broken).toEqual([])
  expect((await pool.query('SELECT 1 AS number')).rows).toEqual([{ number: 1 }])
  await pool.end()
})

test('a database that is not there is named while it is waited for and in the error, its password never', async () => {
  const said: string[] = []
  const note = (fields: object, text: string): void => void said.push(`${JSON.stringify(fields)} ${text}`)
  const logger = { ...silentLogger, warn: note }
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve)) // nobody listens there now
  const pool = openPool({ url: `postgresql://u:hunter2@127.0.0.1:${port}/d`, applicationName: 'migrate-test' })
  const failure = await migrate(pool, { logger, waitMs: 1500 }).then(
    () => null,
    (error: unknown) => error,
  )
  await pool.end()
  expect(failure).toBeInstanceOf(EnvironmentError)
  expect(String(failure)).toMatch(`PostgreSQL at 127.0.0.1:${port} (DATABASE_URL) cannot be used: connect ECONNREFUSED`)
  expect(said).toEqual([expect.stringContaining(`waiting for PostgreSQL at 127.0.0.1:${port}`)])
  expect(`${said.join()} ${String(failure)}`).not.toContain('hunter2')
})
