import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import { problemBody, problemType } from '@voting/election/problem'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'stream-core'
import type { AddressLimiter } from './address-limiter.ts'
import type { AdmissionParts } from './admission.ts'
import type { IngestMetrics } from './metrics.ts'
import { openapi } from './openapi.ts'
import type { OrganiserDesk } from './organiser-desk.ts'
import { rememberLanguage, wordsOf } from './language.ts'
import { page, type PageOptions } from './pages/document.ts'
import type { Html } from './pages/html.ts'
import { showMessage } from './routes/show-message.ts'
import type { Receipts } from './receipts.ts'
import { ballotApi, ballotsRoute, sendProblem, tooMany, turnAway } from './routes/api.ts'
import { ballotPages } from './routes/ballot-pages.ts'
import { oidcRoutes } from './routes/oidc-routes.ts'
import { organiserApi } from './routes/organiser-api.ts'
import { organiserPages } from './routes/organiser-pages.ts'
import { organiserPollPages } from './routes/organiser-poll-pages.ts'
import { passkeyRoutes } from './routes/passkey-routes.ts'
import { signInPages } from './routes/sign-in-pages.ts'
import { isSameOrigin } from './same-origin.ts'
import { voterSignIn } from './routes/voter-sign-in.ts'
import type { SignInAttempts } from './sign-in/attempts.ts'
import type { Cookies } from './sign-in/cookies.ts'
import type { MailSignIn } from './sign-in/mail-sign-in.ts'
import type { OidcSignIn } from './sign-in/oidc.ts'
import type { Organisers } from './sign-in/organisers.ts'
import type { Passkeys } from './sign-in/passkeys.ts'
import type { Sessions } from './sign-in/sessions.ts'
import type { VoterRoll } from './voter-roll.ts'

/** Everything the routes use. */
export interface IngestParts extends AdmissionParts {
  readonly desk: OrganiserDesk
  readonly receipts: Receipts
  readonly sessions: Sessions
  readonly attempts: SignInAttempts
  readonly organisers: Organisers
  readonly passkeys: Passkeys
  readonly cookies: Cookies
  readonly roll: VoterRoll
  /** null: no mails are sent. */
  readonly mailSignIn: MailSignIn | null
  /** null: there is no provider. */
  readonly oidc: OidcSignIn | null
  /** Of what is refused to an address: guesses of all kinds. */
  readonly limiter: AddressLimiter
  /** Of mails that an address asks for: to ask again is no guess. */
  readonly mailLimiter: AddressLimiter
  readonly metrics: IngestMetrics
  /** What programs send as `Authorization: Bearer`; null: the API for organisers lets nobody in. */
  readonly organiserToken: string | null
  /** Whether the token also signs people in on the pages: never in production. */
  readonly tokenSignsIn: boolean
  readonly logger: Logger
  /** Told of every route, as `GET /api/receipts/:receipt`. */
  readonly onRoute?: (route: string) => void
  /** Where voters and organisers reach this app, if it is configured. */
  readonly publicUrl: string | null
  /** How many proxies stand before this app: whose word on the client's address is taken. */
  readonly proxyHops: number
  /** Known only once the server listens. */
  readonly urls: () => { readonly ballot: string; readonly results: string }
}

/** Sends a page. */
export type Show = (
  reply: FastifyReply,
  status: number,
  title: string,
  body: Html,
  extras?: Omit<PageOptions, 'title' | 'body' | 'words' | 'inLanguage'>,
) => FastifyReply

/** A ballot is small; anything larger is no ballot. */
const bodyBytesMax = 64 * 1024
const publicFolder = join(import.meta.dirname, '..', 'public')

