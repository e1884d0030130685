import { boundedQuery, inTransaction } from '@voting/election/database'
import type { Eligibility, ResultsVisible } from '@voting/election/poll-terms'
import type { Pool, PoolClient } from 'pg'
import { type PollCount, pollCount } from './poll-count.ts'
import { appendPollEvent, type NewPollEvent, type PollEvent, pollEvents } from './poll-audit.ts'

export interface Poll {
  readonly id: string
  /** The organiser whose poll it is: nobody else can see or touch it as one. */
  readonly ownerId: string
  readonly slug: string
  /** Of the short link; null for a poll that has none. */
  readonly shortCode: string | null
  readonly title: string
  readonly options: readonly { readonly id: string; readonly label: string }[]
  readonly regions: readonly string[]
  readonly revote: 'first' | 'last'
  readonly electorate: number | null
  /** How many options a ballot may name. */
  readonly maxChoices: number
  /** Whether it may name none. */
  readonly allowBlank: boolean
  readonly resultsVisible: ResultsVisible
  readonly eligibility: Eligibility
  readonly definitionHash: string
  readonly opensAtMs: number
  readonly closesAtMs: number
  /** k_poll: the key of every HMAC of this poll. */
  readonly key: Buffer
  /** The first of the polls that were cloned from each other; null: this one. */
  readonly seriesId: string | null
  readonly cloneOf: string | null
  /** Which run of its series this is, from 1. */
  readonly run: number
  /** Its owner's alone so far: no ballot page, no results, nothing in the log. */
  readonly isDraft: boolean
  /** Nothing that voters decide on changes any more. */
  readonly isFrozen: boolean
  readonly extensions: number
  readonly extensionsRecorded: number
  /** The log has the opening in every partition. */
  readonly isOpened: boolean
  readonly isClosed: boolean
}

/** A poll with an opening, an extension or a close that the log should have. */
export type DuePoll = Poll & { readonly isCloseDue: boolean }

/** What a new poll is made of. */
export type NewPoll = Omit<
  Poll,
  'isFrozen' | 'isOpened' | 'isClosed' | 'extensions' | 'extensionsRecorded' | 'run' | 'seriesId'
>

/** What an organiser may change until a poll is frozen. */
export type PollChange = Pick<
  Poll,
  | 'title'
  | 'options'
  | 'regions'
  | 'revote'
  | 'electorate'
  | 'maxChoices'
  | 'allowBlank'
  | 'resultsVisible'
  | 'eligibility'
  | 'definitionHash'
  | 'opensAtMs'
  | 'closesAtMs'
>

const columns = `id, owner_id AS "ownerId", slug, short_code AS "shortCode", title, options, regions, revote, electorate,
  max_choices AS "maxChoices", allow_blank AS "allowBlank", results_visible AS "resultsVisible", eligibility,
  definition_hash AS "definitionHash",
  extract(epoch FROM opens_at)::float8 * 1000 AS "opensAtMs", extract(epoch FROM closes_at)::float8 * 1000 AS "closesAtMs",
  poll_key AS key, series_id AS "seriesId", clone_of AS "cloneOf", run, is_draft AS "isDraft",
  frozen_at IS NOT NULL AS "isFrozen", extensions, extensions_recorded AS "extensionsRecorded",
  opened_at IS NOT NULL AS "isOpened", closed_at IS NOT NULL AS "isClosed"`

const rounded = <P extends Poll>(poll: P): P => ({
  ...poll,
  opensAtMs: Math.round(poll.opensAtMs),
  closesAtMs: Math.round(poll.closesAtMs),
})

/** What an id or a slug can look like; anything else is no poll, and no question for the database. */
const legalName = /^[a-z0-9-]{1,64}$/

const legalShortCode = /^[A-Za-z0-9]{1,20}$/

/** How long another ingest process's change may go unseen. */
const cacheMs = 1000

const time = (parameter: number): string => `to_timestamp($${parameter}::float8 / 1000.0)`

