import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import { type Cookies, hashOf, newSecret } from './cookies.ts'

const cookie = 'sign-in'

/** How long a sign-in may take from its first step to its last. */
export const attemptMinutes = 10

export interface Attempt<T> {
  readonly data: T
}

/**
 * Sign-ins that have begun: what has to come back, be it a challenge that is signed, an OpenID state or the code of a mail.
 * Only the browser that began can end it, and only once: a link that somebody else opens, or a callback that somebody
 * else began, signs nobody in. A browser has one at a time.
 */
export class SignInAttempts {
  readonly #pool: Pool
  readonly #cookies: Cookies

  constructor(pool: Pool, cookies: Cookies) {
    this.#pool = pool
    this.#cookies = cookies
  }

  async begin(request: FastifyRequest, reply: FastifyReply, kind: string, data: object): Promise<void> {
    const id = newSecret()
    await this.#pool.query('DELETE FROM sign_in_attempts WHERE expires_at < now() OR id_hash = $1', [
      hashOf(this.#cookies.get(request, cookie) ?? ''),
    ])
    await this.#pool.query(
      `INSERT INTO sign_in_attempts (id_hash, kind, data, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(mins => ${attemptMinutes}))`,
      [hashOf(id), kind, JSON.stringify(data)],
    )
    this.#cookies.set(request, reply, cookie, id)
  }

  /** What this browser has begun; null when it has not, or too long ago. */
  async find<T>(request: FastifyRequest, kind: string): Promise<Attempt<T> | null> {
    const { rows } = await this.#pool.query<Attempt<T>>(
      'SELECT data FROM sign_in_attempts WHERE id_hash = $1 AND kind = $2 AND expires_at > now()',
      [this.#idHash(request), kind],
    )
    return rows[0] ?? null
  }

  /** Ends what this browser has begun, and says what it was: only one of two that come at once gets it. */
  async take<T>(request: FastifyRequest, reply: FastifyReply, kind: string): Promise<T | null> {
    const { rows } = await this.#pool.query<{ data: T }>(
      'DELETE FROM sign_in_attempts WHERE id_hash = $1 AND kind = $2 AND expires_at > now() RETURNING data',
      [this.#idHash(request), kind],
    )
    this.#cookies.clear(request, reply, cookie)
    return rows[0]?.data ?? null
  }

  /**
   * Notes a try before it is looked at, so that of many that come at once no more are looked at than may be. Resolves with
   * how many are left after it; null when none was.
   */
  async useTry(request: FastifyRequest, kind: string, triesMax: number): Promise<number | null> {
    const { rows } = await this.#pool.query<{ failures: number }>(
      `UPDATE sign_in_attempts SET failures = failures + 1
       WHERE id_hash = $1 AND kind = $2 AND failures < $3 AND expires_at > now() RETURNING failures`,
      [this.#idHash(request), kind, triesMax],
    )
    return rows[0] ? triesMax - rows[0].failures : null
  }

  #idHash(request: FastifyRequest): string {
    return hashOf(this.#cookies.get(request, cookie) ?? '')
  }
}
