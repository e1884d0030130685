import { Closers } from '@voting/election/closers'
import type { Pool } from 'pg'
import { type Broker, ConfigError, type Logger } from 'stream-core'
import { migrate, openPool } from '@voting/election/database'
import { Doors } from '@voting/election/doors'
import { openOpsServer, urlOf } from '@voting/election/ops-server'
import type { RunningApp } from '@voting/election/running-app'
import { keptSecret } from '@voting/election/settings'
import { provideTopics, topics } from '@voting/election/topics'
import { AddressLimiter } from './address-limiter.ts'
import { buildIngestApp } from './app.ts'
import { BallotGate, ballotsUnderWayMax, ballotWaitMs } from './ballot-gate.ts'
import { BallotLog } from './ballot-log.ts'
import { Claims } from './claims.ts'
import { openMetrics } from './metrics.ts'
import { OrganiserDesk } from './organiser-desk.ts'
import { PollControl } from './poll-control.ts'
import { PollRepository } from './poll-repository.ts'
import { Receipts } from './receipts.ts'
import { RequestsUnderWay } from './requests-under-way.ts'
import { SignInAttempts } from './sign-in/attempts.ts'
import { checkOrganisersCanEnter } from './sign-in/configuration.ts'
import { Cookies } from './sign-in/cookies.ts'
import { Mailer, type MailOptions } from './sign-in/mailer.ts'
import { MailSignIn } from './sign-in/mail-sign-in.ts'
import { type OidcOptions, OidcSignIn } from './sign-in/oidc.ts'
import { Organisers } from './sign-in/organisers.ts'
import { Passkeys } from './sign-in/passkeys.ts'
import { Sessions } from './sign-in/sessions.ts'
import { VoterRoll } from './voter-roll.ts'

export interface IngestOptions {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly host: string
  readonly port: number
  readonly opsHost: string
  readonly opsPort: number
  /** null: generated and kept in PostgreSQL; in production the API for organisers is then closed. */
  readonly organiserToken: string | null
  /** Organisers and voters sign in with this provider. Default: there is none. */
  readonly oidc?: OidcOptions | null
  /** Voters of listed addresses get mails from here. Default: no mails. */
  readonly mail?: MailOptions | null
  /** How many proxies stand before this app. Default: none. */
  readonly proxyHops?: number
  readonly publicUrl: string | null
  /** May be known only later: the demo starts the viewer after ingest. */
  readonly resultsUrl: () => string
  readonly ballotPartitions: number
  readonly failuresPerMinute: number
  /** How long a ballot may have to wait for its answer, in ms; who would wait longer is turned away. Default 2000. */
  readonly ballotWaitMs?: number
  /** However short the wait, no more ballots are under way. Default 5000. */
  readonly ballotsUnderWayMax?: number
  readonly isProduction: boolean
  readonly logger: Logger
}

export interface RunningIngest extends RunningApp {
  readonly url: string
  /** What programs send as `Authorization: Bearer`; empty where nothing lets them in. */
  readonly organiserToken: string
  /** What it serves, as `GET /api/receipts/:receipt`. */
  readonly routes: readonly string[]
}

const deliveryTimeoutMs = 8000
/** A probe that waits longer than this is given up by whoever sent it. */
const readinessMs = 3000
/** How long requests that are under way may take to end when ingest stops: longer than a ballot's own deadline. */
const drainMs = 12_000

/** Starts ingest: schema and topics if they are missing, the scheduler, the pages, the operations port. */
export function startIngest(options: IngestOptions): Promise<RunningIngest> {
  const closers = new Closers()
  return closers.guard(() => startParts(options, closers))
}

