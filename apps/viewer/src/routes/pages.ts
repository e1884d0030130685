import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { listsOf } from '../analytics.ts'
import type { Assets } from '../assets.ts'
import { compare } from '../compare.ts'
import { type MessagePageOptions, messagePage, type Visit } from '../pages/document.ts'
import { embedPage } from '../pages/embed-page.ts'
import { chooseTongue } from '../pages/messages/index.ts'
import { pollsPage } from '../pages/polls-page.ts'
import { resultsPage } from '../pages/results-page.ts'
import { modes, type Range, ranges } from '../pages/trend-section.ts'
import { type PollView, statusOf } from '../poll-view.ts'
import type { ResultStore } from '../result-store.ts'
import { clampAt, isOver, parseAt, viewAt } from '../time-travel.ts'
import { viewFor, type ViewQuery } from '../view-for.ts'
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
const kept = ['mode', 'range', 'sort', 'cmp', 'at', 'opts', 'receipt'] as const

/** What is worth looking at: of a poll that is open the present; beside another one, what it has come to. */
function defaultRange({ poll }: PollView, isOpen: boolean, isCompared: boolean, nowMs: number): Range {
  if (!isOpen) return 'all'
  if (!isCompared) return '5m'
  const minutes = (nowMs - poll.opensAtMs) / 60_000
  return minutes < 5 ? '5m' : minutes < 60 ? '1h' : 'all'
}

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
    // Two slashes at its beginning would make a link to another site of it.
    path: request.url.split('?', 1)[0]!.replace(/^[/\\]+/, '/'),
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
    newest: PollView | null,
  ): Promise<FastifyReply> => {
    const visit = visitOf(request, assets)
    if (!newest) return showNoSuchPage(reply, visit)
    const { nowMs, parameters } = visit
    const isOpen = statusOf(newest, nowMs) === 'open'
    const isPast = isOver(newest, nowMs)
    const asked = parameters['at'] === undefined || !isPast ? null : parseAt(parameters['at'])
    const atMs = asked === null ? null : clampAt(newest, asked)
    const view = atMs === null ? newest : viewAt(newest, await store.sumsAt(newest, atMs), atMs)
    const other = parameters['cmp'] && atMs === null ? await viewFor(store, parameters['cmp'], parameters) : null
    const isComparable = other && other.hiding === null && view.hiding === null && other.poll.id !== view.poll.id
    const comparison = isComparable ? await compare(store, [view, other], nowMs) : null
    const [trend, recent, lastMinute, documents, others] = await Promise.all([
      trendColumns(store, view, '1m', nowMs, atMs === null ? {} : { toMs: atMs }),
      isOpen ? recentChange(view, nowMs) : null,
      isOpen ? store.lastMinute(view, nowMs) : null,
      store.analytics(view, ['lead', 'flows', 'burst']),
      store.polls(),
    ])
    const range = oneOf(parameters['range'], ranges, defaultRange(view, isOpen, comparison !== null, nowMs))
    const mode = oneOf(parameters['mode'], modes, 'total')
    const isByVotes = parameters['sort'] === 'votes'
    const all = listsOf(documents)
    const found =
      atMs === null
        ? all
        : {
            leads: all.leads.filter((lead) => lead.atMs <= atMs),
            bursts: all.bursts.filter((burst) => burst.startMs < atMs),
            flows: [],
          }
    return show(
      reply,
      200,
      resultsPage(visit, {
        view,
        trend,
        recent,
        lastMinute,
        found,
        mode,
        range: atMs === null ? range : 'all',
        isByVotes,
        comparison,
        atMs,
        isOver: isPast,
        ballotUrl,
        others,
      }),
    )
  }

  const recentChange = async (view: PollView, nowMs: number): Promise<{ readonly [option: string]: number }> => {
    const { counts } = await trendColumns(store, view, '10s', nowMs, { fromMs: nowMs - recentMs })
    return Object.fromEntries(Object.entries(counts).map(([id, column]) => [id, column.reduce((a, b) => a + b, 0)]))
  }

  app.get('/', async (request, reply) => showResults(request, reply, await store.currentPoll()))
  app.get<{ Params: { slug: string }; Querystring: ViewQuery }>('/p/:slug', async (request, reply) =>
    showResults(request, reply, await viewFor(store, request.params.slug, request.query)),
  )

  app.get<{ Querystring: { page?: string } }>('/polls', async (request, reply) => {
    const page = Number(request.query.page)
    return show(reply, 200, pollsPage(visitOf(request, assets), await store.polls(), Number.isInteger(page) ? page : 1))
  })

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
