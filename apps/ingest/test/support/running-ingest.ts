import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase, type TestDatabase } from '../../../../packages/election/test/support/database.ts'
import { silentLogger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { topics } from '@voting/election/topics'
import { type IngestOptions, type RunningIngest, startIngest } from '../../src/service.ts'
import { FaultyLog } from './faulty-log.ts'

export interface TestIngest {
  readonly ingest: RunningIngest
  /** A second process's worth of ingest on the same log and database. */
  another(options?: Partial<IngestOptions>): Promise<RunningIngest>
  readonly database: TestDatabase
  readonly log: FaultyLog
  /** What a valid poll is created with. */
  definition(options?: PollOptions): object
  /** Ids of the polls whose definition the log has. */
  pollsInLog(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface PollOptions {
  readonly revote?: string
  readonly opensInMs?: number
  readonly closesInMs?: number
}

export const organiser = { authorization: 'Bearer the-organiser' }

const iso = (inMs: number): string => new Date(Date.now() + inMs).toISOString()

/** Ingest as it runs, on a real log and a real PostgreSQL. */
export async function openTestIngest(options: Partial<IngestOptions> = {}): Promise<TestIngest> {
  const folder = mkdtempSync(join(tmpdir(), 'ingest-test-'))
  const database = await openTestDatabase()
  const log = new FaultyLog(await openEmbeddedLog({ path: join(folder, 'log.db') }))
  const start = (others: Partial<IngestOptions> = {}): Promise<RunningIngest> =>
    startIngest({
      broker: log,
      databaseUrl: database.url,
      host: '127.0.0.1',
      port: 0,
      opsHost: '127.0.0.1',
      opsPort: 0,
      organiserToken: 'the-organiser',
      publicUrl: null,
      resultsUrl: () => 'http://results.example/',
      ballotPartitions: 2,
      failuresPerMinute: 10_000,
      isProduction: false,
      logger: silentLogger,
      ...options,
      ...others,
    })
  const ingest = await start()
  return {
    ingest,
    another: start,
    database,
    log,
    definition: ({ revote = 'first', opensInMs = -1000, closesInMs = 3_600_000 } = {}) => ({
      title: 'Which?',
      options: [
        { id: 'a', label: 'A' },
        { id: 'b', label: 'B' },
      ],
      regions: ['north'],
      opensAt: iso(opensInMs),
      closesAt: iso(closesInMs),
      revote,
    }),
    async pollsInLog() {
      const reader = log.openReader()
      reader.assign([{ topic: topics.polls, partition: 0, offset: 0 }])
      const ids: string[] = []
      for (const { records } of await reader.poll(1000)) {
        while (records.next()) ids.push(records.key()!.toString())
      }
      await reader.close()
      return ids
    },
    async close() {
      await ingest.close()
      await log.close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A poll with five codes. */
export async function newPoll(
  system: TestIngest,
  options: PollOptions = {},
): Promise<{ id: string; slug: string; codes: readonly string[] }> {
  const poll = await send(`${system.ingest.url}/api/polls`, system.definition(options), organiser)
  const { id, slug } = poll.body as { id: string; slug: string }
  const issued = await send(`${system.ingest.url}/api/polls/${id}/codes`, { count: 5, region: 'north' }, organiser)
  if (poll.status !== 201 || issued.status !== 201) throw new Error(JSON.stringify([poll.body, issued.body]))
  return { id, slug, codes: issued.body['codes'] as string[] }
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