/** Polls of PostgreSQL, with a short memory: every ballot asks for its poll. */
export class PollRepository {
  readonly #pool: Pool
  readonly #cache = new Map<string, { readonly poll: Promise<Poll | null>; readonly untilMs: number }>()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** A poll by id or slug, for everybody: a draft is as if it were not there. */
  async find(idOrSlug: string): Promise<Poll | null> {
    const poll = await this.#find(idOrSlug)
    return poll?.isDraft ? null : poll
  }

  /** A poll of this organiser's, as it is now; another's is as if it were not there. */
  async findOwned(idOrSlug: string, ownerId: string): Promise<Poll | null> {
    const poll = legalName.test(idOrSlug) ? await this.#load(idOrSlug) : null
    return poll?.ownerId === ownerId ? poll : null
  }

  async findByShortCode(shortCode: string): Promise<Poll | null> {
    if (!legalShortCode.test(shortCode)) return null
    const { rows } = await this.#pool.query<Poll>(
      `SELECT ${columns} FROM polls WHERE short_code = $1 AND NOT is_draft`,
      [shortCode.toLowerCase()],
    )
    return rows[0] ? rounded(rows[0]) : null
  }

  /** After a change of one's own. */
  forget(): void {
    this.#cache.clear()
  }

  /** What is open now, for everybody. */
  async open(): Promise<readonly Poll[]> {
    const { rows } = await this.#pool.query<Poll>(
      `SELECT ${columns} FROM polls
       WHERE NOT is_draft AND closed_at IS NULL AND opens_at <= now() AND closes_at > now() ORDER BY opens_at DESC, id`,
    )
    return rows.map(rounded)
  }

  async ownedBy(ownerId: string): Promise<readonly Poll[]> {
    const { rows } = await this.#pool.query<Poll>(
      `SELECT ${columns} FROM polls WHERE owner_id = $1 ORDER BY opens_at DESC, id`,
      [ownerId],
    )
    return rows.map(rounded)
  }

  /** Every run of this poll's series, the first first. */
  async runsOf(poll: Poll): Promise<readonly Poll[]> {
    const { rows } = await this.#pool.query<Poll>(
      `SELECT ${columns} FROM polls WHERE coalesce(series_id, id) = $1 AND owner_id = $2 ORDER BY run`,
      [poll.seriesId ?? poll.id, poll.ownerId],
    )
    return rows.map(rounded)
  }

  /** Polls whose opening, extension or close is due and not yet in the log. By the database's clock, which all share. */
  async due(): Promise<readonly DuePoll[]> {
    const { rows } = await this.#pool.query<DuePoll>(
      `SELECT ${columns}, closes_at <= now() AS "isCloseDue" FROM polls WHERE closed_at IS NULL AND NOT is_draft
       AND ((opened_at IS NULL AND opens_at <= now()) OR closes_at <= now() OR extensions > extensions_recorded)`,
    )
    return rows.map(rounded)
  }

  /** A clone is the next run of its original's series. */
  async insert(poll: NewPoll, events: readonly NewPollEvent[]): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      // One clone after the other, so that no two become the same run.
      if (poll.cloneOf !== null) await client.query('SELECT 1 FROM polls WHERE id = $1 FOR UPDATE', [poll.cloneOf])
      await client.query(
        `INSERT INTO polls (id, owner_id, slug, short_code, title, options, regions, revote, electorate, max_choices,
           allow_blank, results_visible, eligibility, definition_hash, opens_at, closes_at, poll_key, clone_of, is_draft,
           series_id, run)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, ${time(15)}, ${time(16)}, $17, $18::text, $19,
           (SELECT coalesce(series_id, id) FROM polls WHERE id = $18::text),
           coalesce((SELECT max(run) + 1 FROM polls WHERE coalesce(series_id, id) =
             (SELECT coalesce(series_id, id) FROM polls WHERE id = $18::text)), 1)`,
        [
          poll.id,
          poll.ownerId,
          poll.slug,
          poll.shortCode,
          ...definitionValues(poll),
          poll.key,
          poll.cloneOf,
          poll.isDraft,
        ],
      )
      for (const event of events) await appendPollEvent(client, poll.id, event)
    })
    this.forget()
  }

  /** Changes a poll that is not frozen. Resolves with false if it is. Where it is for others now, voters sign in anew. */
  change(id: string, change: PollChange, event: NewPollEvent): Promise<boolean> {
    return this.#update(
      id,
      `title = $2, options = $3, regions = $4, revote = $5, electorate = $6, max_choices = $7, allow_blank = $8,
       results_visible = $9, eligibility = $10, definition_hash = $11, opens_at = ${time(12)}, closes_at = ${time(13)}`,
      'frozen_at IS NULL AND closed_at IS NULL AND (is_draft OR opens_at > now())',
      definitionValues(change),
      event,
      async (client) => {
        await client.query(
          `DELETE FROM sessions WHERE audience = $1
             AND $2::jsonb <> (SELECT eligibility FROM polls WHERE id = $1 FOR UPDATE)`,
          [id, JSON.stringify(change.eligibility)],
        )
      },
    )
  }

  /**
   * Makes a draft a poll that everybody may see, as it is now. One whose opening lies in the past opens at `nowMs`, for as
   * long as it was to be open. Resolves with null if it is no draft.
   */
  async publish(id: string, nowMs: number, actorId: string): Promise<Poll | null> {
    const now = time(2)
    const isPublished = await this.#update(
      id,
      `is_draft = false, opens_at = greatest(opens_at, ${now}),
       closes_at = closes_at + greatest(${now} - opens_at, interval '0')`,
      'is_draft',
      [nowMs],
      ({ definitionHash }) => ({ kind: 'published', actorId, details: { definitionHash } }),
    )
    return isPublished ? this.#load(id) : null
  }

  /** Deletes a draft, of which nobody else has ever heard. Resolves with false if it is none. */
  async discard(id: string): Promise<boolean> {
    const isDiscarded = await inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM polls WHERE id = $1 AND is_draft FOR UPDATE', [id])
      if (rowCount === 0) return false
      for (const table of ['codes', 'poll_events']) await client.query(`DELETE FROM ${table} WHERE poll_id = $1`, [id])
      await client.query('DELETE FROM polls WHERE id = $1', [id])
      return true
    })
    this.forget()
    return isDiscarded
  }

  /** The definition as it will stay: whoever writes the opening to the log writes this one. */
  async freeze(id: string): Promise<Poll> {
    const { rows } = await this.#pool.query<Poll>(
      `UPDATE polls SET frozen_at = coalesce(frozen_at, now()) WHERE id = $1 RETURNING ${columns}`,
      [id],
    )
    this.forget()
    return rounded(rows[0]!)
  }

  async setOpened(id: string): Promise<void> {
    await this.#update(id, 'opened_at = now()', 'opened_at IS NULL', [], { kind: 'opened', actorId: null })
  }

  /** The poll with a later close, or null if its time has come, or if it is not later. */
  async extend(id: string, closesAtMs: number, event: NewPollEvent): Promise<Poll | null> {
    const isExtended = await this.#update(
      id,
      // What the log does not know of yet needs no extension there: the opening will say when it closes.
      `closes_at = ${time(2)}, extensions = extensions + (frozen_at IS NOT NULL)::int`,
      `NOT is_draft AND closed_at IS NULL AND closes_at > now() AND closes_at < ${time(2)}`,
      [closesAtMs],
      event,
    )
    return isExtended ? this.#load(id) : null
  }

  /** The log has that many of the poll's extensions. */
  async setExtensionsRecorded(id: string, count: number): Promise<void> {
    await this.#pool.query('UPDATE polls SET extensions_recorded = greatest(extensions_recorded, $2) WHERE id = $1', [
      id,
      count,
    ])
    this.forget()
  }

  /** No ballot is admitted from now on; whoever finds the close due writes it. Resolves with false if its time had come. */
  endNow(id: string, event: NewPollEvent): Promise<boolean> {
    return this.#update(id, 'closes_at = now()', 'closed_at IS NULL AND closes_at > now()', [], event)
  }

  /** The log has the close. A poll that was ended ahead of its time ended then; null: at the time it was to end. */
  async setClosed(id: string, endedAtMs: number | null): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      const { rowCount } = await client.query(
        `UPDATE polls SET closed_at = now(), closes_at = coalesce(${time(2)}, closes_at)
         WHERE id = $1 AND closed_at IS NULL`,
        [id, endedAtMs],
      )
      const { rows } = await client.query("SELECT 1 FROM poll_events WHERE poll_id = $1 AND kind = 'closed'", [id])
      // Whoever closed it ahead of its time was noted when they did.
      if (rowCount === 1 && rows.length === 0) await appendPollEvent(client, id, { kind: 'closed', actorId: null })
    })
    this.forget()
  }

  count(poll: Poll): Promise<PollCount | null> {
    return pollCount(this.#pool, poll)
  }

  events(pollId: string): Promise<readonly PollEvent[]> {
    return pollEvents(this.#pool, pollId)
  }

  async addCodes(
    pollId: string,
    codeIds: readonly string[],
    region: string | null,
    event: NewPollEvent,
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      await client.query('INSERT INTO codes (poll_id, code_id, region) SELECT $1, unnest($2::text[]), $3', [
        pollId,
        codeIds,
        region,
      ])
      await appendPollEvent(client, pollId, event)
    })
  }

  async hasCode(pollId: string, codeId: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query('SELECT 1 FROM codes WHERE poll_id = $1 AND code_id = $2', [
      pollId,
      codeId,
    ])
    return rowCount === 1
  }

  async codeCount(pollId: string): Promise<number> {
    const { rows } = await this.#pool.query<{ count: string }>('SELECT count(*) FROM codes WHERE poll_id = $1', [
      pollId,
    ])
    return Number(rows[0]!.count)
  }

  /** One change, what is noted of it and what goes `before` it, together; resolves with whether the condition held. */
  async #update(
    id: string,
    set: string,
    condition: string,
    values: readonly unknown[],
    event: NewPollEvent | ((changed: Pick<Poll, 'definitionHash'>) => NewPollEvent),
    before?: (client: PoolClient) => Promise<void>,
  ): Promise<boolean> {
    const isChanged = await inTransaction(this.#pool, async (client) => {
      await before?.(client)
      const { rows } = await client.query<Pick<Poll, 'definitionHash'>>(
        `UPDATE polls SET ${set} WHERE id = $1 AND ${condition} RETURNING definition_hash AS "definitionHash"`,
        [id, ...values],
      )
      const changed = rows[0]
      if (changed) await appendPollEvent(client, id, typeof event === 'function' ? event(changed) : event)
      return changed !== undefined
    })
    this.forget()
    return isChanged
  }

  #find(idOrSlug: string): Promise<Poll | null> {
    if (!legalName.test(idOrSlug)) return Promise.resolve(null)
    const nowMs = Date.now()
    const cached = this.#cache.get(idOrSlug)
    if (cached && cached.untilMs > nowMs) return cached.poll
    if (this.#cache.size > 10_000) this.#cache.clear()
    const poll = this.#load(idOrSlug)
    this.#cache.set(idOrSlug, { poll, untilMs: nowMs + cacheMs })
    poll.catch(() => this.#cache.delete(idOrSlug))
    return poll
  }

  async #load(idOrSlug: string): Promise<Poll | null> {
    const { rows } = await this.#pool.query<Poll>({
      name: 'find-poll',
      text: `SELECT ${columns} FROM polls WHERE id = $1 OR slug = $1 ORDER BY (id = $1) DESC LIMIT 1`,
      values: [idOrSlug],
      ...boundedQuery,
    })
    return rows[0] ? rounded(rows[0]) : null
  }
}

/** From the title to the close, in the order of the statements. */
const definitionValues = (poll: PollChange): readonly unknown[] => [
  poll.title,
  JSON.stringify(poll.options),
  JSON.stringify(poll.regions),
  poll.revote,
  poll.electorate,
  poll.maxChoices,
  poll.allowBlank,
  JSON.stringify(poll.resultsVisible),
  JSON.stringify(poll.eligibility),
  poll.definitionHash,
  poll.opensAtMs,
  poll.closesAtMs,
]
