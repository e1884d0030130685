import { createHash, createHmac, randomBytes } from 'node:crypto'
import '@fastify/cookie' // adds cookies to the types
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'

const idleMinutes = 30
const absoluteHours = 8

/**
 * Organisers' sessions live in PostgreSQL, so that signing out ends one at once; the cookie holds a random id of which the
 * database knows only the hash. `__Host-` keeps the cookie from being set by a neighbour; over plain HTTP, which browsers
 * refuse it on but for localhost, a development server uses a cookie without it.
 */
export class OrganiserSessions {
  readonly #pool: Pool
  readonly #isProduction: boolean

  constructor(pool: Pool, isProduction: boolean) {
    this.#pool = pool
    this.#isProduction = isProduction
  }

  async signIn(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const id = randomBytes(32).toString('base64url')
    await this.#pool.query('INSERT INTO sessions (id_hash) VALUES ($1)', [hashOf(id)])
    await this.#pool.query('DELETE FROM sessions WHERE created_at < now() - make_interval(hours => $1)', [
      absoluteHours,
    ])
    const secure = this.#isSecure(request)
    reply.setCookie(this.#cookieName(request), id, { path: '/', httpOnly: true, sameSite: 'lax', secure })
  }

  /** The session's id, or null; using it keeps it alive. */
  async current(request: FastifyRequest): Promise<string | null> {
    const id = request.cookies[this.#cookieName(request)]
    if (!id) return null
    const { rowCount } = await this.#pool.query(
      `UPDATE sessions SET last_used_at = now() WHERE id_hash = $1
       AND last_used_at > now() - make_interval(mins => $2) AND created_at > now() - make_interval(hours => $3)`,
      [hashOf(id), idleMinutes, absoluteHours],
    )
    return rowCount === 1 ? id : null
  }

  async signOut(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const name = this.#cookieName(request)
    const id = request.cookies[name]
    if (id) await this.#pool.query('DELETE FROM sessions WHERE id_hash = $1', [hashOf(id)])
    reply.clearCookie(name, { path: '/', secure: this.#isSecure(request) })
  }

  /** Goes into every form of the session: another site cannot know it. */
  formToken(sessionId: string): string {
    return createHmac('sha256', sessionId).update('form').digest('base64url')
  }

  #isSecure(request: FastifyRequest): boolean {
    return (
      this.#isProduction ||
      request.protocol === 'https' ||
      /^(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(request.host)
    )
  }

  #cookieName(request: FastifyRequest): string {
    return this.#isSecure(request) ? '__Host-organiser' : 'organiser'
  }
}

const hashOf = (id: string): string => createHash('sha256').update(id).digest('base64url')
