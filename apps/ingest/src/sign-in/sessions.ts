import { createHmac } from 'node:crypto'
import { boundedQuery } from '@voting/election/database'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import type { Logger } from 'stream-core'
import { type Cookies, hashOf, newSecret } from './cookies.ts'

/** How somebody has shown who they are. */
export type SignInMethod = 'token' | 'oidc' | 'passkey' | 'mail'

/** A session ends when it was not used for so long. */
export const idleMinutes = 30
/** A session ends after so long, however much it is used: longer for voters, who can do less. */
export const absoluteHours = { organiser: 8, voter: 12 } as const

/** `organiser`, or the id of the poll that a voter has signed in for. */
export type Audience = string

export interface Session {
  /** Names the session in lists and forms; lets nobody in. */
  readonly idHash: string
  /** The organiser's id, or the voter's row of the poll's roll. */
  readonly subject: string
  /** Goes into every form of the session: another site cannot know it. */
  readonly formToken: string
  /** Whoever it is has other sessions, too: in another browser, or on another device. */
  readonly hasOthers: boolean
}

export interface NewSession {
  readonly audience: Audience
  readonly subject: string
  readonly method: SignInMethod
  /** The passkey that it began with: removing that ends it. Default: none. */
  readonly credentialId?: string | null
}

export interface ListedSession {
  readonly idHash: string
  readonly method: SignInMethod
  readonly userAgent: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number
}

const isAlive = `last_used_at > now() - make_interval(mins => ${idleMinutes})
  AND created_at > now() - make_interval(hours => CASE audience WHEN 'organiser' THEN ${absoluteHours.organiser}
    ELSE ${absoluteHours.voter} END)`

/** Sessions live in PostgreSQL, so that ending one ends it at once; the cookie holds a random id, and nothing else. */
export class Sessions {
  readonly #pool: Pool
  readonly #cookies: Cookies
  readonly #logger: Logger

  constructor(pool: Pool, cookies: Cookies, logger: Logger) {
    this.#pool = pool
    this.#cookies = cookies
    this.#logger = logger
  }

  /** Begins a session under a new id; one that this browser had for the same audience ends. */
  async start(
    request: FastifyRequest,
    reply: FastifyReply,
    { audience, subject, method, credentialId = null }: NewSession,
  ): Promise<void> {
    const id = newSecret()
    const before = this.#cookies.get(request, cookieOf(audience))
    await this.#pool.query(`DELETE FROM sessions WHERE id_hash = $1 OR NOT (${isAlive})`, [
      before ? hashOf(before) : '',
    ])
    await this.#pool.query(
      `INSERT INTO sessions (id_hash, audience, subject, method, user_agent, credential_id)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [hashOf(id), audience, subject, method, (request.headers['user-agent'] ?? '').slice(0, 200), credentialId],
    )
    this.#cookies.set(request, reply, cookieOf(audience), id)
    // Who a voter is must not be known from logs.
    const who = audience === 'organiser' ? { organiser: subject } : { poll: audience }
    this.#logger.info({ event: 'sign-in', method, ...who }, 'somebody has signed in')
  }

  /** The session of this browser, or null; using it keeps it alive. */
  async current(request: FastifyRequest, audience: Audience): Promise<Session | null> {
    const id = this.#cookies.get(request, cookieOf(audience))
    if (!id) return null
    const idHash = hashOf(id)
    const { rows } = await this.#pool.query<{ subject: string; hasOthers: boolean }>({
      text: `UPDATE sessions s SET last_used_at = now() WHERE id_hash = $1 AND audience = $2 AND ${isAlive}
        RETURNING subject, EXISTS (SELECT 1 FROM sessions WHERE audience = s.audience AND subject = s.subject
          AND id_hash <> s.id_hash AND ${isAlive}) AS "hasOthers"`,
      values: [idHash, audience],
      ...boundedQuery,
    })
    const row = rows[0]
    if (!row) return null
    return { ...row, idHash, formToken: createHmac('sha256', id).update('form').digest('base64url') }
  }

  async end(request: FastifyRequest, reply: FastifyReply, audience: Audience): Promise<void> {
    const id = this.#cookies.get(request, cookieOf(audience))
    if (id) await this.#pool.query('DELETE FROM sessions WHERE id_hash = $1', [hashOf(id)])
    this.#cookies.clear(request, reply, cookieOf(audience))
  }

  /** The sessions of somebody that have not ended, the one used last first. */
  async list(audience: Audience, subject: string): Promise<readonly ListedSession[]> {
    const { rows } = await this.#pool.query<ListedSession>(
      `SELECT id_hash AS "idHash", method, user_agent AS "userAgent",
         extract(epoch FROM created_at)::float8 * 1000 AS "createdAtMs",
         extract(epoch FROM last_used_at)::float8 * 1000 AS "lastUsedAtMs"
       FROM sessions WHERE audience = $1 AND subject = $2 AND ${isAlive} ORDER BY last_used_at DESC`,
      [audience, subject],
    )
    return rows
  }

  /** Ends every session of somebody's. */
  async endAll(audience: Audience, subject: string): Promise<void> {
    await this.#pool.query('DELETE FROM sessions WHERE audience = $1 AND subject = $2', [audience, subject])
  }

  /** Ends a session of somebody's own. Resolves with false if they have none of this name. */
  async endOf(audience: Audience, subject: string, idHash: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      'DELETE FROM sessions WHERE id_hash = $1 AND audience = $2 AND subject = $3',
      [idHash, audience, subject],
    )
    return rowCount === 1
  }
}

const cookieOf = (audience: Audience): string => (audience === 'organiser' ? 'organiser' : `voter-${audience}`)
