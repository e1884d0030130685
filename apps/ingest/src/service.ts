import { Closers } from '@voting/election/closers'
import type { Pool } from 'pg'
import { type Broker, ConfigError, type Logger } from 'stream-core'
import { migrate, openPool } from '@voting/election/database'
import { openOpsServer, urlOf } from '@voting/election/ops-server'
import type { RunningApp } from '@voting/election/running-app'
import { keptSecret } from '@voting/election/settings'
import { provideTopics, topics } from '@voting/election/topics'
import { buildIngestApp } from './app.ts'
import { BallotLog } from './ballot-log.ts'
import { Claims } from './claims.ts'
import { FailureLimiter } from './failure-limiter.ts'
import { openMetrics } from './metrics.ts'
import { OrganiserDesk } from './organiser-desk.ts'
import { OrganiserSessions } from './organiser-session.ts'
import { PollControl } from './poll-control.ts'
import { PollRepository } from './poll-repository.ts'
import { Receipts } from './receipts.ts'

export interface IngestOptions {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly host: string
  readonly port: number
  readonly opsHost: string
  readonly opsPort: number
  /** null: generated and kept in PostgreSQL, but not in production. */
  readonly organiserToken: string | null
  readonly publicUrl: string | null
  /** May be known only later: the demo starts the viewer after ingest. */
  readonly resultsUrl: () => string
  readonly ballotPartitions: number
  readonly failuresPerMinute: number
  readonly isProduction: boolean
  readonly logger: Logger
}

export interface RunningIngest extends RunningApp {
  readonly url: string
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
  const metrics = openMetrics()
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
  const app = await buildIngestApp({
    onRoute: (route) => routes.push(route),
    polls,
    claims: new Claims(pool, logger),
    log,
    control,
    desk: new OrganiserDesk(polls, control),
    receipts: new Receipts(pool),
    sessions: new OrganiserSessions(pool, options.isProduction),
    limiter: new FailureLimiter(options.failuresPerMinute),
    metrics,
    organiserToken,
    logger,
    urls: () => ({ ballot: trimmed(options.publicUrl ?? ownUrl), results: trimmed(options.resultsUrl()) }),
  })
  closers.add(async () => {
    isClosing = true
    control.stopScheduler()
    // Connections are kept alive by browsers and proxies: each ends when its last answer is out.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
    const cut = setTimeout(() => app.server.closeAllConnections(), drainMs)
    await app.close()
    clearInterval(sweep)
    clearTimeout(cut)
  })
  await app.listen({ host: options.host, port: options.port })
  ownUrl = urlOf(app.server, options.host)
  control.startScheduler()
  return {
    name: 'ingest',
    url: ownUrl,
    ops: ops.url,
    organiserToken,
    routes,
    close: () => closers.close(),
    failed: new Promise(() => undefined),
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

async function organiserTokenOf({ organiserToken, isProduction }: IngestOptions, pool: Pool): Promise<string> {
  if (organiserToken === '') throw new ConfigError('ORGANISER_TOKEN', 'ORGANISER_TOKEN is empty: anybody could sign in')
  if (organiserToken !== null) return organiserToken
  if (isProduction) throw new ConfigError('ORGANISER_TOKEN', 'ORGANISER_TOKEN is required in production')
  return keptSecret(pool, 'organiser-token', { mayGenerate: true })
}
