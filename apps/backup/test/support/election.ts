import { randomBytes } from 'node:crypto'
import { openPool } from '@voting/election/database'
import pg from 'pg'
import { type Broker, silentLogger } from 'stream-core'
import type { TestDatabase } from '../../../../packages/election/test/support/database.ts'
import { type RunningIngest, startIngest } from '../../../ingest/src/service.ts'
import { startTally } from '../../../tally/src/service.ts'

export const organiserToken = 'the-organiser'

export interface Poll {
  readonly id: string
  readonly codes: readonly string[]
}

export interface Ballot {
  readonly poll: string
  readonly code: string
  readonly option: string
  readonly nonce: string
}

/** Ingest and tally, as they run, on a log and a database. */
export class Election {
  readonly broker: Broker
  readonly pool: pg.Pool
  readonly #ingest: RunningIngest
  readonly #stop: () => Promise<void>

  private constructor(broker: Broker, pool: pg.Pool, ingest: RunningIngest, stop: () => Promise<void>) {
    this.broker = broker
    this.pool = pool
    this.#ingest = ingest
    this.#stop = stop
  }

  static async start(broker: Broker, databaseUrl: string, stateDir: string): Promise<Election> {
    const shared = { broker, databaseUrl, opsHost: '127.0.0.1', opsPort: 0, ballotPartitions: 3, logger: silentLogger }
    const ingest = await startIngest({
      ...shared,
      host: '127.0.0.1',
      port: 0,
      organiserToken,
      publicUrl: null,
      resultsUrl: () => 'http://results.example/',
      failuresPerMinute: 10_000,
      isProduction: false,
    })
    const tally = await startTally({
      ...shared,
      applicationId: 'tally',
      stateDir,
      opsEndpoint: null,
      showsValues: false,
    })
    const pool = openPool({ url: databaseUrl, connectionsMax: 3, applicationName: 'test' })
    return new Election(broker, pool, ingest, async () => {
      await tally.close()
      await ingest.close()
      await pool.end()
    })
  }

  /** What a backup is made of. */
  get parts(): { readonly broker: Broker; readonly pool: pg.Pool } {
    const { broker, pool } = this
    return { broker, pool }
  }

  /** A poll that is open for an hour. */
  async newPoll(codeCount: number, revote: 'first' | 'last' = 'first'): Promise<Poll> {
    const iso = (inMs: number): string => new Date(Date.now() + inMs).toISOString()
    const { id } = await this.#expect<{ id: string }>('/api/polls', {
      title: 'Which?',
      options: ['a', 'b'].map((option) => ({ id: option, label: option.toUpperCase() })),
      opensAt: iso(-1000),
      closesAt: iso(3_600_000),
      revote,
    })
    const { codes } = await this.#expect<{ codes: string[] }>(`/api/polls/${id}/codes`, { count: codeCount })
    return { id, codes }
  }

  async act(poll: Poll, action: 'close' | 'extend', body: object = {}): Promise<void> {
    await this.#expect(`/api/polls/${poll.id}/${action}`, body)
  }

  /** The answer's status and receipt. */
  async vote({ poll, ...form }: Ballot): Promise<{ readonly status: number; readonly receipt: string }> {
    const { status, body } = await this.#send(`/api/polls/${poll}/ballots`, form)
    return { status, receipt: String(body['receipt']) }
  }

  async receiptStatus(receipt: string): Promise<string> {
    const answer = await fetch(`${this.#ingest.url}/api/receipts/${receipt}`)
    return answer.status === 200 ? ((await answer.json()) as { status: string }).status : `status ${answer.status}`
  }

  /** What the database shows of a poll. */
  async result(poll: Poll) {
    const { rows } = await this.pool.query<{ document: { status: string; voters: number; accounting: object } }>(
      'SELECT document FROM results WHERE poll_id = $1',
      [poll.id],
    )
    return rows[0]?.document ?? null
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  async #expect<T>(path: string, body: object): Promise<T> {
    const { status, body: answer } = await this.#send(path, body)
    if (status >= 300) throw new Error(`${path} answered ${status}: ${JSON.stringify(answer)}`)
    return answer as T
  }

  async #send(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`${this.#ingest.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${organiserToken}` },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
}

export const ballotOf = (poll: Poll, voter: number, option = voter % 3 === 0 ? 'b' : 'a'): Ballot => ({
  poll: poll.id,
  code: poll.codes[voter]!,
  option,
  nonce: randomBytes(16).toString('base64url'),
})

/** A database on the same server with nothing in it, not even a schema. */
export async function emptyDatabase({ pool, url }: TestDatabase): Promise<string> {
  const name = `empty_${randomBytes(6).toString('hex')}`
  await pool.query(`CREATE DATABASE ${name}`)
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

export async function eventually<T>(what: string, look: () => Promise<T | null | false>): Promise<T> {
  const endMs = Date.now() + 30_000
  for (;;) {
    const found = await look()
    if (found !== null && found !== false) return found
    if (Date.now() > endMs) throw new Error(`not within 30 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
