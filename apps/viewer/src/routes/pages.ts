import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { listsOf } from '../analytics.ts'
import type { Assets } from '../assets.ts'
import { type MessagePageOptions, messagePage, type Visit } from '../pages/document.ts'
import { embedPage } from '../pages/embed-page.ts'
import { chooseTongue } from '../pages/messages/index.ts'
import { resultsPage } from '../pages/results-page.ts'
import { modes, ranges } from '../pages/trend-section.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { trendColumns } from '../trend-columns.ts'

export interface PageOptions {
  readonly store: ResultStore
  readonly assets: Assets
  /** Where ballots are cast, for the link on the page; null leaves it out. */
  readonly ballotUrl: string | null
  /** Who may show the embedded page inside a page of their own, as sources of a content security policy. */
  readonly embedOrigins: readonly string[]
}

const recentMs = 300_000
/** Parameters of a page that its links keep. */
const kept = ['mode', 'range', 'sort', 'cmp', 'at'] as const

type Query = { readonly [name: string]: unknown }

/** Who asks, and how: also for a request that no route takes. */
export function visitOf(request: FastifyRequest, assets: Assets): Visit {
  const query = (request.query ?? {}) as Query
  const { lang } = query
  const parameters = kept.flatMap((name) => (typeof query[name] === 'string' ? [[name, query[name]] as const] : []))
  const tongue = chooseTongue(lang, request.headers['accept-language'])
  return {
    tongue,
    isTongueNamed: lang === tongue.name,
    path: request.url.split('?', 1)[0]!,
    parameters: Object.fromEntries(parameters),
    nowMs: Date.now(),
    assets: assets.pathOf,
  }
}

export const show = (reply: FastifyReply, status: number, body: string): FastifyReply =>
  reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('vary', 'accept-language')
    .send(body)

export const showMessage = (
  reply: FastifyReply,
  status: number,
  visit: Visit,
  options: MessagePageOptions,
): FastifyReply => show(reply, status, messagePage(visit, options))

export const showNoSuchPage = (reply: FastifyReply, visit: Visit): FastifyReply =>
  showMessage(reply, 404, visit, { title: visit.tongue.say('notFoundTitle'), text: visit.tongue.say('notFoundText') })

const oneOf = <T extends string>(value: unknown, values: readonly T[], fallback: T): T =>
  values.find((each) => each === value) ?? fallback

/** Pages for people: they are whole without a script. */
export function pageRoutes(app: FastifyInstance, { store, assets, ballotUrl, embedOrigins }: PageOptions): void {
  const showResults = async (
    request: FastifyRequest,
    reply: FastifyReply,
    view: PollView | null,
  ): Promise<FastifyReply> => {
    const visit = visitOf(request, assets)
    if (!view) return showNoSuchPage(reply, visit)
    const { nowMs, parameters } = visit
    const isOpen = statusOf(view, nowMs) === 'open'
    const [trend, recent, lastMinute, documents, others] = await Promise.all([
      trendColumns(store, view, '1m', nowMs),
      isOpen ? recentChange(view, nowMs) : null,
      isOpen ? store.lastMinute(view, nowMs) : null,
      store.analytics(view, ['lead', 'flows', 'burst']),
      store.polls(),
    ])
    const range = oneOf(parameters['range'], ranges, isOpen ? '5m' : 'all')
    const mode = oneOf(parameters['mode'], modes, 'total')
    const isByVotes = parameters['sort'] === 'votes'
    const found = listsOf(documents)
    return show(
      reply,
      200,
      resultsPage(visit, { view, trend, recent, lastMinute, found, mode, range, isByVotes, ballotUrl, others }),
    )
  }

  const recentChange = async (view: PollView, nowMs: number): Promise<{ readonly [option: string]: number }> => {
    const { counts } = await trendColumns(store, view, '10s', nowMs, { fromMs: nowMs - recentMs })
    return Object.fromEntries(Object.entries(counts).map(([id, column]) => [id, column.reduce((a, b) => a + b, 0)]))
  }

  app.get('/', async (request, reply) => showResults(request, reply, await store.currentPoll()))
  app.get<{ Params: { slug: string } }>('/p/:slug', async (request, reply) =>
    showResults(request, reply, await store.poll(request.params.slug)),
  )

  app.get<{ Params: { slug: string } }>(
    '/embed/:slug',
    {
      helmet: {
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { ...pagePolicy, frameAncestors: [...embedOrigins] },
        },
        // It knows no lists of origins; the policy above does.
        frameguard: false,
        crossOriginResourcePolicy: { policy: 'cross-origin' },
      },
    },
    async (request, reply) => {
      const visit = visitOf(request, assets)
      const view = await store.poll(request.params.slug)
      return view ? show(reply, 200, embedPage(visit, view)) : showNoSuchPage(reply, visit)
    },
  )
}

/** Nothing from elsewhere, nothing inline. */
export const pagePolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
  // The one form there is chooses a poll to compare with.
  formAction: ["'self'"],
}
