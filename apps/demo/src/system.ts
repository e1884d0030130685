import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Closers } from '@voting/election/closers'
import { openPool } from '@voting/election/database'
import type { RunningApp } from '@voting/election/running-app'
import { defaultPartitions, tallyApplicationId } from '@voting/election/topics'
import { startIngest } from '@voting/ingest/service'
import { startTally } from '@voting/tally/service'
import { startViewer } from '@voting/viewer/service'
import { type Broker, BrokerError, ConfigError, type Logger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { kafkaBroker } from 'stream-core/kafka'
import { ensureExampleElection, type ExampleElection, OrganiserClient } from './example-election.ts'
import type { DemoEnvironment, DemoOptions } from './options.ts'
import { ensurePastElection, makeRuns } from './past-election.ts'
import { startEmbeddedPostgres } from './postgres.ts'
import { SimulatedVoters } from './simulated-voters.ts'

export interface RunningSystem {
  readonly ingestUrl: string
  readonly viewerUrl: string
  readonly organiserToken: string
  readonly ops: { readonly ingest: string; readonly tally: string; readonly viewer: string }
  readonly election: ExampleElection
  /** A few codes for people to try. */
  readonly codes: readonly string[]
  readonly failed: Promise<Error>
  close(): Promise<void>
}

export interface SystemOptions {
  readonly options: DemoOptions
  readonly environment: DemoEnvironment
  readonly openLogger: (app: string) => Logger
  /** Somebody does not want to wait any longer: what was started is closed again, and the start is rejected. */
  readonly signal: AbortSignal
}

/**
 * Everything in one process: the log first, for it is the lock of the data folder; then PostgreSQL; then the apps, each
 * through the same `start…` function that runs it alone. What was started is closed again, last first, when a later part
 * does not start.
 */
export function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const closers = new Closers()
  return closers.guard(() => startParts(options, closers))
}

async function startParts(given: SystemOptions, closers: Closers): Promise<RunningSystem> {
  const { options, environment, openLogger, signal } = given
  const { dataDir, host, opsPort } = options
  makeFolder(dataDir)
  const broker = await openLog(given, closers)
  signal.throwIfAborted()
  const { databaseUrl, failed: databaseFailed } = await openDatabase(given, closers)
  signal.throwIfAborted()

  const opsHost = '127.0.0.1'
  const shared = { broker, databaseUrl, opsHost, ballotPartitions: defaultPartitions }
  const opsPortOf = (index: number): number => (opsPort === 0 ? 0 : opsPort + index)
  let viewerUrl = ''
  // It is the first to wait for a database that may not be there.
  const starting = startIngest({
    ...shared,
    host,
    port: options.ingestPort,
    opsPort: opsPortOf(0),
    organiserToken: environment.ORGANISER_TOKEN,
    publicUrl: null,
    resultsUrl: () => viewerUrl,
    failuresPerMinute: 120,
    isProduction: process.env['NODE_ENV'] === 'production',
    logger: openLogger('ingest'),
  })
  const ingest = await unlessAborted(starting, signal)
  closers.add(() => ingest.close())
  const tally = await startTally({
    ...shared,
    applicationId: tallyApplicationId,
    stateDir: join(dataDir, 'state'),
    opsPort: opsPortOf(1),
    opsEndpoint: null,
    showsValues: false,
    logger: openLogger('tally'),
  })
  closers.add(() => tally.close())
  signal.throwIfAborted()
  const viewer = await startViewer({
    databaseUrl,
    opsHost,
    host,
    port: options.viewerPort,
    opsPort: opsPortOf(2),
    ballotUrl: ingest.url,
    tickMs: 100,
    connectionsMax: 20_000,
    allowedOrigins: [],
    logger: openLogger('viewer'),
  })
  viewerUrl = viewer.url
  closers.add(() => viewer.close())
  signal.throwIfAborted()

  const organiser = new OrganiserClient(ingest.url, ingest.organiserToken)
  const { election, codes } = await seed(given, {
    databaseUrl,
    broker,
    organiser,
    ingest: ingest.url,
    viewer: viewer.url,
  })
  if (options.isSimulating && options.rate > 0) {
    const voters = new SimulatedVoters(election, organiser, ingest.url, options.rate, openLogger('simulation'))
    await voters.start()
    closers.add(() => voters.stop())
  }
  const apps: readonly RunningApp[] = [ingest, tally, viewer]
  return {
    ingestUrl: ingest.url,
    viewerUrl: viewer.url,
    organiserToken: ingest.organiserToken,
    ops: { ingest: ingest.ops, tally: tally.ops, viewer: viewer.ops },
    election,
    codes,
    failed: Promise.race([databaseFailed, ...apps.map((app) => app.failed)]),
    close: () => closers.close(),
  }
}

