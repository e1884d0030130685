/**
 * Runs one of the project's programs on a machine that has only Node ≥ 18 and npm (D1):
 *
 *   node scripts/bootstrap.mjs <program.ts> [arguments…]
 *
 *   1. Take the lock, so that two first uses do not install over each other.
 *   2. Where this Node is too old, get the pinned one from the npm registry; get the pinned pnpm the same way.
 *   3. Install the workspace from the frozen lockfile, if it changed since the last time.
 *   4. Run the program, pass signals on, end with its exit code.
 *
 * Plain JavaScript for Node 18, no dependencies. Everything it says goes to standard error: standard output belongs to
 * the program.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeVersion = '24.21.0'
const pnpmVersion = '12.21.0'
/** The oldest Node that the dependencies run on; an older one is replaced by the pinned version. */
const nodeOldest = [24, 6]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tools = join(root, '.tools')

const say = (text) => process.stderr.write(`${text}\n`)

class SetupError extends Error {}

async function main() {
  const [program, ...programArguments] = process.argv.slice(2)
  if (!program) throw new SetupError('usage: node scripts/bootstrap.mjs <program.ts> [arguments…]')
  mkdirTools()
  let node
  if (isInstalled()) {
    node = nodePath()
  } else {
    const release = await takeLock()
    try {
      node = provideNode()
      installWorkspace(node)
    } finally {
      release()
    }
  }
  run(node, program, programArguments)
}

function mkdirTools() {
  try {
    mkdirSync(tools, { recursive: true })
  } catch (error) {
    throw new SetupError(`cannot write to ${root}: ${error.message}. Use a copy of the project in a folder of your own`)
  }
}

const isNodeNewEnough = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > nodeOldest[0] || (major === nodeOldest[0] && minor >= nodeOldest[1])
}

const nodePackage = () => `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

const pinnedNodePath = () =>
  join(tools, 'node_modules', nodePackage(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

const nodePath = () => (isNodeNewEnough() ? process.execPath : pinnedNodePath())

function provideNode() {
  const wanted = []
  if (!isNodeNewEnough() && !existsSync(pinnedNodePath())) wanted.push(`${nodePackage()}@${nodeVersion}`)
  if (!existsSync(join(tools, 'node_modules', 'pnpm', 'package.json'))) wanted.push(`pnpm@${pnpmVersion}`)
  if (wanted.length > 0) {
    say(`First run: getting ${wanted.join(' and ')} from the npm registry (about 100 MB, once)`)
    // Both are named, or npm would remove the one that is not.
    const all = [`pnpm@${pnpmVersion}`]
    if (!isNodeNewEnough()) all.push(`${nodePackage()}@${nodeVersion}`)
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const done = spawnSync(
      npm,
      [
        'install',
        '--prefix',
        tools,
        '--no-save',
        '--no-package-lock',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        ...all,
      ],
      { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
    )
    if (done.error) throw new SetupError(`npm could not be run: ${done.error.message}`)
    if (done.status !== 0) {
      throw new SetupError(
        `npm could not get ${wanted.join(' and ')}. Is the npm registry reachable? This platform is ${process.platform}-${process.arch}`,
      )
    }
  }
  if (!existsSync(nodePath())) {
    throw new SetupError(
      `there is no Node ${nodeVersion} for ${process.platform}-${process.arch} in the npm registry; install Node ≥ 24.6 by hand`,
    )
  }
  return nodePath()
}

const stampPath = join(root, 'node_modules', '.installed')

/** Changes when anything changes that an install depends on. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']
  for (const folder of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, folder)).sort()) files.push(join(folder, name, 'package.json'))
  }
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function isInstalled() {
  return existsSync(nodePath()) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === fingerprint()
}

function installWorkspace(node) {
  if (isInstalled()) return
  say('Installing the packages of the workspace from the lockfile')
  const pnpm = join(tools, 'node_modules', 'pnpm')
  const { bin } = JSON.parse(readFileSync(join(pnpm, 'package.json'), 'utf8'))
  const entry = join(pnpm, typeof bin === 'string' ? bin : bin.pnpm)
  // pnpm 12 is a native program; where the package brings a script instead, Node runs it.
  const isScript = /\.[cm]?js$/.test(entry)
  const done = spawnSync(
    isScript ? node : entry,
    [...(isScript ? [entry] : []), 'install', '--frozen-lockfile', '--reporter=append-only'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: {
        ...process.env,
        PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
        CI: 'true',
      },
    },
  )
  if (done.error || done.status !== 0) {
    throw new SetupError(
      `the packages could not be installed (${done.error?.message ?? `exit code ${done.status}`}); what went wrong stands above`,
    )
  }
  writeFileSync(stampPath, fingerprint())
}

/** A folder is the lock, for making one either succeeds or fails; a lock whose process is gone is taken over. */
async function takeLock() {
  const lock = join(tools, 'install.lock')
  for (let waitedMs = 0; ; waitedMs += 250) {
    try {
      mkdirSync(lock)
      writeFileSync(join(lock, 'pid'), String(process.pid))
      return () => rmSync(lock, { recursive: true, force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw new SetupError(`cannot write to ${tools}: ${error.message}`)
    }
    if (isStale(lock)) rmSync(lock, { recursive: true, force: true })
    else if (waitedMs === 1000) say('Another process is installing; waiting for it')
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function isStale(lock) {
  try {
    const holder = Number(readFileSync(join(lock, 'pid'), 'utf8'))
    process.kill(holder, 0)
    return false
  } catch (error) {
    if (error.code === 'ENOENT') return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 10_000
    return error.code === 'ESRCH'
  }
}

function run(node, program, programArguments) {
  const child = spawn(node, [join(root, program), ...programArguments], {
    stdio: 'inherit',
    env: {
      ...process.env,
      BOOTSTRAP_PARENT_PID: String(process.pid),
      PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm does not pass signals on; when it is gone the program should not stay behind.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    // Said once: a second signal would be taken for somebody who does not want to wait.
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 1000)
  watch.unref()
  child.on('error', (error) => {
    say(`cannot run ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 1))
  })
}

main().catch((error) => {
  say(error instanceof SetupError ? `error: ${error.message}` : error.stack)
  process.exit(1)
})
