import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { analyticsOf } from '../analytics.ts'
import { analyticsBody, comparisonBody, iso, resultBody } from '../bodies.ts'
import { compare, comparedMax } from '../compare.ts'
import type { Problems } from '../problems.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { viewFor, type ViewQuery } from '../view-for.ts'
import { clampAt, isOver, parseAt, viewAt } from '../time-travel.ts'
import { isWindowName, trendColumns } from '../trend-columns.ts'

/** The HTTP half of the public contract (design §6.1). */
export function apiRoutes(app: FastifyInstance, store: ResultStore, problems: Problems): void {
  app.get('/api/polls', async (_request, reply) => {
    const nowMs = Date.now()
    const polls = (await store.polls()).map((view) => ({
      id: view.poll.id,
      slug: view.poll.slug,
      title: view.poll.title,
      status: statusOf(view, nowMs),
      opensAt: iso(view.poll.opensAtMs),
      closesAt: iso(view.poll.closesAtMs),
      voters: view.voters,
      totals: view.totals,
      ...(view.hiding !== null && { hidden: view.hiding }),
    }))
    return reply.header('cache-control', 'no-cache').send({ polls })
  })

  app.get<{ Params: { id: string }; Querystring: ViewQuery & { at?: string } }>(
    '/api/polls/:id/results',
    async (request, reply) => {
      const view = await viewFor(store, request.params.id, request.query)
      if (!view) return problems.notFound(reply, request.params.id)
      const nowMs = Date.now()
      const { at } = request.query
      if (at !== undefined) {
        const atMs = parseAt(at)
        if (atMs === null)
          return problems.malformed(reply, 'at is a time in ISO 8601, for example 2026-05-03T08:00:00Z')
        if (!isOver(view, nowMs)) return problems.stillOpen(reply)
        const stoodMs = clampAt(view, atMs)
        const stood = viewAt(view, await store.sumsAt(view, stoodMs), stoodMs)
        const tag = `${view.epoch}.${view.version}.at.${stoodMs}`
        return sendTagged(request, reply, tag, () => ({ ...resultBody(stood, nowMs), at: iso(stoodMs) }))
      }
      return sendTagged(
        request,
        reply,
        // Until it opens a poll may be changed, with nothing counted in between.
        `${view.epoch}.${view.version}.${statusOf(view, nowMs)}.${view.poll.closesAtMs}.${view.poll.definitionHash.slice(0, 12)}${view.hiding === null ? '' : '.hidden'}`,
        () => resultBody(view, nowMs),
      )
    },
  )

  app.get<{ Params: { id: string }; Querystring: ViewQuery & { window?: string; from?: string; to?: string } }>(
    '/api/polls/:id/trends',
    async (request, reply) => {
      const { window = '10s', from, to } = request.query
      if (!isWindowName(window)) {
        return problems.malformed(reply, `window is one of 1s, 10s and 1m; got ${JSON.stringify(window)}`)
      }
      const fromMs = from === undefined ? null : Date.parse(from)
      const toMs = to === undefined ? null : Date.parse(to)
      if (Number.isNaN(fromMs) || Number.isNaN(toMs)) {
        return problems.malformed(reply, 'from and to are times in ISO 8601, for example 2026-05-03T08:00:00Z')
      }
      const view = await viewFor(store, request.params.id, request.query)
      if (!view) return problems.notFound(reply, request.params.id)
      if (view.hiding !== null) return problems.hidden(reply, view.hiding)
      const range = { ...(fromMs !== null && { fromMs }), ...(toMs !== null && { toMs }) }
      const { startMs, counts } = await trendColumns(store, view, window, Date.now(), range)
      return reply.header('cache-control', 'no-cache').send({ window, start: startMs.map(iso), counts })
    },
  )

  app.get<{ Params: { id: string }; Querystring: ViewQuery & { with?: unknown } }>(
    '/api/polls/:id/compare',
    async (request, reply) => {
      const { with: others = '' } = request.query
      const given = typeof others === 'string' ? others.split(',').filter((name) => name !== '') : []
      const names = [request.params.id, ...given]
      if (names.length < 2 || names.length > comparedMax + 1) {
        return problems.malformed(reply, `with names one to ${comparedMax} other polls, with commas between them`)
      }
      const views: PollView[] = []
      for (const name of names) {
        const view = await viewFor(store, name, request.query)
        if (!view) return problems.notFound(reply, name)
        if (view.hiding !== null) return problems.hidden(reply, view.hiding)
        views.push(view)
      }
      return reply.header('cache-control', 'no-cache').send(comparisonBody(await compare(store, views, Date.now())))
    },
  )

  app.get<{ Params: { id: string }; Querystring: ViewQuery }>('/api/polls/:id/analytics', async (request, reply) => {
    const view = await viewFor(store, request.params.id, request.query)
    if (!view) return problems.notFound(reply, request.params.id)
    if (view.hiding !== null) return problems.hidden(reply, view.hiding)
    const documents = await store.analytics(view)
    const analytics = analyticsOf(
      documents,
      view.poll.options.map(({ id }) => id),
    )
    return reply.header('cache-control', 'no-cache').send(analyticsBody(view, analytics))
  })
}

/** 304 when the caller has this version already. */
function sendTagged(request: FastifyRequest, reply: FastifyReply, tag: string, body: () => object): FastifyReply {
  const etag = `"${tag}"`
  reply.header('etag', etag).header('cache-control', 'no-cache')
  const known = request.headers['if-none-match']?.split(',').map((value) => value.trim().replace(/^W\//, ''))
  return known?.includes(etag) || known?.includes('*') ? reply.code(304).send() : reply.send(body())
}
