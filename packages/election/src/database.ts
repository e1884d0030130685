import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Logger, silentLogger } from 'stream-core'
import { EnvironmentError } from './environment.ts'

/** One lock for all apps: migrations run once, whoever comes first. */
const migrationLock = 7_235_001
const folder = join(import.meta.dirname, 'migrations')

export interface DatabaseOptions {
  readonly url: string
  readonly connectionsMax?: number
  readonly applicationName: string
}

/** A pool of connections. One that breaks is replaced: an error of the query it breaks under, never of the process. */
export function openPool({ url, connectionsMax = 10, applicationName }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    application_name: applicationName,
    connectionTimeoutMillis: 5000,
  })
  pool.on('error', () => undefined)
  // The pool listens only while a connection is idle; one that breaks while it is lent would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** For a query whose caller cannot wait: a database that hangs is an error after this time, and its connection is dropped. */
export const boundedQuery = { query_timeout: 8000 }

/** Runs `work` in a transaction. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let isBroken = false
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A connection that cannot even roll back is thrown away.
    isBroken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    client.release(isBroken)
  }
}

/** The migrations of this version, in order: `0001-name.sql` is number 1. */
function migrations(): readonly { readonly number: number; readonly name: string; readonly sql: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), name, sql: readFileSync(join(folder, name), 'utf8') }))
}

export interface MigrateOptions {
  /** Told when the database lets it wait. */
  readonly logger?: Logger
  /** How long a database may take that is still starting. Default 30 s. */
  readonly waitMs?: number
  /** The last migration to apply: what a backup of an earlier version is put into. Default: all. */
  readonly upTo?: number
}

/**
 * Brings the schema up to this version; safe when several apps start at once. Waits for a database that is still
 * starting. Refuses a database that a newer version has migrated.
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<void> {
  const { upTo = Infinity } = options
  const client = await connectWhenReady(pool, options)
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock])
    await client.query(
      'CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    )
    const { rows } = await client.query<{ number: number }>('SELECT number FROM migrations')
    const applied = new Set(rows.map((row) => row.number))
    const all = migrations()
    const newest = Math.max(0, ...applied)
    const known = all.at(-1)?.number ?? 0
    if (newest > known) {
      throw new Error(`the database is at migration ${newest}, this version knows ${known}: run the newer version`)
    }
    for (const { number, name, sql } of all) {
      if (applied.has(number) || number > upTo) continue
      await client.query('BEGIN')
      await client.query(sql)
      await client.query('INSERT INTO migrations (number, name) VALUES ($1, $2)', [number, name])
      await client.query('COMMIT')
    }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined) // the first error is the one to tell of
    throw error
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]).catch(() => undefined) // ends with the connection too
    client.release()
  }
}

/** Codes of a server that is there and not ready, or not there yet. */
const notReady = new Set(['57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EAI_AGAIN'])

/** Longer than a start usually takes: then somebody may want to know what it waits for. */
const silentMsMax = 1000
const retryMs = 250

async function connectWhenReady(pool: pg.Pool, options: MigrateOptions): Promise<pg.PoolClient> {
  const { logger = silentLogger, waitMs = 30_000 } = options
  const address = addressOf(pool)
  const startMs = Date.now()
  let hasTold = false
  for (;;) {
    try {
      return await pool.connect()
    } catch (error) {
      const waitedMs = Date.now() - startMs
      const reason = reasonOf(error)
      if (!notReady.has((error as { code?: string }).code ?? '') || waitedMs >= waitMs) {
        throw new EnvironmentError(`PostgreSQL at ${address} (DATABASE_URL) cannot be used: ${reason}`, {
          cause: error,
        })
      }
      if (!hasTold && waitedMs >= silentMsMax) {
        hasTold = true
        logger.warn({ event: 'database.waiting', address, reason }, `waiting for PostgreSQL at ${address}`)
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

/** An address with several numbers fails once for each; the whole has no message of its own. */
const reasonOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map((each) => (each as Error).message).join('; ')
    : (error as Error).message

/** Host and port: never the password. */
function addressOf({ options }: pg.Pool): string {
  const { host, port } = new pg.Client({ connectionString: options.connectionString ?? '' })
  return `${host}:${port}`
}
