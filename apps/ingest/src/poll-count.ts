import type { AnalyticsDocument, BurstDocument } from '@voting/election/analytics-events'
import type { Accounting, ResultDocument } from '@voting/election/events'
import type { Pool } from 'pg'
import { type PollCourse, pollCourse } from './poll-course.ts'
import type { Poll } from './poll-repository.ts'

/** How the counting of a poll goes. What tells for what was voted is null while nobody may see it. */
export interface PollCount {
  readonly accounting: Accounting
  readonly voters: number
  /** Ballots that do not count, by reason, the commonest first. */
  readonly rejections: readonly (readonly [reason: string, ballots: number])[]
  /** Many more ballots than usual: to be looked at, the newest first. */
  readonly bursts: readonly BurstDocument[]
  readonly course: PollCourse | null
  readonly regions: ResultDocument['regions'] | null
}

/**
 * Whether everybody may see the results. Organisers have no other right to them: who could look at a count that is not over
 * could tell it on, or be asked to.
 */
function isVisible({ resultsVisible, isClosed, closesAtMs }: Poll, voters: number): boolean {
  if (resultsVisible === 'live' || isClosed || Date.now() >= closesAtMs) return true
  return typeof resultsVisible === 'object' && voters >= resultsVisible.from
}

const burstsMax = 5

/** What the tally has published of a poll; null before it has. */
export async function pollCount(pool: Pool, poll: Poll): Promise<PollCount | null> {
  const { rows } = await pool.query<{ document: ResultDocument; bursts: AnalyticsDocument[] }>(
    `SELECT document, (SELECT coalesce(jsonb_agg(burst.document), '[]') FROM (
        SELECT document FROM analytics a WHERE a.poll_id = r.poll_id AND a.kind = 'burst' AND a.epoch = r.epoch
        ORDER BY start_ms DESC LIMIT ${burstsMax}) burst) AS bursts
     FROM results r WHERE r.poll_id = $1`,
    [poll.id],
  )
  const row = rows[0]
  if (!row) return null
  const { accounting, voters, rejections, regions, epoch } = row.document
  const isOpenToAll = isVisible(poll, voters)
  return {
    accounting,
    voters,
    rejections: Object.entries(rejections).sort(([, a], [, b]) => b - a),
    bursts: row.bursts.filter((document) => document.kind === 'burst'),
    course: await pollCourse(pool, poll.id, epoch, isOpenToAll),
    regions: isOpenToAll ? regions : null,
  }
}
