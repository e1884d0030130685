import type { AnalyticsDocument, BurstDocument } from '@voting/election/analytics-events'
import type { Accounting, ResultDocument } from '@voting/election/events'
import type { Pool } from 'pg'

/** How the counting of a poll goes, without saying for what anybody voted. */
export interface PollCount {
  readonly accounting: Accounting
  readonly voters: number
  /** Ballots that do not count, by reason, the commonest first. */
  readonly rejections: readonly (readonly [reason: string, ballots: number])[]
  /** Many more ballots than usual: to be looked at, the newest first. */
  readonly bursts: readonly BurstDocument[]
}

const burstsMax = 5

/** What the tally has published of a poll; null before it has. */
export async function pollCount(pool: Pool, pollId: string): Promise<PollCount | null> {
  const { rows } = await pool.query<{ document: ResultDocument; bursts: AnalyticsDocument[] }>(
    `SELECT document, (SELECT coalesce(jsonb_agg(burst.document), '[]') FROM (
        SELECT document FROM analytics a WHERE a.poll_id = r.poll_id AND a.kind = 'burst' AND a.epoch = r.epoch
        ORDER BY start_ms DESC LIMIT ${burstsMax}) burst) AS bursts
     FROM results r WHERE r.poll_id = $1`,
    [pollId],
  )
  const row = rows[0]
  if (!row) return null
  const { accounting, voters, rejections } = row.document
  return {
    accounting,
    voters,
    rejections: Object.entries(rejections).sort(([, a], [, b]) => b - a),
    bursts: row.bursts.filter((document) => document.kind === 'burst'),
  }
}
