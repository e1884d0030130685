import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { ConfigError, type Logger } from 'stream-core'
import pg from 'pg'
import { requireReachable, runnableBinaries, type ServerUser, serverUser } from './postgres-binaries.ts'

export interface EmbeddedPostgresOptions {
  /** Folder of the cluster; made if it is missing. */
  readonly dataDir: string
  readonly logger: Logger
}

export interface EmbeddedPostgres {
  readonly url: string
  readonly stop: () => Promise<void>
  /** Resolves when the server has ended by itself and does not start again, with the reason. */
  readonly failed: Promise<Error>
}

interface Server {
  readonly url: string
  readonly pid: number
}

interface Cluster {
  readonly binaries: string
  readonly dataDir: string
  readonly password: string
  readonly user: ServerUser | null
}

const startDeadlineMs = 30_000
/** How often it is looked whether the server is still there. */
const watchMs = 250
/** It may also die while it starts. */
const restartsMax = 3
/** How long a lock file of a killed server may be in the way. */
const staleDeadlineMs = 12_000
/** What the log of a server says that may start a moment later: a lock of a killed one, a port that somebody else took. */
const passing = /lock file|already exists|shared memory block|could not bind|could not create any TCP\/IP sockets/

/**
 * A real PostgreSQL from the npm registry's binaries (D3), run as our child but in a session of its own, so that Ctrl-C
 * reaches us and not the server, and we end it when everything else has ended.
 *
 *   1. Find binaries that the server's user can run; as root that is the user `postgres`, whom PostgreSQL demands.
 *   2. Adopt a server that a killed process left running on this folder.
 *   3. Make the cluster where there is none.
 *   4. Start, and wait until it answers; a lock file of a killed server goes away within seconds.
 *   5. Watch it: a server that ends by itself is started again, at the same address.
 */
export async function startEmbeddedPostgres({ dataDir, logger }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser()
  const binaries = runnableBinaries(user)
  mkdirSync(dirname(dataDir), { recursive: true })
  if (user) requireReachable(dirname(dataDir), user)
  const passwordPath = join(dataDir, '..', 'postgres-password')
  const adopted = await adopt(dataDir, passwordPath)
  if (adopted) logger.info({ event: 'postgres.adopted' }, 'using the PostgreSQL that was left running on this folder')
  else if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise(binaries, dataDir, passwordPath, user)
  const cluster = { binaries, dataDir, password: readFileSync(passwordPath, 'utf8').trim(), user }
  return watched(cluster, adopted ?? (await startPatiently(cluster, null)), logger)
}

/** 4. */
async function startPatiently(cluster: Cluster, port: number | null): Promise<Server> {
  const endMs = Date.now() + staleDeadlineMs
  for (;;) {
    const started = await start(cluster, port ?? (await freePort()))
    if ('url' in started) return started
    if (!passing.test(started.log) || Date.now() > endMs) {
      throw new Error(`PostgreSQL does not start on ${cluster.dataDir}:\n${started.log}`)
    }
    removeStaleLock(cluster.dataDir)
    await delay(300)
  }
}

/** 5. */
function watched(cluster: Cluster, first: Server, logger: Logger): EmbeddedPostgres {
  const { url } = first
  const failed = Promise.withResolvers<Error>()
  let { pid } = first
  let restarting: Promise<void> | null = null
  const watch = setInterval(() => {
    if (restarting === null && !isServer(pid)) restarting = restart()
  }, watchMs)
  watch.unref()

  async function restart(): Promise<void> {
    for (let tries = 1; ; tries++) {
      logger.warn({ event: 'postgres.ended', tries }, 'PostgreSQL has ended by itself; starting it again')
      try {
        pid = (await startPatiently(cluster, Number(new URL(url).port))).pid
        restarting = null
        return
      } catch (error) {
        if (tries === restartsMax) {
          clearInterval(watch)
          failed.resolve(error as Error)
          return
        }
      }
    }
  }

  return {
    url,
    failed: failed.promise,
    async stop() {
      clearInterval(watch)
      await restarting
      await stopServer(pid)
    },
  }
}

