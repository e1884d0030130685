import type { FastifyRequest } from 'fastify'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that may change something comes from our own pages: by fetch metadata, else by Origin. A request with
 * neither is no browser's and carries nobody's cookies by accident. `publicUrl` is our address where a proxy gives the
 * request another host.
 */
export function isSameOrigin(request: FastifyRequest, publicUrl: string | null): boolean {
  if (safeMethods.has(request.method)) return true
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = request.headers
  if (origin === undefined) return true
  if (!URL.canParse(origin)) return false
  return new URL(origin).host === request.host || (publicUrl !== null && new URL(publicUrl).origin === origin)
}
