import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Closers } from '@voting/election/closers'
import { openPool } from '@voting/election/database'
import type { RunningApp } from '@voting/election/running-app'
import { defaultPartitions, tallyApplicationId } from '@voting/election/topics'
import { startIngest } from '@voting/ingest/service'
import { startTally } from '@voting/tally/service'
import { startViewer } from '@voting/viewer/service'
import { type Broker, ConfigError, type Logger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { kafkaBroker } from 'stream-core/kafka'
import { ensureExampleElection, type ExampleElection, OrganiserClient } from './example-election.ts'
import type { DemoOptions } from './options.ts'
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

/**
 * Everything in one process: the log first, for it is the lock of the data folder; then PostgreSQL; then the apps, each
 * through the same `start…` function that runs it alone. What was started is closed again, last first, when a later part
 * does not start.
 */
export function startSystem(options: DemoOptions, openLogger: (app: string) => Logger): Promise<RunningSystem> {
  const closers = new Closers()
  return closers.guard(() => startParts(options, openLogger, closers))
}

async function startParts(
  options: DemoOptions,
  openLogger: (app: string) => Logger,
  closers: Closers,
): Promise<RunningSystem> {
  const { dataDir, host, opsPort } = options
  makeFolder(dataDir)
  const broker = await openLog(dataDir, openLogger('log'))
  closers.add(() => broker.close())
  const databaseUrl = await openDatabase(dataDir, openLogger('postgres'), closers)

  const opsHost = '127.0.0.1'
  const shared = { broker, databaseUrl, opsHost, ballotPartitions: defaultPartitions }
  const opsPortOf = (index: number): number => (opsPort === 0 ? 0 : opsPort + index)
  let viewerUrl = ''
  const ingest = await startIngest({
    ...shared,
    host,
    port: options.ingestPort,
    opsPort: opsPortOf(0),
    organiserToken: process.env['ORGANISER_TOKEN'] || null,
    publicUrl: null,
    resultsUrl: () => viewerUrl,
    failuresPerMinute: 120,
    isProduction: process.env['NODE_ENV'] === 'production',
    logger: openLogger('ingest'),
  })
  closers.add(() => ingest.close())
  const tally = await startTally({
    ...shared,
    applicationId: tallyApplicationId,
    stateDir: join(dataDir, 'state'),
    opsPort: opsPortOf(1),
    logger: openLogger('tally'),
  })
  closers.add(() => tally.close())
  const viewer = await startViewer({
    databaseUrl,
    opsHost,
    host,
    port: options.viewerPort,
    opsPort: opsPortOf(2),
    ballotUrl: ingest.url,
    tickMs: 250,
    connectionsMax: 20_000,
    allowedOrigins: [],
    logger: openLogger('viewer'),
  })
  viewerUrl = viewer.url
  closers.add(() => viewer.close())

  const organiser = new OrganiserClient(ingest.url, ingest.organiserToken)
  const { election, codes } = await seed(databaseUrl, organiser, ingest.url, viewer.url)
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
    failed: Promise.race(apps.map((app) => app.failed)),
    close: () => closers.close(),
  }
}

async function seed(databaseUrl: string, organiser: OrganiserClient, ingest: string, viewer: string) {
  const pool = openPool({ url: databaseUrl, connectionsMax: 1, applicationName: 'demo' })
  try {
    const election = await ensureExampleElection(pool, organiser, { ingest, viewer })
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
async function openLog(dataDir: string, logger: Logger): Promise<Broker> {
  const brokers = process.env['KAFKA_BROKERS']
  if (!brokers) return openEmbeddedLog({ path: join(dataDir, 'log', 'log.db') })
  const broker = kafkaBroker({ bootstrapServers: brokers, clientId: 'demo', logger })
  await broker.admin.clusterId()
  return broker
}

async function openDatabase(dataDir: string, logger: Logger, closers: Closers): Promise<string> {
  const given = process.env['DATABASE_URL']
  if (given) return given
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), logger })
  closers.add(postgres.stop)
  return postgres.url
}
