import { createHash, randomBytes } from 'node:crypto'
import '@fastify/cookie' // adds cookies to the types
import type { FastifyReply, FastifyRequest } from 'fastify'

/** 256 random bits: what a cookie or a link holds. The database knows only the hash, so that reading it lets nobody in. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/**
 * Cookies that scripts cannot read and other sites cannot send along with a form. `__Host-` keeps a neighbour from setting
 * one; over plain HTTP, where browsers refuse it but for localhost, a development server uses a name without it.
 */
export class Cookies {
  readonly #isProduction: boolean

  constructor(isProduction: boolean) {
    this.#isProduction = isProduction
  }

  get(request: FastifyRequest, name: string): string | undefined {
    return request.cookies[this.#fullName(request, name)]
  }

  /** `days`: kept so long, also when the browser is closed; else it ends with the browser. */
  set(request: FastifyRequest, reply: FastifyReply, name: string, value: string, days?: number): void {
    const secure = this.#isSecure(request)
    const age = days === undefined ? {} : { maxAge: days * 86_400 }
    reply.setCookie(this.#fullName(request, name), value, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure,
      ...age,
    })
  }

  clear(request: FastifyRequest, reply: FastifyReply, name: string): void {
    reply.clearCookie(this.#fullName(request, name), { path: '/', secure: this.#isSecure(request) })
  }

  #isSecure(request: FastifyRequest): boolean {
    return (
      this.#isProduction ||
      request.protocol === 'https' ||
      /^(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/.test(request.host)
    )
  }

  #fullName(request: FastifyRequest, name: string): string {
    return this.#isSecure(request) ? `__Host-${name}` : name
  }
}
