import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Closers } from '@voting/election/closers'
import { openPool } from '@voting/election/database'
import { databaseUrl, type Environment, logLevel, type Variables } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { tallyApplicationId } from '@voting/election/topics'
import type { Pool } from 'pg'
import type { Broker, Logger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { kafkaBroker } from 'stream-core/kafka'
import { BackupError } from './backup-error.ts'
import type { Manifest } from './manifest.ts'

/** What both programs read from the environment: the names are those of the apps. */
export const systemVariables = {
  KAFKA_BROKERS: { kind: 'text', optional: true, description: 'Kafka brokers, as host:port, several with commas' },
  DATABASE_URL: { ...databaseUrl, optional: true },
  APPLICATION_ID: { kind: 'name', fallback: tallyApplicationId, description: 'Name of the tally in Kafka' },
  LOG_LEVEL: { ...logLevel, fallback: 'warn' },
} as const satisfies Variables

export interface OpenedSystem {
  readonly broker: Broker
  readonly pool: Pool
  readonly logger: Logger
  readonly source: Manifest['source']
  readonly applicationId: string
  /** Of the tally, where it is ours alone to run. */
  readonly stateDir: string | null
  close(): Promise<void>
}

/**
 * The log and the database of a system, as `npm start` would open them: the cluster and the server that the environment
 * names, or what is in the data folder. `isNew`: there must be nothing in the folder yet.
 */
export async function openSystem(
  dataDirOption: string | undefined,
  environment: Environment<typeof systemVariables>,
  { isNew, name }: { readonly isNew: boolean; readonly name: string },
): Promise<OpenedSystem> {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: url, APPLICATION_ID: applicationId } = environment
  const logger = openLogger(name, environment.LOG_LEVEL)
  const dataDir = resolve(dataDirOption ?? join(import.meta.dirname, '..', '..', '..', 'data'))
  const usesFolder = brokers === null || url === null
  if (usesFolder && isNew) refuseUsedFolder(dataDir)
  const closers = new Closers()
  return closers.guard(async () => {
    const logPath = join(dataDir, 'log', 'log.db')
    if (brokers === null && !isNew && !existsSync(logPath)) {
      throw new BackupError(
        'nothing-there',
        `there is no log in ${dataDir}: name the folder of npm start with --data-dir, or a cluster with KAFKA_BROKERS`,
      )
    }
    const broker =
      brokers === null
        ? await openEmbeddedLog({ path: logPath })
        : kafkaBroker({ bootstrapServers: brokers, clientId: name, logger })
    closers.add(() => broker.close())
    const pool = openPool({
      url: url ?? (await startPostgres(join(dataDir, 'postgres'), isNew, logger, closers)),
      connectionsMax: 2,
      applicationName: name,
    })
    closers.add(() => pool.end())
    return {
      broker,
      pool,
      logger,
      source: brokers === null ? 'embedded' : 'kafka',
      applicationId,
      stateDir: brokers === null ? join(dataDir, 'state') : null,
      close: () => closers.close(),
    } as const
  })
}

async function startPostgres(dataDir: string, isNew: boolean, logger: Logger, closers: Closers): Promise<string> {
  if (!isNew && !existsSync(join(dataDir, 'PG_VERSION'))) {
    throw new BackupError('nothing-there', `there is no PostgreSQL in ${dataDir}: name the server with DATABASE_URL`)
  }
  // Its binaries are the demo's: where apps run one by one, in containers, they are not there.
  const { startEmbeddedPostgres } = await import('../../demo/src/postgres.ts')
  const { url, stop } = await startEmbeddedPostgres({ dataDir, logger })
  closers.add(stop)
  return url
}

function refuseUsedFolder(dataDir: string): void {
  if (!existsSync(dataDir) || readdirSync(dataDir).length === 0) return
  throw new BackupError('not-empty', `the data folder ${dataDir} is not empty: name another with --data-dir`)
}