/** Makes the cluster beside its place and moves it there when it is whole: a killed `initdb` leaves nothing half made. */
function initialise(binaries: string, dataDir: string, passwordPath: string, user: ServerUser | null): void {
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new ConfigError('dataDir', `${dataDir} holds no PostgreSQL and is not empty: choose another, or move it away`)
  }
  if (!existsSync(passwordPath) || readFileSync(passwordPath, 'utf8').trim() === '') {
    writeFileSync(passwordPath, randomBytes(24).toString('base64url'), { mode: 0o600 })
  }
  const making = `${dataDir}.new`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(making, { mode: 0o700 })
  if (user) {
    chownSync(making, user.uid, user.gid)
    chownSync(passwordPath, user.uid, user.gid)
  }
  const done = spawnSync(
    join(binaries, 'bin', 'initdb'),
    [
      '-D',
      making,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordPath}`,
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { encoding: 'utf8', cwd: making, ...asUser(user) },
  )
  if (done.status !== 0) {
    rmSync(making, { recursive: true, force: true })
    throw new Error(`PostgreSQL's initdb failed: ${done.error?.message ?? done.stderr}`)
  }
  if (existsSync(dataDir)) rmdirSync(dataDir)
  renameSync(making, dataDir)
}

const asUser = (user: ServerUser | null): { uid?: number; gid?: number } =>
  user ? { uid: user.uid, gid: user.gid } : {}

async function start(cluster: Cluster, port: number): Promise<Server | { readonly log: string }> {
  const { binaries, dataDir, password, user } = cluster
  const logPath = join(dataDir, 'server.log')
  const log = openSync(logPath, 'w', 0o600)
  if (user) chownSync(logPath, user.uid, user.gid)
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=100',
    'shared_buffers=64MB',
  ]
  const child = spawn(
    join(binaries, 'bin', 'postgres'),
    ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    {
      detached: true,
      cwd: dataDir,
      stdio: ['ignore', log, log],
      ...asUser(user),
    },
  )
  let hasEnded = false
  child.on('exit', () => (hasEnded = true))
  child.on('error', () => (hasEnded = true))
  child.unref()
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
  const endMs = Date.now() + startDeadlineMs
  while (!hasEnded && Date.now() < endMs) {
    if (await answers(url)) return { url, pid: child.pid! }
    await delay(50)
  }
  return { log: readFileSync(logPath, 'utf8').trim() || 'it ended without a word' }
}

/** A server that is alive on this folder, with its port from `postmaster.pid`. */
async function adopt(dataDir: string, passwordPath: string): Promise<Server | null> {
  const [pid, , , port] = lockLines(dataDir)
  if (pid === undefined || port === undefined || !existsSync(passwordPath) || !isServer(Number(pid))) return null
  const url = `postgresql://postgres:${readFileSync(passwordPath, 'utf8').trim()}@127.0.0.1:${Number(port)}/postgres`
  for (let tries = 0; tries < 40 && isServer(Number(pid)); tries++) {
    if (await answers(url)) return { url, pid: Number(pid) }
    await delay(100)
  }
  return null
}

const lockLines = (dataDir: string): string[] => {
  const path = join(dataDir, 'postmaster.pid')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
}

/** A process that is there and no zombie. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
  const statPath = `/proc/${pid}/stat`
  if (!existsSync(statPath)) return process.platform !== 'linux'
  return !/\) Z /.test(readFileSync(statPath, 'utf8'))
}

/** A living PostgreSQL; not whatever else has got the number since, as after a restart of the machine or the container. */
function isServer(pid: number): boolean {
  if (!isAlive(pid)) return false
  const path = `/proc/${pid}/cmdline`
  return !existsSync(path) || /postgres/.test(readFileSync(path, 'utf8').split('\0', 1)[0]!)
}

function removeStaleLock(dataDir: string): void {
  const [pid] = lockLines(dataDir)
  if (pid !== undefined && !isServer(Number(pid))) rmSync(join(dataDir, 'postmaster.pid'), { force: true })
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined) // one that never connected has nothing to end
  }
}

/** SIGINT is PostgreSQL's fast shutdown: open transactions are aborted, everything is written. */
async function stopServer(pid: number): Promise<void> {
  if (!isServer(pid)) return
  process.kill(pid, 'SIGINT')
  const endMs = Date.now() + 15_000
  while (isServer(pid) && Date.now() < endMs) await delay(20)
  if (!isServer(pid)) return
  process.kill(pid, 'SIGQUIT')
  while (isServer(pid) && Date.now() < endMs + 5000) await delay(20)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
