import '@fastify/cookie' // adds cookies to the types
import { chooseLanguage, isLanguage, type LanguageName } from '@voting/election/languages'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Words, wordsIn } from './messages/index.ts'

const cookie = 'language'
const cookieDays = 365

const asked = (request: FastifyRequest): unknown => (request.query as { lang?: unknown } | undefined)?.lang

/** The language that somebody has named, in the address (`?lang=ar`) or in it once before; null: nobody has. */
export function namedLanguage(request: FastifyRequest): LanguageName | null {
  const name = [asked(request), request.cookies?.[cookie]].find(isLanguage)
  return name ?? null
}

/** In which language to answer: the one that was named, else the first that the browser accepts and that there is. */
export const wordsOf = (request: FastifyRequest): Words =>
  wordsIn(chooseLanguage(namedLanguage(request), request.headers['accept-language']))

/** Remembers a language that the address names: forms and redirects need not carry it along. It is nobody's secret. */
export function rememberLanguage(request: FastifyRequest, reply: FastifyReply): void {
  const name = asked(request)
  if (!isLanguage(name)) return
  const secure = request.protocol === 'https'
  reply.setCookie(cookie, name, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: cookieDays * 86_400 })
}

/** An address of the results, in the language that somebody has named here. */
export function inNamedLanguage(request: FastifyRequest, url: string): string {
  const name = namedLanguage(request)
  return name === null ? url : `${url}${url.includes('?') ? '&' : '?'}lang=${name}`
}