async function startParts(options: IngestOptions, closers: Closers): Promise<RunningIngest> {
  const { broker, logger } = options
  const pool = openPool({ url: options.databaseUrl, connectionsMax: 16, applicationName: 'ingest' })
  closers.add(() => pool.end())
  await migrate(pool, { logger })
  const organiserToken = await organiserTokenOf(options, pool)
  await provideTopics(broker, options.ballotPartitions, logger)
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)!
  const producer = await broker.openProducer({ deliveryTimeoutMs })
  closers.add(async () => {
    await producer.flush().catch(() => undefined) // whoever waited for it was told
    await producer.close()
  })

  const polls = new PollRepository(pool)
  const gate = new BallotGate({
    waitMs: options.ballotWaitMs ?? ballotWaitMs,
    underWayMax: options.ballotsUnderWayMax ?? ballotsUnderWayMax,
  })
  const metrics = openMetrics(gate)
  const log = new BallotLog(producer, ballots.partitionCount, logger, (seconds) =>
    metrics.produceSeconds.observe(seconds),
  )
  const control = new PollControl(polls, log, logger)
  let isClosing = false
  const ops = await openOpsServer({
    host: options.opsHost,
    port: options.opsPort,
    registry: metrics.registry,
    readiness: async () => {
      if (isClosing) return 'stopping'
      const database = pool.query('SELECT 1').then(
        () => null,
        (error: unknown) => `the database does not answer: ${String(error)}`,
      )
      const brokers = broker.admin.describeTopics([topics.ballots]).then(
        () => null,
        (error: unknown) => `the log does not answer: ${String(error)}`,
      )
      return (
        (await within(readinessMs, database, 'the database does not answer')) ??
        (await within(readinessMs, brokers, 'the log does not answer'))
      )
    },
  })
  closers.add(() => ops.close())
  let ownUrl = ''
  const routes: string[] = []
  const cookies = new Cookies(options.isProduction)
  const attempts = new SignInAttempts(pool, cookies)
  const roll = new VoterRoll(pool)
  const mailer = options.mail ? await Mailer.open(options.mail, logger) : null
  if (mailer) closers.add(() => mailer.close())
  const app = await buildIngestApp({
    onRoute: (route) => routes.push(route),
    gate,
    polls,
    claims: new Claims(pool, logger),
    log,
    control,
    desk: new OrganiserDesk(polls, control, roll),
    receipts: new Receipts(pool),
    sessions: new Sessions(pool, cookies, logger),
    attempts,
    cookies,
    roll,
    mailSignIn: mailer && new MailSignIn({ pool, attempts, mailer }),
    organisers: new Organisers(pool),
    passkeys: new Passkeys(pool),
    oidc: options.oidc ? new OidcSignIn(options.oidc) : null,
    tokenSignsIn: !options.isProduction,
    publicUrl: options.publicUrl === null ? null : trimmed(options.publicUrl),
    proxyHops: options.proxyHops ?? 0,
    limiter: new AddressLimiter({ perMinute: options.failuresPerMinute }),
    mailLimiter: new AddressLimiter({ perMinute: options.failuresPerMinute }),
    metrics,
    organiserToken,
    logger,
    urls: () => ({ ballot: trimmed(options.publicUrl ?? ownUrl), results: trimmed(options.resultsUrl()) }),
  })
  const requests = new RequestsUnderWay(app.server)
  const stop = { underWay: 0, cutOff: 0 }
  let doors: Doors | null = null
  closers.add(async () => {
    isClosing = true
    stop.underWay = requests.count
    control.stopScheduler()
    // Connections are kept alive by browsers and proxies: each ends when its last answer is out.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
    const cut = setTimeout(() => {
      stop.cutOff = requests.count
      app.server.closeAllConnections()
    }, drainMs)
    await Promise.all([app.close(), doors?.close()])
    clearInterval(sweep)
    clearTimeout(cut)
  })
  const at = { host: options.host, port: options.port }
  doors = await Doors.open(app.server, at, (how) => app.listen(how))
  ownUrl = urlOf(app.server, options.host)
  control.startScheduler()
  return {
    name: 'ingest',
    url: ownUrl,
    ops: ops.url,
    organiserToken: organiserToken ?? '',
    routes,
    close: () => closers.close(),
    failed: new Promise(() => undefined),
    report: () =>
      `of ${stop.underWay} requests under way ${stop.underWay - stop.cutOff} were answered` +
      (stop.cutOff > 0 ? ` and ${stop.cutOff} cut off: their voters have no acknowledgement` : ''),
  }
}

/** Paths are put behind these addresses. */
const trimmed = (url: string): string => url.replace(/\/+$/, '')

async function within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
  const late = Promise.withResolvers<T>()
  const timer = setTimeout(() => late.resolve(otherwise), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const generatedToken = 'organiser-token'

async function organiserTokenOf(options: IngestOptions, pool: Pool): Promise<string | null> {
  const { organiserToken, isProduction, oidc } = options
  checkOrganisersCanEnter({ organiserToken, hasOidc: Boolean(oidc) }, isProduction)
  if (!isProduction) return organiserToken ?? keptSecret(pool, generatedToken, { mayGenerate: true })
  if (organiserToken === null) return null
  // It was printed to a terminal, and is in every copy of the database.
  const { rows } = await pool.query('SELECT value FROM settings WHERE name = $1', [generatedToken])
  if (rows[0]?.value === organiserToken) {
    throw new ConfigError(
      'ORGANISER_TOKEN',
      'ORGANISER_TOKEN is the token that was generated for development: in production choose another',
    )
  }
  return organiserToken
}
