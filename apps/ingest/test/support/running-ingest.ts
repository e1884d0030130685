import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase, type TestDatabase } from '../../../../packages/election/test/support/database.ts'
import { silentLogger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { type RunningIngest, startIngest } from '../../src/service.ts'
import { FaultyLog } from './faulty-log.ts'

export interface TestIngest {
  readonly ingest: RunningIngest
  readonly database: TestDatabase
  readonly log: FaultyLog
  close(): Promise<void>
}

/** Ingest as it runs, on a real log and a real PostgreSQL. */
export async function openTestIngest(options: { failuresPerMinute?: number } = {}): Promise<TestIngest> {
  const folder = mkdtempSync(join(tmpdir(), 'ingest-test-'))
  const database = await openTestDatabase()
  const log = new FaultyLog(await openEmbeddedLog({ path: join(folder, 'log.db') }))
  const ingest = await startIngest({
    broker: log,
    databaseUrl: database.url,
    host: '127.0.0.1',
    port: 0,
    opsHost: '127.0.0.1',
    opsPort: 0,
    organiserToken: 'the-organiser',
    publicUrl: null,
    resultsUrl: () => 'http://results.example',
    ballotPartitions: 2,
    failuresPerMinute: options.failuresPerMinute ?? 10_000,
    isProduction: false,
    logger: silentLogger,
  })
  return {
    ingest,
    database,
    log,
    async close() {
      await ingest.close()
      await log.close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const newNonce = (): string => randomBytes(16).toString('base64url')

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

export async function send(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  }
}
