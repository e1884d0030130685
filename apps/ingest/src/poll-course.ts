import {
  type AnalyticsDocument,
  analyticsMinuteMs,
  type FlowsDocument,
  type LeadDocument,
} from '@voting/election/analytics-events'
import type { Pool } from 'pg'

/** How a poll went so far, in steps of equal length. */
export interface PollCourse {
  readonly stepMs: number
  readonly steps: readonly CourseStep[]
  /** Tells for what was voted: null while nobody may see that, organisers included. */
  readonly choices: Choices | null
}

export interface CourseStep {
  readonly startMs: number
  /** Ballots that changed the result in this step: first ones and changed ones. */
  readonly votes: number
  readonly changed: number
  readonly rejected: number
  /** At the end of the step. */
  readonly voters: number
  /** At the end of the step; null before the first vote, and where results are hidden. */
  readonly standing: Standing | null
}

export interface Standing {
  readonly totals: { readonly [option: string]: number }
  /** Votes between the first and the second. */
  readonly margin: number
}

export interface Choices {
  /** The newest first. */
  readonly leads: readonly LeadDocument[]
  /** Only groups that are large enough are published; the largest first. */
  readonly flows: readonly { readonly from: string; readonly to: string; readonly voters: number }[]
}

/** More rows nobody reads, and more bars a phone cannot show. */
const stepsMax = 60
const leadsMax = 10
const dayMinutes = 1440
const niceMinutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, dayMinutes]

/** The shortest step, in whole minutes, of which `lengthMs` has few enough. */
function stepFor(lengthMs: number): number {
  const least = lengthMs / analyticsMinuteMs / (stepsMax - 1)
  return (
    (niceMinutes.find((minutes) => minutes >= least) ?? Math.ceil(least / dayMinutes) * dayMinutes) * analyticsMinuteMs
  )
}

interface Happened {
  readonly at: number
  readonly votes: number
  readonly changed: number
  readonly rejected: number
}

interface Stood {
  readonly at: number
  readonly voters: number
  readonly margin: number | null
  readonly totals: { readonly [option: string]: number } | null
}

/**
 * What the tally has found out of a poll, for the page of its organiser; null while there is nothing. What tells of choices is
 * not even asked for unless `isVisible`.
 */
export async function pollCourse(
  pool: Pool,
  pollId: string,
  epoch: number,
  isVisible: boolean,
): Promise<PollCourse | null> {
  const { rows: ends } = await pool.query<{ first: string | null; last: string | null }>(
    `SELECT min(start_ms) AS first, max(start_ms) AS last FROM analytics
     WHERE poll_id = $1 AND epoch = $2 AND kind = 'standing'`,
    [pollId, epoch],
  )
  const [first, last] = [ends[0]?.first, ends[0]?.last]
  if (first == null || last == null) return null
  const stepMs = stepFor(Number(last) - Number(first))
  const [from, to] = [Math.floor(Number(first) / stepMs), Math.floor(Number(last) / stepMs)]
  const [happened, stood, documents] = await Promise.all([
    // What was rejected before the first vote or after the last one stands at that end.
    pool.query<Happened>(
      `SELECT greatest($4, least($5, start_ms / $3))::float8 AS at,
         sum((document->>'accepted')::int + (document->>'changed')::int)::float8 AS votes,
         sum((document->>'changed')::int)::float8 AS changed,
         sum((SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(document->'rejections')))::float8 AS rejected
       FROM analytics WHERE poll_id = $1 AND epoch = $2 AND kind = 'minute' GROUP BY 1`,
      [pollId, epoch, stepMs, from, to],
    ),
    pool.query<Stood>(
      `SELECT DISTINCT ON (at) (start_ms / $3)::float8 AS at, (document->>'voters')::float8 AS voters,
         CASE WHEN $4 THEN (document->>'margin')::float8 END AS margin, CASE WHEN $4 THEN document->'totals' END AS totals
       FROM analytics WHERE poll_id = $1 AND epoch = $2 AND kind = 'standing' ORDER BY at, start_ms DESC`,
      [pollId, epoch, stepMs, isVisible],
    ),
    isVisible
      ? pool.query<{ document: AnalyticsDocument }>(
          `SELECT document FROM analytics WHERE poll_id = $1 AND epoch = $2 AND kind IN ('lead', 'flows') ORDER BY start_ms DESC`,
          [pollId, epoch],
        )
      : null,
  ])
  const happenedAt = new Map(happened.rows.map((row) => [row.at, row]))
  const stoodAt = new Map(stood.rows.map((row) => [row.at, row]))
  const steps: CourseStep[] = []
  let now: Stood | undefined
  for (let at = from; at <= to; at++) {
    const { votes = 0, changed = 0, rejected = 0 } = happenedAt.get(at) ?? {}
    now = stoodAt.get(at) ?? now
    const standing = now?.totals && now.margin !== null ? { totals: now.totals, margin: now.margin } : null
    steps.push({ startMs: at * stepMs, votes, changed, rejected, voters: now?.voters ?? 0, standing })
  }
  return { stepMs, steps, choices: documents && choicesOf(documents.rows.map(({ document }) => document)) }
}

function choicesOf(documents: readonly AnalyticsDocument[]): Choices {
  const leads = documents.filter((document): document is LeadDocument => document.kind === 'lead')
  const flows = documents.filter((document): document is FlowsDocument => document.kind === 'flows')
  return {
    // Where the lead came back within the second nothing changed.
    leads: leads.filter(({ from, to }) => from !== to).slice(0, leadsMax),
    flows: flows
      .flatMap((document) => Object.entries(document.flows))
      .flatMap(([from, of]) => Object.entries(of).map(([to, voters]) => ({ from, to, voters })))
      .sort((a, b) => b.voters - a.voters),
  }
}