/** Pages and API of ingest; opens no port. */
export async function buildIngestApp(parts: IngestParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    trustProxy: parts.proxyHops > 0 && ((_address, hop) => hop < parts.proxyHops),
    bodyLimit: bodyBytesMax,
    // A ballot that is under way when ingest stops gets its answer.
    forceCloseConnections: 'idle',
    // Addresses that no route can match are answered like any other that is wrong.
    routerOptions: { maxParamLength: 8192 },
    frameworkErrors: (error, _request, reply) => {
      const plain = reply as unknown as FastifyReply // the types of a route this reply does not have
      void plain.header('x-content-type-options', 'nosniff')
      sendProblem(plain, { status: 400, code: 'malformed', title: 'The address is malformed', detail: error.message })
    },
  })
  app.addHook('onRoute', ({ method, url }) => {
    for (const verb of [method].flat()) parts.onRoute?.(`${verb} ${url}`)
  })
  turnAway(app, parts)
  acceptEmptyJson(app)
  app.addHook('onRequest', async ({ protocol, host }) => {
    // What cannot be part of an address is no mistake of ours, wherever it would have been made one.
    if (host !== '' && !URL.canParse(`${protocol}://${host}`)) throw new MalformedHostError('The host is malformed')
  })
  await app.register(cookie)
  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/api/')) return
    if (request.method === 'GET') return rememberLanguage(request, reply)
    if (isSameOrigin(request, parts.publicUrl)) return
    await showMessage(show, request, reply, 403, 'notAccepted', 'otherSite')
  })
  await app.register(formbody)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: process.env['NODE_ENV'] === 'production',
    referrerPolicy: { policy: 'same-origin' },
  })

  const assets = loadAssets()
  const show: Show = (reply, status, title, body, extras = {}) =>
    reply
      .code(status)
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(
        page(
          { title, body, words: wordsOf(reply.request), inLanguage: inLanguage(reply.request), ...extras },
          assets.pathOf,
        ),
      )

  app.setErrorHandler((error: FastifyError, request, reply) => onError(error, request, reply, parts, show))
  app.setNotFoundHandler((request, reply) =>
    request.url.startsWith('/api/')
      ? reply
          .code(404)
          .type(problemType)
          .send(problemBody({ status: 404, code: 'not-found', title: 'There is no such address' }))
      : showMessage(show, request, reply, 404, 'noPageTitle', 'noPageText'),
  )
  app.get('/assets/:version/:name', async (request, reply) => {
    const asset = assets.byPath.get(request.url.split('?', 1)[0]!)
    if (!asset) return reply.callNotFound()
    return reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
  })
  app.get('/openapi.json', async () => openapi)

  ballotApi(app, parts)
  organiserApi(app, parts)
  ballotPages(app, parts, show)
  organiserPages(app, parts, show)
  organiserPollPages(app, parts, show)
  signInPages(app, parts, show)
  passkeyRoutes(app, parts, show)
  oidcRoutes(app, parts, show)
  voterSignIn(app, parts, show)
  return app
}

/** The address of a page in another language. The answer to a form has none: asked for again, it would be another page. */
function inLanguage(request: FastifyRequest): PageOptions['inLanguage'] {
  if (request.method !== 'GET') return null
  return (name) => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    query.set('lang', name)
    return `?${query.toString()}`
  }
}

class MalformedHostError extends Error {
  readonly statusCode = 400
}

/** A request that needs no body may say that it has JSON and send none: closing a poll, for example. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.trim() === '') done(null, null)
    else void parse(request, body, done)
  })
}

function assetFiles(): (readonly [name: string, type: string, body: Buffer])[] {
  const own = (name: string): Buffer => readFileSync(join(publicFolder, name))
  // The library's file for browsers sets a global and is no module; put before ours, the two are one file.
  const library = join(dirname(createRequire(import.meta.url).resolve('@simplewebauthn/browser')), '..')
  const webauthn = readFileSync(join(library, 'dist', 'bundle', 'index.umd.min.js'))
  return [
    ['ballot.css', 'text/css', own('ballot.css')],
    ['receipt.js', 'text/javascript', own('receipt.js')],
    ['code-from-link.js', 'text/javascript', own('code-from-link.js')],
    ['passkey.js', 'text/javascript', Buffer.concat([webauthn, Buffer.from('\n'), own('passkey.js')])],
  ]
}

function loadAssets() {
  const byPath = new Map<string, { readonly body: Buffer; readonly type: string }>()
  const pathOf = new Map<string, string>()
  for (const [name, type, body] of assetFiles()) {
    const path = `/assets/${createHash('sha256').update(body).digest('base64url').slice(0, 12)}/${name}`
    byPath.set(path, { body, type: `${type}; charset=utf-8` })
    pathOf.set(name, path)
  }
  return { byPath, pathOf }
}

/** What the framework refuses, and what broke. A ballot page never shows a stack, an API never shows a page. */
function onError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, parts: IngestParts, show: Show) {
  const status = error.statusCode ?? 500
  if (status >= 500) {
    parts.logger.error(
      { event: 'request.failed', route: request.routeOptions.url, error: String(error) },
      'a request failed',
    )
  }
  const problem =
    status === 413
      ? { status: 413, code: 'too-large', title: `The body is larger than ${bodyBytesMax} bytes` }
      : status >= 400 && status < 500
        ? { status: 400, code: 'malformed', title: 'The request is malformed', detail: error.message }
        : {
            status: 503,
            code: 'unavailable',
            title: 'The request could not be carried out',
            detail: 'The database does not answer. Try again.',
            retryAfterSeconds: 2,
          }
  if (request.routeOptions.url === ballotsRoute) parts.metrics.submissions.inc({ result: problem.code })
  const waitSeconds = problem.status === 400 ? parts.limiter.note(request.ip) : 0
  if (waitSeconds > 0) return sendProblem(reply, tooMany(waitSeconds))
  if (problem.status === 503) void reply.header('retry-after', 2)
  if (request.url.startsWith('/api/')) return reply.code(problem.status).type(problemType).send(problemBody(problem))
  const text = problem.status === 503 ? 'unavailable' : problem.status === 413 ? 'tooLarge' : 'malformedRequest'
  return showMessage(show, request, reply, problem.status, 'notNowTitle', text)
}
