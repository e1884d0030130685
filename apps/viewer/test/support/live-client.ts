import type { TestDatabase } from '../../../../packages/election/test/support/database.ts'
import type { AnalyticsDocument } from '@voting/election/analytics-events'
import { WebSocket } from 'ws'

/** A poll `p1` that is open, with options a and b and the region north. */
export async function insertPoll(database: TestDatabase, opensAtMs: number): Promise<void> {
  await database.pool.query('TRUNCATE polls, results, trends, analytics, tally_pulse CASCADE')
  await database.pool.query("INSERT INTO tally_pulse VALUES ('a tally', now() + interval '1 hour', 0)")
  await database.pool.query(
    `INSERT INTO polls (id, slug, title, options, regions, revote, definition_hash, opens_at, closes_at, poll_key, opened_at)
     VALUES ('p1', 'which', 'Which <one>?', '[{"id":"a","label":"A"},{"id":"b","label":"B"}]', '["north"]', 'last', 'h1',
       to_timestamp($1 / 1000.0), now() + interval '1 hour', 'k', now())`,
    [opensAtMs],
  )
}

export interface Counted {
  readonly epoch: number
  readonly version: number
  readonly a: number
  readonly b: number
  readonly asOfMs: number
  readonly status?: string
}

/** Writes as the tally's sink does: rows with a new revision, and a word on the channel, in one transaction. */
export async function writeCount(database: TestDatabase, counted: Counted): Promise<void> {
  const { epoch, version, a, b, asOfMs, status = 'open' } = counted
  const document = {
    poll: 'p1',
    epoch,
    version,
    status,
    asOf: asOfMs,
    definitionHash: 'h1',
    voters: a + b,
    totals: { a, b },
    regions: { north: { a, b } },
    accounting: { recorded: a + b, accepted: a + b, superseded: 0, rejected: 0, duplicates: 0 },
    rejections: {},
  }
  const client = await database.pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO results VALUES ('p1', $1, $2, $3, nextval('results_revision'), now())
       ON CONFLICT (poll_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,
         document = excluded.document, revision = excluded.revision`,
      [epoch, version, document],
    )
    for (const windowMs of [1000, 10_000, 60_000]) {
      await client.query(
        `INSERT INTO trends VALUES ('p1', $1, $2, $3, $4, $5, nextval('results_revision'))
         ON CONFLICT (poll_id, window_ms, start_ms) DO UPDATE SET counts = excluded.counts, revision = excluded.revision`,
        [windowMs, Math.floor(asOfMs / windowMs) * windowMs, epoch, version, { a, b }],
      )
    }
    await client.query("SELECT pg_notify('results_changed', '')")
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

/** Writes what the tally finds out beside results, as its sink does. */
export async function writeAnalytics(database: TestDatabase, documents: readonly AnalyticsDocument[]): Promise<void> {
  for (const document of documents) {
    const { poll, kind, start, epoch, version } = document
    await database.pool.query("INSERT INTO analytics VALUES ($1, $2, $3, $4, $5, $6, nextval('results_revision'))", [
      poll,
      kind,
      start,
      epoch,
      version,
      document,
    ])
  }
  await database.pool.query("SELECT pg_notify('results_changed', '')")
}

export type Frame = Record<string, unknown>

/** A WebSocket that remembers its frames. */
export class LiveClient {
  readonly frames: Frame[] = []
  readonly socket: WebSocket
  closeCode = 0
  #waiting: (() => void)[] = []

  constructor(viewerUrl: string, origin?: string, protocols: string[] = ['tally.v1']) {
    this.socket = new WebSocket(`${viewerUrl.replace('http', 'ws')}/ws`, protocols, origin ? { origin } : {})
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse((data as Buffer).toString()) as Frame)
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.socket.on('close', (code) => {
      this.closeCode = code
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.socket.on('error', () => (this.closeCode = -1))
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    return this
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  async next(type: string): Promise<Frame> {
    const end = Date.now() + 5000
    for (;;) {
      const at = this.frames.findIndex((frame) => frame['t'] === type)
      if (at >= 0) return this.frames.splice(at, 1)[0]!
      if (Date.now() > end) throw new Error(`no frame of type ${type}; there are ${JSON.stringify(this.frames)}`)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        setTimeout(resolve, 100)
      })
    }
  }
}
