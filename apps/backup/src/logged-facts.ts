import type { LogEvent } from '@voting/election/events'
import type { PoolClient } from 'pg'
import type { LoggedRecord } from './record-line.ts'

const rowsPerInsert = 5000

/**
 * What the restored log says happened, in tables that last as long as the connection: which ballots it has, and which openings,
 * extensions and closes, in which partitions. The database is made to agree with it.
 */
export class LoggedFacts {
  readonly #client: PoolClient
  #ballots: { readonly poll: string; readonly ballot: string; readonly at: number }[] = []
  readonly #controls = new Map<string, { readonly poll: string; readonly partitions: Set<number> }>()

  constructor(client: PoolClient) {
    this.#client = client
  }

  async open(): Promise<void> {
    await this.#client.query(`
      CREATE TEMPORARY TABLE logged_ballots (poll text NOT NULL, ballot text NOT NULL, at float8 NOT NULL);
      CREATE TEMPORARY TABLE logged_controls (event text NOT NULL, poll text NOT NULL, partitions integer NOT NULL)`)
  }

  /** A record of `ballots`. What is no event of ours says nothing of the database. */
  async note(partition: number, { value }: LoggedRecord): Promise<void> {
    const event = eventOf(value)
    if (event === null) return
    const { poll } = event
    if (event.type === 'ballot') {
      this.#ballots.push({ poll, ballot: event.ballotId, at: event.at })
      if (this.#ballots.length >= rowsPerInsert) await this.#insertBallots()
      return
    }
    const known = this.#controls.get(event.eventId)
    if (known) known.partitions.add(partition)
    else this.#controls.set(event.eventId, { poll, partitions: new Set([partition]) })
  }

  /** All of the log has been noted. */
  async close(): Promise<void> {
    await this.#insertBallots()
    const controls = [...this.#controls]
    await this.#client.query('INSERT INTO logged_controls SELECT * FROM unnest($1::text[], $2::text[], $3::int[])', [
      controls.map(([event]) => event),
      controls.map(([, { poll }]) => poll),
      controls.map(([, { partitions }]) => partitions.size),
    ])
    await this.#client.query('CREATE INDEX ON logged_ballots (poll, ballot); ANALYZE logged_ballots')
  }

  async #insertBallots(): Promise<void> {
    const ballots = this.#ballots
    this.#ballots = []
    await this.#client.query('INSERT INTO logged_ballots SELECT * FROM unnest($1::text[], $2::text[], $3::float8[])', [
      ballots.map(({ poll }) => poll),
      ballots.map(({ ballot }) => ballot),
      ballots.map(({ at }) => at),
    ])
  }
}

function eventOf(value: Buffer | null): LogEvent | null {
  if (value === null) return null
  let event: Partial<LogEvent> | null
  try {
    event = JSON.parse(value.toString()) as Partial<LogEvent> | null
  } catch {
    return null // the tally rejects it, too
  }
  if (typeof event?.poll !== 'string' || typeof event.at !== 'number') return null
  if (event.type === 'ballot') return typeof event.ballotId === 'string' ? (event as LogEvent) : null
  return 'eventId' in event && typeof event.eventId === 'string' ? (event as LogEvent) : null
}