interface SeedOptions {
  readonly databaseUrl: string
  readonly broker: Broker
  readonly organiser: OrganiserClient
  readonly ingest: string
  readonly viewer: string
}

/** Something to see: an example that is open, and with simulated voters also one of last week to compare it with. */
async function seed({ options }: SystemOptions, { databaseUrl, broker, organiser, ingest, viewer }: SeedOptions) {
  const pool = openPool({ url: databaseUrl, connectionsMax: 1, applicationName: 'demo' })
  try {
    const pastPoll = options.isSimulating ? await ensurePastElection(pool, broker, Date.now()) : null
    const election = await ensureExampleElection(pool, organiser, { ingest, viewer })
    if (pastPoll !== null) await makeRuns(pool, pastPoll, election.id)
    const { codes } = await organiser.post<{ codes: string[] }>(`/api/polls/${election.id}/codes`, {
      count: 3,
      region: 'Old Town',
    })
    return { election, codes }
  } finally {
    await pool.end()
  }
}

/** Makes a folder and those above it, one by one: Node's own `recursive` never returns on some file systems. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  try {
    if (dirname(path) !== path) makeFolder(dirname(path))
    mkdirSync(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(
      'dataDir',
      `the data folder ${path} cannot be made: ${(error as Error).message}. Choose another with --data-dir`,
    )
  }
}

/** The embedded log, which is also the lock of the data folder, or the Kafka cluster that the environment names. */
async function openLog({ options, environment, openLogger, signal }: SystemOptions, closers: Closers): Promise<Broker> {
  const brokers = environment.KAFKA_BROKERS
  if (brokers === null) {
    const log = await openEmbeddedLog({ path: join(options.dataDir, 'log', 'log.db') })
    closers.add(() => log.close())
    return log
  }
  const broker = kafkaBroker({ bootstrapServers: brokers, clientId: 'demo', logger: openLogger('log') })
  closers.add(() => broker.close())
  try {
    await unlessAborted(broker.admin.clusterId(), signal)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new ConfigError('KAFKA_BROKERS', `no Kafka broker answers at ${brokers} (KAFKA_BROKERS): ${error.message}`)
  }
  return broker
}

interface Database {
  readonly databaseUrl: string
  readonly failed: Promise<Error>
}

async function openDatabase({ options, environment, openLogger }: SystemOptions, closers: Closers): Promise<Database> {
  const given = environment.DATABASE_URL
  if (given !== null) return { databaseUrl: given, failed: new Promise(() => undefined) }
  const dataDir = join(options.dataDir, 'postgres')
  const postgres = await startEmbeddedPostgres({ dataDir, logger: openLogger('postgres') })
  closers.add(postgres.stop)
  const failed = postgres.failed.then(
    (error) => new Error(`the embedded PostgreSQL has ended and cannot be started again: ${error.message}`),
  )
  return { databaseUrl: postgres.url, failed }
}

/** The work's outcome, or a rejection as soon as nobody wants it any more. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined) // nobody may be there any more to hear of it
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort)
  try {
    signal.throwIfAborted()
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
