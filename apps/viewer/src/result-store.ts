import { boundedQuery } from '@voting/election/database'
import { type AnalyticsDocument, type AnalyticsKind, analyticsMinuteMs } from '@voting/election/analytics-events'
import type { ResultDocument } from '@voting/election/events'
import { normaliseBase32 } from '@voting/election/receipt'
import type { Pool, QueryResult, QueryResultRow } from 'pg'
import type { CurvePoint } from './compare.ts'
import { type PollRow, type PollView, viewOf } from './poll-view.ts'
import { seal } from './sealing.ts'
import type { MinuteSums } from './time-travel.ts'
import { SharedQuestion } from './shared-question.ts'
import { windowsMax } from './trend-columns.ts'

export interface TrendRow {
  readonly pollId: string
  readonly windowMs: number
  readonly startMs: number
  readonly counts: { readonly [option: string]: number }
}

export interface Changes {
  readonly views: readonly PollView[]
  readonly trends: readonly TrendRow[]
  /** Polls of which something else was found out: leads, changes of mind, bursts. */
  readonly found: readonly string[]
  readonly revision: number
  /** Newer ballots are recorded than are counted, or nobody counts. */
  readonly isLate: boolean
}

/** How far the count may be behind before readers are told; a tally says that it is there every two seconds. */
const lateMs = 10_000
/** What pages list; minutes and standings are asked for when they are wanted. */
const listedKinds = "('lead', 'flows', 'burst')"

const pollColumns = `p.id, p.slug, p.title, p.options, p.regions, p.definition_hash AS "definitionHash", p.electorate,
  coalesce(p.series_id, p.id) AS "seriesId", p.run, p.revote, p.max_choices AS "maxChoices", p.allow_blank AS "allowBlank",
  p.results_visible AS "resultsVisible",
  extract(epoch FROM p.opens_at)::float8 * 1000 AS "opensAtMs", extract(epoch FROM p.closes_at)::float8 * 1000 AS "closesAtMs",
  p.opened_at IS NOT NULL AS "isOpened", p.closed_at IS NOT NULL AS "isClosed", r.document`

type Row = PollRow & { readonly document: ResultDocument | null }

interface Revised {
  readonly revision: number
}

interface ChangeRow {
  readonly results: readonly (Row & Revised)[]
  readonly trends: readonly (TrendRow & Revised)[]
  readonly found: readonly ({ readonly pollId: string } & Revised)[]
  readonly isLate: boolean
}

/** Sealed where its results are hidden: nothing else leaves this file. */
const viewOfRow = ({ document, ...poll }: Row): PollView =>
  seal(
    viewOf({ ...poll, opensAtMs: Math.round(poll.opensAtMs), closesAtMs: Math.round(poll.closesAtMs) }, document),
    Date.now(),
  )

/** What an id or a slug can look like; anything else is no poll, and no question for the database. */
const legalName = /^[a-z0-9-]{1,64}$/

export interface ResultStoreOptions {
  /** A question that takes longer is an error, and its connection is dropped. */
  readonly queryTimeoutMs?: number
}

interface Question {
  readonly name: string
  readonly text: string
  readonly values?: unknown[]
}

/** Everything the viewer asks of PostgreSQL: it reads nothing else, and writes nothing. */
export class ResultStore {
  readonly #pool: Pool
  readonly #bound: { readonly query_timeout: number }
  readonly #polls = new SharedQuestion((idOrSlug) => this.#askPoll(idOrSlug))

  constructor(pool: Pool, { queryTimeoutMs = boundedQuery.query_timeout }: ResultStoreOptions = {}) {
    this.#pool = pool
    this.#bound = { query_timeout: queryTimeoutMs }
  }

