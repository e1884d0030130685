import { boundedQuery } from '@voting/election/database'
import type { Eligibility, ResultsVisible } from '@voting/election/poll-terms'
import type { Pool } from 'pg'

export interface Poll {
  readonly id: string
  /** The organiser whose poll it is: nobody else can see or touch it as one. */
  readonly ownerId: string
  readonly slug: string
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
  /** Its owner's alone so far: no ballot page, no results, nothing in the log. */
  readonly isDraft: boolean
  /** The log has the opening in every partition. */
  readonly isOpened: boolean
  readonly isClosed: boolean
}

const columns = `id, owner_id AS "ownerId", slug, title, options, regions, revote, electorate, max_choices AS "maxChoices",
  allow_blank AS "allowBlank", results_visible AS "resultsVisible", eligibility, definition_hash AS "definitionHash",
  extract(epoch FROM opens_at)::float8 * 1000 AS "opensAtMs", extract(epoch FROM closes_at)::float8 * 1000 AS "closesAtMs",
  poll_key AS key, is_draft AS "isDraft", opened_at IS NOT NULL AS "isOpened", closed_at IS NOT NULL AS "isClosed"`

const rounded = (poll: Poll): Poll => ({
  ...poll,
  opensAtMs: Math.round(poll.opensAtMs),
  closesAtMs: Math.round(poll.closesAtMs),
})

/** What an id or a slug can look like; anything else is no poll, and no question for the database. */
const legalName = /^[a-z0-9-]{1,64}$/

/** How long another ingest process's change may go unseen. */
const cacheMs = 1000

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

  /** A poll of this organiser's; another's is as if it were not there. */
  async findOwned(idOrSlug: string, ownerId: string): Promise<Poll | null> {
    const poll = await this.#find(idOrSlug)
    return poll?.ownerId === ownerId ? poll : null
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

  /** Polls whose opening or close is due and not yet in the log. */
  async due(): Promise<readonly Poll[]> {
    const { rows } = await this.#pool.query<Poll>(
      `SELECT ${columns} FROM polls WHERE closed_at IS NULL
       AND NOT is_draft AND ((opened_at IS NULL AND opens_at <= now()) OR closes_at <= now())`,
    )
    return rows.map(rounded)
  }

  async insert(poll: Omit<Poll, 'isOpened' | 'isClosed'>): Promise<void> {
    await this.#pool.query(
      `INSERT INTO polls (id, slug, title, options, regions, revote, electorate, definition_hash, opens_at, closes_at, poll_key,
         max_choices, allow_blank, results_visible, owner_id, eligibility, is_draft)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0), to_timestamp($10 / 1000.0), $11, $12, $13, $14, $15, $16, $17)`,
      [
        poll.id,
        poll.slug,
        poll.title,
        JSON.stringify(poll.options),
        JSON.stringify(poll.regions),
        poll.revote,
        poll.electorate,
        poll.definitionHash,
        poll.opensAtMs,
        poll.closesAtMs,
        poll.key,
        poll.maxChoices,
        poll.allowBlank,
        JSON.stringify(poll.resultsVisible),
        poll.ownerId,
        JSON.stringify(poll.eligibility),
        poll.isDraft,
      ],
    )
    this.forget()
  }

  async setOpened(id: string): Promise<void> {
    await this.#pool.query('UPDATE polls SET opened_at = coalesce(opened_at, now()) WHERE id = $1', [id])
    this.forget()
  }

  /** No ballot is admitted from now on; whoever finds the close due writes it. */
  async endNow(id: string): Promise<void> {
    await this.#pool.query('UPDATE polls SET closes_at = least(closes_at, now()) WHERE id = $1', [id])
    this.forget()
  }

  /** The log has the close. A poll that was ended ahead of its time ended then; null: at the time it was to end. */
  async setClosed(id: string, endedAtMs: number | null): Promise<void> {
    await this.#pool.query(
      `UPDATE polls SET closed_at = coalesce(closed_at, now()),
        closes_at = coalesce(to_timestamp($2::float8 / 1000.0), closes_at) WHERE id = $1`,
      [id, endedAtMs],
    )
    this.forget()
  }

  async addCodes(pollId: string, codeIds: readonly string[], region: string | null): Promise<void> {
    await this.#pool.query('INSERT INTO codes (poll_id, code_id, region) SELECT $1, unnest($2::text[]), $3', [
      pollId,
      codeIds,
      region,
    ])
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
