import type { FastifyRequest } from 'fastify'

/**
 * Whether an unsafe request comes from our own pages: by fetch metadata, else by Origin. A request with neither is no
 * browser's and carries nobody's cookies by accident.
 */
export function isSameOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = request.headers
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === request.host
}