  async polls(): Promise<readonly PollView[]> {
    const { rows } = await this.#ask<Row>({
      name: 'polls',
      text: `SELECT ${pollColumns} FROM polls p LEFT JOIN results r ON r.poll_id = p.id WHERE NOT p.is_draft ORDER BY p.opens_at DESC, p.id`,
    })
    return rows.map(viewOfRow)
  }

  /** A poll by its id or its slug. */
  poll(idOrSlug: string): Promise<PollView | null> {
    return legalName.test(idOrSlug) ? this.#polls.ask(idOrSlug) : Promise.resolve(null)
  }

  async #askPoll(idOrSlug: string): Promise<PollView | null> {
    const { rows } = await this.#ask<Row>({
      name: 'poll-view',
      text: `SELECT ${pollColumns} FROM polls p LEFT JOIN results r ON r.poll_id = p.id WHERE (p.id = $1 OR p.slug = $1) AND NOT p.is_draft
             ORDER BY (p.id = $1) DESC LIMIT 1`,
      values: [idOrSlug],
    })
    return rows[0] ? viewOfRow(rows[0]) : null
  }

  /** The poll a visitor without a link wants: one that is open, else the newest. */
  async currentPoll(): Promise<PollView | null> {
    const { rows } = await this.#ask<Row>({
      name: 'current-poll',
      text: `SELECT ${pollColumns} FROM polls p LEFT JOIN results r ON r.poll_id = p.id WHERE NOT p.is_draft
             ORDER BY (p.opens_at <= now() AND p.closes_at > now() AND p.closed_at IS NULL) DESC, p.opens_at DESC, p.id
             LIMIT 1`,
    })
    return rows[0] ? viewOfRow(rows[0]) : null
  }

  /** Whether somebody has a receipt of this poll: its ballot is in the log, and was not rejected. */
  async holdsReceipt({ poll }: PollView, receipt: string): Promise<boolean> {
    const text = normaliseBase32(receipt)
    if (!/^[0-9A-Z]{20}$/.test(text)) return false
    const { rowCount } = await this.#ask({
      name: 'holds-receipt',
      text: `SELECT 1 FROM receipts WHERE receipt = $1 AND poll_id = $2 AND status <> 'rejected'
             UNION ALL SELECT 1 FROM claims WHERE receipt = $1 AND poll_id = $2 AND state = 'recorded'
               AND NOT EXISTS (SELECT 1 FROM receipts WHERE receipt = $1)`,
      values: [text.match(/.{5}/g)!.join('-'), poll.id],
    })
    return rowCount !== 0
  }

  async revision(): Promise<number> {
    const { rows } = await this.#ask<{ revision: string }>({
      name: 'revision',
      text: `SELECT greatest((SELECT coalesce(max(revision), 0) FROM results),
                             (SELECT coalesce(max(revision), 0) FROM trends),
                             (SELECT coalesce(max(revision), 0) FROM analytics)) AS revision`,
    })
    return Number(rows[0]!.revision)
  }

  /**
   * What the sink has written since a revision: one query per tick, whatever the number of viewers. It is one statement,
   * because the revision moves on past everything that is visible: what the sink commits between two statements would be
   * skipped for ever.
   */
  async changesSince(revision: number): Promise<Changes> {
    const { rows } = await this.#ask<ChangeRow>({
      name: 'changes-since',
      text: `SELECT
        (SELECT coalesce(json_agg(result), '[]') FROM (
          SELECT ${pollColumns}, r.revision FROM results r JOIN polls p ON p.id = r.poll_id WHERE r.revision > $1
        ) result) AS results,
        (SELECT coalesce(json_agg(trend), '[]') FROM (
          SELECT poll_id AS "pollId", window_ms AS "windowMs", start_ms AS "startMs", counts, revision FROM trends
          WHERE revision > $1 ORDER BY start_ms
        ) trend) AS trends,
        (SELECT coalesce(json_agg(found), '[]') FROM (
          SELECT poll_id AS "pollId", max(revision) AS revision FROM analytics
          WHERE revision > $1 AND kind IN ${listedKinds} GROUP BY poll_id
        ) found) AS found,
        (SELECT NOT coalesce(bool_and(behind_ms <= $2), false) FROM tally_pulse
          WHERE at > now() - $2 * interval '1 millisecond') AS "isLate"`,
      values: [revision, lateMs],
    })
    const { results, trends, found, isLate } = rows[0]!
    let newest = revision
    for (const row of [...results, ...trends, ...found]) newest = Math.max(newest, row.revision)
    return {
      views: results.map(({ revision: _, ...row }) => viewOfRow(row)),
      trends: trends.map(({ revision: _, ...row }) => row),
      found: found.map(({ pollId }) => pollId),
      revision: newest,
      isLate,
    }
  }

  /** Windows of a poll with `fromMs ≤ start < toMs` that hold anything, oldest first. */
  async trend(
    { poll, hiding }: PollView,
    windowMs: number,
    fromMs: number,
    toMs: number,
  ): Promise<readonly TrendRow[]> {
    if (hiding !== null) return []
    const { rows } = await this.#ask<TrendRow & { startMs: string }>({
      name: 'trend',
      text: `SELECT poll_id AS "pollId", window_ms AS "windowMs", start_ms AS "startMs", counts FROM trends
             WHERE poll_id = $1 AND window_ms = $2 AND start_ms >= $3 AND start_ms < $4 ORDER BY start_ms`,
      values: [poll.id, windowMs, fromMs, toMs],
    })
    return rows.map((row) => ({ ...row, startMs: Number(row.startMs) }))
  }

  /**
   * What was found out about a poll in the counting of that epoch, oldest first: of the given kinds, and of minutes and
   * standings the newest that fit into a trend.
   */
  async analytics(
    { poll, epoch, hiding }: PollView,
    kinds: readonly AnalyticsKind[] = ['minute', 'standing', 'lead', 'flows', 'burst'],
  ): Promise<readonly AnalyticsDocument[]> {
    if (hiding !== null) return []
    const { rows } = await this.#ask<{ document: AnalyticsDocument }>({
      name: 'analytics',
      text: `SELECT document FROM analytics WHERE poll_id = $1 AND epoch = $2 AND kind = ANY ($3) AND start_ms >= CASE
               WHEN kind IN ('minute', 'standing') THEN (SELECT coalesce(max(start_ms), 0) - $4::bigint FROM analytics
                 WHERE poll_id = $1 AND epoch = $2 AND kind IN ('minute', 'standing')) ELSE 0 END
             ORDER BY start_ms`,
      values: [poll.id, epoch, kinds, (windowsMax - 1) * analyticsMinuteMs],
    })
    return rows.map(({ document }) => document)
  }

  /** Everything that happened to a poll in the minutes that were over at `atMs`, added up. */
  async sumsAt({ poll, epoch }: PollView, atMs: number): Promise<MinuteSums> {
    const { rows } = await this.#ask<MinuteSums>({
      name: 'sums-at',
      text: `WITH minutes AS (SELECT document FROM analytics
               WHERE poll_id = $1 AND epoch = $2 AND kind = 'minute' AND start_ms + $4::bigint <= $3)
             SELECT coalesce(sum((document->>'recorded')::int), 0)::float8 AS recorded,
               coalesce(sum((document->>'accepted')::int), 0)::float8 AS accepted,
               coalesce(sum((document->>'changed')::int), 0)::float8 AS changed,
               coalesce(sum((document->>'duplicates')::int), 0)::float8 AS duplicates,
               (SELECT coalesce(json_object_agg(key, n), '{}') FROM (SELECT key, sum(value::int) AS n
                  FROM minutes, jsonb_each_text(document->'rejections') GROUP BY key) reasons) AS rejections,
               (SELECT coalesce(json_object_agg(key, n), '{}') FROM (SELECT key, sum(value::int) AS n
                  FROM minutes, jsonb_each_text(document->'counts') GROUP BY key) options) AS counts,
               (SELECT coalesce(json_object_agg(region, counts), '{}') FROM (
                  SELECT region, json_object_agg(key, n) AS counts FROM (SELECT region.key AS region, option.key, sum(option.value::int) AS n
                    FROM minutes, jsonb_each(document->'regions') region, jsonb_each_text(region.value) option
                    GROUP BY region.key, option.key) cells GROUP BY region) regions) AS regions
             FROM minutes`,
      values: [poll.id, epoch, atMs, analyticsMinuteMs],
    })
    return rows[0]!
  }

  /** How a poll stood after so many steps since `beginMs`, where that changed. */
  async curve({ poll, epoch, hiding }: PollView, beginMs: number, stepMs: number): Promise<readonly CurvePoint[]> {
    if (hiding !== null) return []
    const { rows } = await this.#ask<CurvePoint>({
      name: 'curve',
      text: `SELECT DISTINCT ON (index) ceil((start_ms + $5 - $3) / $4)::float8 AS index,
               (document->>'voters')::float8 AS voters, document->'totals' AS totals
             FROM analytics WHERE poll_id = $1 AND epoch = $2 AND kind = 'standing'
             ORDER BY index, start_ms DESC`,
      values: [poll.id, epoch, beginMs, stepMs, analyticsMinuteMs],
    })
    return rows
  }

  /** How many ballots changed the result in the minute before `nowMs`; of the minute that has half passed, half. */
  async lastMinute({ poll, epoch }: PollView, nowMs: number): Promise<number> {
    const start = Math.floor(nowMs / analyticsMinuteMs) * analyticsMinuteMs
    const { rows } = await this.#ask<{ start: string; votes: number }>({
      name: 'last-minute',
      text: `SELECT start_ms AS start, ((document->>'accepted')::int + (document->>'changed')::int) AS votes FROM analytics
             WHERE poll_id = $1 AND epoch = $2 AND kind = 'minute' AND start_ms >= $3`,
      values: [poll.id, epoch, start - analyticsMinuteMs],
    })
    const part = 1 - (nowMs - start) / analyticsMinuteMs
    return Math.round(rows.reduce((sum, { start: of, votes }) => sum + votes * (Number(of) < start ? part : 1), 0))
  }

  async firstTrendStart(pollId: string, windowMs: number): Promise<number | null> {
    const { rows } = await this.#ask<{ start: string | null }>({
      name: 'first-trend-start',
      text: 'SELECT min(start_ms) AS start FROM trends WHERE poll_id = $1 AND window_ms = $2',
      values: [pollId, windowMs],
    })
    return rows[0]?.start == null ? null : Number(rows[0].start)
  }

  #ask<R extends QueryResultRow>(question: Question): Promise<QueryResult<R>> {
    return this.#pool.query<R>({ ...question, ...this.#bound })
  }
}
