import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../apps/demo/src/postgres.ts'
import { silentLogger } from '../../packages/stream-core/src/index.ts'
import { startLocalKafka } from '../../scripts/local-kafka.ts'

export type Log = 'embedded' | 'kafka'

export interface SystemOptions {
  readonly log: Log
  readonly tallies: number
  /** The embedded log has one, for all of it is one process. */
  readonly viewers: number
  /** Least time between two updates of a page. Default: the viewer's own. */
  readonly tickMs?: number
}

/** A process of the system that is measured. */
export interface Part {
  readonly name: string
  readonly pid: number
  /** Where its metrics are; null: it is none of our programs, and is looked at from outside. */
  readonly ops: string | null
}

/** The voting system, its parts as processes of their own, on free ports of the loopback address and with nothing in it. */
export interface VotingSystem {
  readonly options: SystemOptions
  readonly ingestUrl: string
  readonly viewerUrls: readonly string[]
  readonly organiserToken: string
  readonly parts: readonly Part[]
  /** Ends a part with SIGKILL. */
  kill(part: Part): Promise<void>
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '..', '..')
const organiserToken = 'the-organiser-of-the-bench'

export async function startSystem(options: SystemOptions): Promise<VotingSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-voting-'))
  chmodSync(folder, 0o755) // PostgreSQL may have to run as another user
  const processes = new Map<number, Running>()
  const cleanups: (() => Promise<unknown>)[] = [
    async () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  ]
  const stop = async (): Promise<void> => {
    for (const { child } of processes.values()) child.kill('SIGTERM')
    await Promise.all([...processes.values()].map(({ exited }) => exited))
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  }
  const start = async (program: string, environment: Record<string, string>) => {
    const running = run(program, environment)
    processes.set(running.child.pid!, running)
    void running.exited.then(() => processes.delete(running.child.pid!))
    return { pid: running.child.pid!, line: await running.line }
  }
  try {
    const found = await (options.log === 'embedded' ? onEmbedded : onKafka)(options, folder, start, cleanups)
    return {
      ...found,
      options,
      organiserToken,
      stop,
      async kill({ pid }) {
        const running = processes.get(pid)
        running?.child.kill('SIGKILL')
        await running?.exited
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Found = Pick<VotingSystem, 'ingestUrl' | 'viewerUrls' | 'parts'>
type Start = (program: string, environment: Record<string, string>) => Promise<{ pid: number; line: ReadyLine }>

interface ReadyLine {
  readonly url: string
  readonly ops: string
}

async function onEmbedded({ tallies, tickMs }: SystemOptions, folder: string, start: Start): Promise<Found> {
  const { pid, line } = await start('bench/voting/embedded-main.ts', {
    DATA_DIR: folder,
    TALLIES: String(tallies),
    ORGANISER_TOKEN: organiserToken,
    ...(tickMs && { TICK_MS: String(tickMs) }),
  })
  const { ingest, viewer, ops } = line as unknown as { ingest: string; viewer: string; ops: { viewer: string } }
  return {
    ingestUrl: ingest,
    viewerUrls: [viewer],
    parts: [{ name: 'everything', pid, ops: ops.viewer }, postgresOf(folder)],
  }
}

async function onKafka(
  { tallies, viewers, tickMs }: SystemOptions,
  folder: string,
  start: Start,
  cleanups: (() => Promise<unknown>)[],
): Promise<Found> {
  const kafka = await startLocalKafka({ jvmFlags: ['-Xms1g', '-Xmx1g'] })
  cleanups.push(() => kafka.stop())
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), logger: silentLogger })
  cleanups.push(() => postgres.stop())
  const environment = {
    KAFKA_BROKERS: kafka.bootstrapServers,
    DATABASE_URL: postgres.url,
    ORGANISER_TOKEN: organiserToken,
    PORT: '0',
    OPS_PORT: '0',
    LOG_LEVEL: 'warn',
    ...(tickMs && { TICK_MS: String(tickMs) }),
  }
  const app = async (name: string, number: number) => {
    const stateDir = join(folder, `state-${number}`)
    const { pid, line } = await start(`apps/${name}/src/main.ts`, { ...environment, STATE_DIR: stateDir })
    return { ...line, part: { name: number === 0 ? name : `${name}-${number + 1}`, pid, ops: line.ops } }
  }
  const ingest = await app('ingest', 0)
  const counting = await Promise.all(Array.from({ length: tallies }, (_, i) => app('tally', i)))
  const showing = await Promise.all(Array.from({ length: viewers }, (_, i) => app('viewer', i)))
  return {
    ingestUrl: ingest.url,
    viewerUrls: showing.map(({ url }) => url),
    parts: [
      ...[ingest, ...counting, ...showing].map(({ part }) => part),
      postgresOf(folder),
      { name: 'kafka', pid: kafka.nodes[0]!.pid, ops: null },
    ],
  }
}

/** Its server begins a session of its own; all that works for it descends from it. */
function postgresOf(folder: string): Part {
  const [pid] = readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')
  return { name: 'postgres', pid: Number(pid), ops: null }
}

interface Running {
  readonly child: ChildProcess
  readonly exited: Promise<void>
  /** Its first line; rejected with what it said if it ends before. */
  readonly line: Promise<ReadyLine>
}

function run(program: string, environment: Record<string, string>): Running {
  const profile = process.env['BENCH_CPU_PROF']
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const child = spawn(process.execPath, [...flags, join(root, program), '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...environment },
  })
  let said = ''
  child.stderr.on('data', (chunk) => (said = `${said}${String(chunk)}`.slice(-5000)))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const line = new Promise<ReadyLine>((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += String(chunk)
      if (output.includes('\n')) resolve(JSON.parse(output.split('\n', 1)[0]!) as ReadyLine)
    })
    void exited.then(() => reject(new Error(`${program} did not start:\n${said}`)))
  })
  line.catch(() => undefined) // whoever waits for the line is told
  return { child, exited, line }
}
