import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'stream-core'
import { openapi } from './openapi.ts'
import { notFoundPage, resultsPage } from './pages/results-page.ts'
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
const publicFolder = join(import.meta.dirname, '..', 'public')

/** The files a page needs, named by their content so that they may be cached for ever. */
function loadAssets(): { readonly byPath: ReadonlyMap<string, Asset>; readonly pathOf: ReadonlyMap<string, string> } {
  const files: [name: string, path: string, type: string][] = [
    ['uplot.js', join(uplot, 'dist', 'uPlot.esm.js'), 'text/javascript'],
    ['uplot.css', join(uplot, 'dist', 'uPlot.min.css'), 'text/css'],
    ...['results.js', 'live.js', 'chart.js', 'table.js'].map((name): [string, string, string] => [
      name,
      join(publicFolder, name),
      'text/javascript',
    ]),
    ['results.css', join(publicFolder, 'results.css'), 'text/css'],
  ]
  const byPath = new Map<string, Asset>()
  const pathOf = new Map<string, string>()
  // One hash for all: modules import each other by plain names, so they share a folder that changes when any of them does.
  const hash = createHash('sha256')
  const bodies = files.map(([, path]) => readFileSync(path))
  for (const body of bodies) hash.update(body)
  const version = hash.digest('base64url').slice(0, 12)
  for (const [i, [name, , type]] of files.entries()) {
    const path = `/assets/${version}/${name}`
    byPath.set(path, { body: bodies[i]!, type: `${type}; charset=utf-8` })
    pathOf.set(name, path)
  }
  return { byPath, pathOf }
}

/** Pages, API and assets of the viewer. The WebSocket is attached to the same server by the service. */
export async function buildViewerApp({ store, logger, ballotUrl }: ViewerAppOptions): Promise<FastifyInstance> {
  const app = fastify({ logger: false, forceCloseConnections: true })
  const assets = loadAssets()
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
    const status = (error as { statusCode?: number }).statusCode ?? 500
    return status < 500 ? problems.malformed(reply, (error as Error).message) : problems.unavailable(reply)
  })
  app.setNotFoundHandler(async (request, reply) => {
    if (request.url.startsWith('/api/')) return problems.noSuchAddress(reply)
    return reply.code(404).type('text/html; charset=utf-8').send(notFoundPage(assets.pathOf))
  })

  apiRoutes(app, store, problems)
  app.get('/openapi.json', async () => openapi)

  app.get('/assets/*', async (request, reply) => {
    const asset = assets.byPath.get(request.url.split('?', 1)[0]!)
    if (!asset) return reply.callNotFound()
    return reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
  })

  const page = async (view: Awaited<ReturnType<ResultStore['poll']>>): Promise<string> => {
    if (!view) return notFoundPage(assets.pathOf)
    const nowMs = Date.now()
    const trend = await trendColumns(store, view, '1m', nowMs)
    return resultsPage({ view, nowMs, trend, assets: assets.pathOf, ballotUrl, polls: await store.polls() })
  }
  app.get('/', async (_request, reply) => {
    const view = await store.currentPoll()
    return reply
      .code(view ? 200 : 404)
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(await page(view))
  })
  app.get<{ Params: { slug: string } }>('/p/:slug', async (request, reply) => {
    const view = await store.poll(request.params.slug)
    return reply
      .code(view ? 200 : 404)
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(await page(view))
  })
  return app
}
