import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from 'stream-core'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../../../apps/demo/src/postgres.ts'
import { migrate, openPool } from '../../src/database.ts'

export interface TestDatabase {
  readonly url: string
  readonly pool: pg.Pool
  drop(): Promise<void>
}

export interface TestServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

/**
 * A migrated database of its own for a test file: on the server of DATABASE_URL, on the one that all files of a worker share, or
 * on one started for it.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const given = process.env['DATABASE_URL'] ?? (await askForShared())
  const server = given ? null : await startServer()
  const serverUrl = given ?? server!.url
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await query(serverUrl, `CREATE DATABASE ${name}`)
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const pool = openPool({ url, applicationName: 'test' })
  await migrate(pool)
  return {
    url,
    pool,
    async drop() {
      await pool.end()
      if (server) await server.stop()
      else await query(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function askForShared(): Promise<string | undefined> {
  const door = process.env['TEST_POSTGRES']
  if (door === undefined) return undefined
  const answer = await fetch(`${door}/${process.env['VITEST_POOL_ID'] ?? ''}`)
  if (!answer.ok) throw new Error(await answer.text())
  return answer.text()
}

export async function startServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-test-'))
  // mkdtemp makes it private, and PostgreSQL may have to run as another user.
  chmodSync(folder, 0o755)
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), logger: silentLogger })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
