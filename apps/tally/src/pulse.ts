import { randomUUID } from 'node:crypto'
import { boundedQuery } from '@voting/election/database'
import type { Pool } from 'pg'
import type { Logger } from 'stream-core'

export interface PulseOptions {
  readonly pool: Pool
  readonly logger: Logger
  /** How far what is shown is behind the log at the moment, in milliseconds; null: it is not known. */
  readonly behindMs: () => Promise<number | null>
  /** Time between two beats. Default 2 s. */
  readonly everyMs?: number
}

/** Rows of tallies that have not been heard of for so long are nobody's any more. */
const forgottenAfter = '1 day'

/**
 * Says in PostgreSQL that this tally is there, and how far it is behind: viewers tell their readers when newer ballots are
 * recorded than they show. Without a beat they take it that nobody counts.
 */
export class Pulse {
  readonly #options: PulseOptions
  readonly #member = randomUUID()
  #timer: NodeJS.Timeout | null = null
  #beating: Promise<void> = Promise.resolve()

  constructor(options: PulseOptions) {
    this.#options = options
  }

  start(): void {
    const beat = (): void => void (this.#beating = this.#beat())
    beat()
    this.#timer = setInterval(beat, this.#options.everyMs ?? 2000)
  }

  /** A tally that is stopped on purpose is not missed while another counts on. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#beating
    const { pool, logger } = this.#options
    await pool
      .query({ text: 'DELETE FROM tally_pulse WHERE member = $1', values: [this.#member], ...boundedQuery })
      .catch((error: unknown) => logger.debug({ event: 'pulse.not-ended', error: String(error) }, 'a row stays behind'))
  }

  async #beat(): Promise<void> {
    const { pool, logger, behindMs } = this.#options
    try {
      const behind = await behindMs()
      if (behind === null) return
      await pool.query({
        text: `WITH forgotten AS (DELETE FROM tally_pulse WHERE at < now() - $3::interval)
               INSERT INTO tally_pulse VALUES ($1, now(), $2)
               ON CONFLICT (member) DO UPDATE SET at = excluded.at, behind_ms = excluded.behind_ms`,
        values: [this.#member, Math.round(behind), forgottenAfter],
        ...boundedQuery,
      })
    } catch (error) {
      logger.debug({ event: 'pulse.failed', error: String(error) }, 'PostgreSQL was not told that this tally is there')
    }
  }
}
