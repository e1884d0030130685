import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'stream-core'
import { loadAssets } from './assets.ts'
import { openapi } from './openapi.ts'
import { problems } from './problems.ts'
import type { ResultStore } from './result-store.ts'
import { apiRoutes } from './routes/api.ts'
import { exportRoutes } from './routes/export.ts'
import { pagePolicy, pageRoutes, showMessage, showNoSuchPage, visitOf } from './routes/pages.ts'

export interface ViewerAppOptions {
  readonly store: ResultStore
  readonly logger: Logger
  /** Where ballots are cast, for the link on the page; null leaves it out. */
  readonly ballotUrl: string | null
  /** Who may show the embedded page inside a page of their own. */
  readonly embedOrigins: readonly string[]
}

/** How soon a page that could not be shown is asked for again. */
const retrySeconds = 5

const isForProgram = (request: { readonly url: string }): boolean => request.url.startsWith('/api/')

/** Pages, API and assets of the viewer. The WebSocket is attached to the same server by the service. */
export async function buildViewerApp(options: ViewerAppOptions): Promise<FastifyInstance> {
  const { store, logger, ballotUrl, embedOrigins } = options
  const assets = loadAssets()
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
      if (isForProgram(request)) return void problems.malformed(plain, error.message)
      const visit = { ...visitOf(request, assets), path: '/', parameters: {} }
      const { say } = visit.tongue
      showMessage(plain, 400, visit, { title: say('malformedTitle'), text: say('malformedText') })
    },
  })
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { ...pagePolicy, frameAncestors: ["'none'"] } },
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
    const visit = visitOf(request, assets)
    const { say } = visit.tongue
    if (isTheirs) return showMessage(reply, 400, visit, { title: say('impossibleTitle'), text: say('impossibleText') })
    return showMessage(reply.header('retry-after', '2'), 503, visit, {
      title: say('awayTitle'),
      text: say('awayText'),
      refreshSeconds: retrySeconds,
    })
  })
  app.setNotFoundHandler(async (request, reply) =>
    isForProgram(request) ? problems.noSuchAddress(reply) : showNoSuchPage(reply, visitOf(request, assets)),
  )

  apiRoutes(app, store, problems)
  exportRoutes(app, store, problems)
  pageRoutes(app, { store, assets, ballotUrl, embedOrigins })
  app.get('/openapi.json', async () => openapi)

  app.get('/assets/*', async (request, reply) => {
    const asset = assets.byPath.get(request.url.split('?', 1)[0]!)
    if (!asset) return reply.callNotFound()
    return reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
  })
  return app
}
