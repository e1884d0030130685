import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ReadyLine {
  readonly ready: true
  readonly ingest: string
  readonly viewer: string
  readonly organiserToken: string
  readonly ops: { readonly ingest: string; readonly tally: string; readonly viewer: string }
}

/** A folder for a whole system; open to PostgreSQL's user, for tests may run as root. */
export function newDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-'))
  chmodSync(folder, 0o755)
  return join(folder, 'data')
}

const main = join(import.meta.dirname, '..', '..', 'apps', 'demo', 'src', 'main.ts')

/** The whole system as a process of its own, as `npm start` runs it; or one that somebody else has started. */
export class DemoProcess {
  readonly ready: ReadyLine
  readonly #child: ChildProcess | null
  readonly #dataDir: string
  readonly #exited: Promise<number | null>

  private constructor(child: ChildProcess | null, ready: ReadyLine, dataDir: string, exited: Promise<number | null>) {
    this.#child = child
    this.ready = ready
    this.#dataDir = dataDir
    this.#exited = exited
  }

  static async start(dataDir: string, options: readonly string[] = ['--no-simulation']): Promise<DemoProcess> {
    // `npm run compose:test` names the system that it has composed.
    const composed = process.env['COMPOSED_SYSTEM']
    if (composed) return new DemoProcess(null, JSON.parse(composed) as ReadyLine, dataDir, Promise.resolve(0))
    const child = spawn(
      process.execPath,
      [main, '--json', '--data-dir', dataDir, '--ingest-port', '0', '--viewer-port', '0', ...options],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DATABASE_URL: '', KAFKA_BROKERS: '' } },
    )
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += String(chunk)))
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
    const line = new Promise<string>((resolve) => {
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += String(chunk)
        if (output.includes('\n')) resolve(output)
      })
    })
    const first = await Promise.race([line, exited.then(() => null)])
    if (first === null) throw new Error(`the system did not start:\n${errors}`)
    return new DemoProcess(child, JSON.parse(first) as ReadyLine, dataDir, exited)
  }

  /** Ctrl-C. */
  async stop(): Promise<number | null> {
    this.#child?.kill('SIGINT')
    return this.#exited
  }

  /** kill −9, of PostgreSQL too if wanted; else that stays behind, an orphan. */
  async kill9(options: { readonly withPostgres: boolean }): Promise<void> {
    const postgres = this.postgresPid()
    this.#child?.kill('SIGKILL')
    if (options.withPostgres && postgres !== null) process.kill(postgres, 'SIGKILL')
    await this.#exited
  }

  postgresPid(): number | null {
    const path = join(this.#dataDir, 'postgres', 'postmaster.pid')
    return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n', 1)[0]) : null
  }
}

export function removeDataDir(dataDir: string): void {
  rmSync(join(dataDir, '..'), { recursive: true, force: true })
}
