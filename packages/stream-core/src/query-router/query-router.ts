import type { IncomingMessage, ServerResponse } from 'node:http'
import { ArgumentError, StoreNotAvailableError } from '../common/errors.ts'
import type { Streams } from '../runtime/streams.ts'
import { forwardedHeader, type PeerAnswer } from './ask-peer.ts'
import { toJson } from './json-form.ts'
import { boundsOf, flagOf, planOf } from './plan.ts'
import { badRequest, notAvailable, notFound, Problem } from './problem.ts'
import { checkedOptions, type QueryRouterOptions } from './router-options.ts'
import { StoreServer } from './served-store.ts'

export type QueryRouter = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void

/**
 * Serves queries by HTTP, whichever instance has the answer: a request listener for `createServer`, to be put at the
 * `endpoint` of each instance. It only reads, and only the stores that are named.
 *
 *     createServer(queryRouter(streams, { stores: { counts: { scans: true } } })).listen(8080)
 *
 *     GET /stores                                   the names
 *     GET /stores/:store/keys/:key                  one value; of a versioned store with ?asOf=
 *     GET /stores/:store/keys?from&to&prefix        a range, of all instances; also &reverse=true&limit=
 *     GET /stores/:store/keys/:key/windows?from&to  windows of a key, by their starts; /windows/:start is one
 *     GET /stores/:store/windows?from&to            windows of all keys
 *     GET /stores/:store/keys/:key/sessions         sessions of a key; /sessions are all
 *     GET /stores/:store/keys/:key/versions         what a key's values were
 *
 * With ?atLeast=topic:partition:offset, again for each, only what has seen all below these offsets of the store's inputs answers.
 *
 * What goes wrong is told in problem details (RFC 9457): 400, 403, 404, 405, 409 for a store of another kind, and 503, with
 * `retry-after`, for what nobody has at the moment.
 */
export function queryRouter(streams: Streams, options: QueryRouterOptions): QueryRouter {
  const checked = checkedOptions(options)
  const servers = new Map(Object.keys(checked.stores).map((name) => [name, new StoreServer(name, streams, checked)]))
  const base = checked.path.split('/').slice(1)

  async function answer(request: IncomingMessage, parts: readonly string[], search: string): Promise<PeerAnswer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Problem(405, 'method-not-allowed', 'Queries only read', 'use GET')
    }
    if (!(await checked.authorize(request)))
      throw new Problem(403, 'forbidden', 'Not for you', 'this request was refused')
    const [name, ...rest] = parts
    if (name === undefined) {
      const all = [...servers.values()].map(({ spec, served }) => ({
        name: spec.name,
        kind: spec.kind,
        scans: served.scans ?? false,
      }))
      return { status: 200, body: { stores: all } }
    }
    const server = servers.get(name)
    if (server === undefined) throw notFound('there is no such store, or it is not served')
    const params = new URLSearchParams(search)
    const plan = planOf(server.spec, server.form, rest, params, checked.entriesMax)
    if (plan.key === null && server.served.scans !== true) {
      throw new Problem(403, 'no-scans', 'Only single keys are served', `"${name}" is served by key only`)
    }
    const isStale = flagOf(params.get('stale'), 'stale')
    if (isStale && !checked.allowStale)
      throw new Problem(403, 'no-copies', 'Copies are not served', 'stale is not allowed here')
    const isForwarded = request.headers[forwardedHeader] !== undefined
    if (!isForwarded && params.has('partitions')) throw badRequest('partitions are for other instances to name')
    const pathFor = (partitions: readonly number[] | null): string => {
      const sent = new URLSearchParams(params)
      if (partitions !== null) sent.set('partitions', partitions.join())
      return `${checked.path}/${parts.map(encodeURIComponent).join('/')}?${sent.toString()}`
    }
    const partitions = isForwarded && plan.key === null ? partitionsOf(params.get('partitions')) : null
    return server.answer({
      plan,
      isStale,
      atLeast: boundsOf(params.getAll('atLeast')),
      forwarded: isForwarded ? { partitions } : null,
      pathFor,
    })
  }

  const told = (error: unknown): Problem => {
    if (error instanceof Problem) return error
    if (error instanceof StoreNotAvailableError) return notAvailable('it')
    if (error instanceof ArgumentError) return badRequest(error.message)
    const { logger } = streams.queries
    logger.error({ event: 'query.failed', error: String(error) }, 'a query could not be answered')
    return new Problem(500, 'failed', 'The query failed', 'the log of the application says why')
  }

  const reply = (response: ServerResponse, status: number, body: object): void => {
    if (response.headersSent || response.destroyed) return
    const text = toJson(body)
    response.writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 503 ? { 'retry-after': '1' } : {}),
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    })
    response.end(text)
  }

  return (request, response, next) => {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2)
    const raw = path.split('/').slice(1)
    if (!base.every((part, i) => raw[i] === part)) {
      if (next !== undefined) return next()
      const problem = notFound(`queries are at ${checked.path}`)
      return reply(response, problem.status, problem.body)
    }
    decoded(raw.slice(base.length))
      .then((parts) => answer(request, parts, search))
      .then(({ status, body }) => reply(response, status, body))
      .catch((error: unknown) => {
        const problem = told(error)
        reply(response, problem.status, problem.body)
      })
  }
}

async function decoded(parts: readonly string[]): Promise<readonly string[]> {
  try {
    return parts.map(decodeURIComponent)
  } catch {
    throw badRequest('the path is not well-formed')
  }
}

function partitionsOf(text: string | null): readonly number[] {
  if (text === null || !/^\d{1,6}(?:,\d{1,6})*$/.test(text)) throw badRequest('partitions must be a list of numbers')
  return [...new Set(text.split(',').map(Number))]
}
