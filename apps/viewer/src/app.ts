import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'stream-core'
import { openapi } from './openapi.ts'
import { messagePage, resultsPage } from './pages/results-page.ts'
import type { PollView } from './poll-view.ts'
import { problems } from './problems.ts'
import type { ResultStore } from './result-store.ts'
import { apiRoutes } from './routes/api.ts'
import { trendColumns } from './trend-columns.ts'

export interface ViewerAppOptions {
  readonly store: ResultStore
  readonly logger: Logger
  /** Where ballots are cast, for the link on the page; null leaves it out. */
  readonly ballotUrl: string | null
}

interface Asset {
  readonly body: Buffer
  readonly type: string
}

const uplot = dirname(createRequire(import.meta.url).resolve('uplot/package.json'))
/** How soon a page that could not be shown is asked for again. */
const retrySeconds = 5
const publicFolder = join(import.meta.dirname, '..', 'public')

/** uPlot's module is not minified and its minified file is no module: one line makes it one. */
const uplotModule = (): Buffer =>
  Buffer.concat([readFileSync(join(uplot, 'dist', 'uPlot.iife.min.js')), Buffer.from('\nexport default uPlot\n')])

interface Assets {
  readonly byPath: ReadonlyMap<string, Asset>
  readonly pathOf: ReadonlyMap<string, string>
}

/** The files a page needs, named by their content so that they may be cached for ever. */
function loadAssets(): Assets {
  const script = 'text/javascript'
  const own = ['results.js', 'live.js', 'polling.js', 'chart.js', 'table.js', 'shared.js']
  const files: [name: string, body: Buffer, type: string][] = [
    ['uplot.js', uplotModule(), script],
    ['uplot.css', readFileSync(join(uplot, 'dist', 'uPlot.min.css')), 'text/css'],
    ...own.map((name): [string, Buffer, string] => [name, readFileSync(join(publicFolder, name)), script]),
    ['results.css', readFileSync(join(publicFolder, 'results.css')), 'text/css'],
  ]
  const byPath = new Map<string, Asset>()
  const pathOf = new Map<string, string>()
  // One hash for all: modules import each other by plain names, so they share a folder that changes when any of them does.
  const hash = createHash('sha256')
  for (const [, body] of files) hash.update(body)
  const version = hash.digest('base64url').slice(0, 12)
  for (const [name, body, type] of files) {
    const path = `/assets/${version}/${name}`
    byPath.set(path, { body, type: `${type}; charset=utf-8` })
    pathOf.set(name, path)
  }
  return { byPath, pathOf }
}

const isForProgram = (request: { readonly url: string }): boolean => request.url.startsWith('/api/')

/** Pages, API and assets of the viewer. The WebSocket is attached to the same server by the service. */
export async function buildViewerApp({ store, logger, ballotUrl }: ViewerAppOptions): Promise<FastifyInstance> {
  const assets = loadAssets()
  const show = (reply: FastifyReply, status: number, body: string): FastifyReply =>
    reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(body)
  const message = (reply: FastifyReply, status: number, title: string, text: string, refreshSeconds?: number) =>
    show(reply, status, messagePage({ title, text, assets: assets.pathOf, ...(refreshSeconds && { refreshSeconds }) }))
  const noSuchPage = (reply: FastifyReply): FastifyReply =>
    message(
      reply,
      404,
      'There is no such poll',
      'The address may be mistyped, or no poll has been created yet. The current poll is at the start page.',
    )

  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    // Addresses that no route can match are answered like any other that is wrong.
    routerOptions: { maxParamLength: 8192 },
    frameworkErrors: (error, request, reply) => {
      const plain = reply as unknown as FastifyReply // the types of a route this reply does not have
      // No hook runs for it, so it brings its own policy.
      void plain
        .header('x-content-type-options', 'nosniff')
        .header(
          'content-security-policy',
          "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
        )
      if (isForProgram(request)) problems.malformed(plain, error.message)
      else message(plain, 400, 'The address is malformed', 'It may have been cut off or mistyped.')
    },
  })
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // The page is served over plain HTTP on a developer's machine; a proxy that ends TLS says this itself.
    strictTransportSecurity: process.env['NODE_ENV'] === 'production',
    referrerPolicy: { policy: 'same-origin' },
  })

  app.setErrorHandler(async (error, request, reply) => {
    logger.warn({ event: 'request.failed', path: request.routeOptions.url, error: String(error) }, 'a request failed')
    const isTheirs = ((error as { statusCode?: number }).statusCode ?? 500) < 500
    if (isForProgram(request)) {
      return isTheirs ? problems.malformed(reply, (error as Error).message) : problems.unavailable(reply)
    }
    if (isTheirs) return message(reply, 400, 'This is not possible', 'The request is malformed.')
    return message(
      reply.header('retry-after', '2'),
      503,
      'Results cannot be shown now',
      'Something is not working here at the moment. No ballot is lost. This page looks again by itself.',
      retrySeconds,
    )
  })
  app.setNotFoundHandler(async (request, reply) =>
    isForProgram(request) ? problems.noSuchAddress(reply) : noSuchPage(reply),
  )

  apiRoutes(app, store, problems)
  app.get('/openapi.json', async () => openapi)

  app.get('/assets/*', async (request, reply) => {
    const asset = assets.byPath.get(request.url.split('?', 1)[0]!)
    if (!asset) return reply.callNotFound()
    return reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
  })

  const showResults = async (reply: FastifyReply, view: PollView | null): Promise<FastifyReply> => {
    if (!view) return noSuchPage(reply)
    const nowMs = Date.now()
    const trend = await trendColumns(store, view, '1m', nowMs)
    const polls = await store.polls()
    return show(reply, 200, resultsPage({ view, nowMs, trend, assets: assets.pathOf, ballotUrl, polls }))
  }
  app.get('/', async (_request, reply) => showResults(reply, await store.currentPoll()))
  app.get<{ Params: { slug: string } }>('/p/:slug', async (request, reply) =>
    showResults(reply, await store.poll(request.params.slug)),
  )
  return app
}
