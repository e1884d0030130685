import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Analytics, analyticsOf } from '../analytics.ts'
import type { Problems } from '../problems.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { isWindowName, trendColumns } from '../trend-columns.ts'

export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** `GET /api/polls/:id/results`: absolute values, always with every option and region. */
export function resultBody(view: PollView, nowMs: number): object {
  return {
    poll: view.poll.id,
    status: statusOf(view, nowMs),
    asOf: iso(view.asOfMs),
    epoch: view.epoch,
    version: view.version,
    definitionHash: view.poll.definitionHash,
    closesAt: iso(view.poll.closesAtMs),
    voters: view.voters,
    totals: view.totals,
    ...(view.blank !== null && { blank: view.blank }),
    regions: view.regions,
    accounting: view.accounting,
    rejections: view.rejections,
  }
}

/** `GET /api/polls/:id/analytics`: what was found out beside the result. */
export function analyticsBody(view: PollView, { minutes, leads, flows, bursts }: Analytics): object {
  const { startMs, ...columns } = minutes
  return {
    poll: view.poll.id,
    asOf: iso(view.asOfMs),
    epoch: view.epoch,
    version: view.version,
    electorate: view.poll.electorate,
    rejections: view.rejections,
    minutes: { start: startMs.map(iso), ...columns },
    leads: leads.map(({ atMs, ...lead }) => ({ at: iso(atMs), ...lead })),
    flows,
    bursts: bursts.map(({ startMs: from, endMs: to, windowMs, ...burst }) => ({
      from: iso(from),
      to: iso(to),
      windowSeconds: windowMs / 1000,
      ...burst,
    })),
  }
}

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
    }))
    return reply.header('cache-control', 'no-cache').send({ polls })
  })

  app.get<{ Params: { id: string } }>('/api/polls/:id/results', async (request, reply) => {
    const view = await store.poll(request.params.id)
    if (!view) return problems.notFound(reply, request.params.id)
    const nowMs = Date.now()
    return sendTagged(
      request,
      reply,
      `${view.epoch}.${view.version}.${statusOf(view, nowMs)}.${view.poll.closesAtMs}`,
      () => resultBody(view, nowMs),
    )
  })

  app.get<{ Params: { id: string }; Querystring: { window?: string; from?: string; to?: string } }>(
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
      const view = await store.poll(request.params.id)
      if (!view) return problems.notFound(reply, request.params.id)
      const range = { ...(fromMs !== null && { fromMs }), ...(toMs !== null && { toMs }) }
      const { startMs, counts } = await trendColumns(store, view, window, Date.now(), range)
      return reply.header('cache-control', 'no-cache').send({ window, start: startMs.map(iso), counts })
    },
  )

  app.get<{ Params: { id: string } }>('/api/polls/:id/analytics', async (request, reply) => {
    const view = await store.poll(request.params.id)
    if (!view) return problems.notFound(reply, request.params.id)
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
