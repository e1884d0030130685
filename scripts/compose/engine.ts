import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type CommandOptions, runCommand, tryCommand } from './command.ts'

const root = join(import.meta.dirname, '..', '..')
/** Images and layers of an engine of our own outlive it here, and nothing else of it does. */
const engineFolder = join(root, '.tools', 'compose-engine')
const startDeadlineMs = 30_000

/** A container engine, and the two programs that speak to it. */
export interface Engine {
  /** It runs only because and as long as we need it. */
  readonly isOurs: boolean
  readonly env: NodeJS.ProcessEnv
  /** `docker compose`, or `docker-compose` where that is what there is. */
  readonly composeCommand: readonly string[]
  docker(parameters: readonly string[], options?: CommandOptions): Promise<string>
  stop(): Promise<void>
}

/** The engine of this machine; where none runs, and we may, one of our own. Throws with the way out. */
export async function openEngine(log: (text: string) => void): Promise<Engine> {
  if ((await tryCommand(['docker', '--version'])).code !== 0) {
    throw new Error('there is no docker here: install docker.io and docker-compose, or Docker with its compose plugin')
  }
  const hasPlugin = (await tryCommand(['docker', 'compose', 'version'])).code === 0
  if (!hasPlugin && (await tryCommand(['docker-compose', 'version'])).code !== 0) {
    throw new Error('neither `docker compose` nor `docker-compose` is here: install one of them')
  }
  const composeCommand = hasPlugin ? ['docker', 'compose'] : ['docker-compose']
  // The older builder is enough for our Dockerfile, and is what there is without the buildx plugin.
  const hasBuildx = (await tryCommand(['docker', 'buildx', 'version'])).code === 0
  const builder = hasBuildx ? {} : { DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' }
  const given = { ...process.env, ...builder }
  const isRunning = (await tryCommand(['docker', 'info', '--format', '{{.ID}}'], { env: given })).code === 0
  const own = isRunning ? null : await startEngine(log)
  const env = own ? { ...given, DOCKER_HOST: own.host } : given
  return {
    isOurs: own !== null,
    env,
    composeCommand,
    docker: (parameters, options) => runCommand(['docker', ...parameters], { env, ...options }),
    stop: async () => own?.stop(),
  }
}

/** Tables that are not there yet are given as empty ones, so that they are emptied again. */
function rulesBefore(saved: string): string {
  const chains = { filter: ['INPUT', 'FORWARD', 'OUTPUT'], nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] }
  const missing = Object.entries(chains).filter(([table]) => !saved.includes(`*${table}\n`))
  const empty = missing.map(
    ([table, names]) => `*${table}\n${names.map((name) => `:${name} ACCEPT\n`).join('')}COMMIT\n`,
  )
  return saved + empty.join('')
}

/** Its socket and its network rules are its own; the rules are put back as they were when it ends. */
async function startEngine(log: (text: string) => void): Promise<{ host: string; stop(): Promise<void> }> {
  if (process.getuid?.() !== 0) {
    throw new Error('no container engine answers: start it (`systemctl start docker`), or run this as root to get one')
  }
  if ((await tryCommand(['dockerd', '--version'])).code !== 0) {
    throw new Error('no container engine answers, and there is no dockerd to start: install docker.io')
  }
  log('no container engine runs here: starting one')
  const folder = mkdtempSync(join(tmpdir(), 'compose-engine-'))
  const rules = join(folder, 'rules')
  writeFileSync(rules, rulesBefore((await tryCommand(['iptables-save'])).output))
  const hadBridge = (await tryCommand(['ip', 'link', 'show', 'docker0'])).code === 0
  const forwarding = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')
  mkdirSync(engineFolder, { recursive: true })
  const host = `unix://${join(folder, 'docker.sock')}`
  const output = openSync(join(folder, 'dockerd.log'), 'w')
  const child = spawn(
    'dockerd',
    [
      ['--host', host],
      ['--data-root', engineFolder],
      ['--exec-root', join(folder, 'exec')],
      ['--pidfile', join(folder, 'pid')],
    ].flat(),
    { stdio: ['ignore', output, output], detached: true }, // Ctrl-C is for us: we end it when all is cleaned up
  )
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  child.on('error', () => undefined)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
    await tryCommand(['iptables-restore', rules])
    if (!hadBridge) await tryCommand(['ip', 'link', 'delete', 'docker0'])
    writeFileSync('/proc/sys/net/ipv4/ip_forward', forwarding)
    // It leaves the network of its host mounted.
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
    for (const path of mounts.map((line) => line.split(' ')[1] ?? '').filter((each) => each.startsWith(`${folder}/`))) {
      await tryCommand(['umount', path])
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const endMs = Date.now() + startDeadlineMs
  while ((await tryCommand(['docker', '--host', host, 'info'])).code !== 0) {
    if (child.exitCode !== null || Date.now() > endMs) {
      const said = readFileSync(join(folder, 'dockerd.log'), 'utf8').slice(-2000)
      await stop()
      throw new Error(`dockerd does not start:\n${said}`)
    }
    await delay(250)
  }
  return { host, stop }
}
