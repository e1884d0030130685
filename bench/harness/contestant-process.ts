import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Contestant } from './contestant.ts'
import type { Job, Mark } from './job.ts'
import { ProcessTree } from './process-tree.ts'

const sampleIntervalMs = 250

/** When a mark came, and the CPU time until then. */
export interface Moment {
  readonly atMs: number
  readonly cpuSeconds: number
}

/**
 * A contestant's program while it runs. It begins a session of its own, so that its whole process tree is counted, and
 * ended; its marks are noted with the CPU time at that moment.
 */
export class ContestantProcess {
  readonly startedMs = performance.now()
  readonly moments = new Map<Mark, Moment>()
  readonly tree: ProcessTree
  /** What stood behind `@check`. */
  check: { readonly [name: string]: unknown } | null = null
  /** The last it said on standard error. */
  complaints = ''
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly #child: ChildProcess

  constructor(contestant: Contestant, job: Job, log: (text: string) => void) {
    mkdirSync(job.stateDir, { recursive: true })
    const { program, arguments: given, folder } = contestant.command(job)
    const child = spawn(program, given, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, BENCH_JOB: JSON.stringify(job) },
      ...(folder === undefined ? {} : { cwd: folder }),
    })
    this.#child = child
    this.tree = new ProcessTree(child.pid ?? -1)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, mark, text = ''] = /^@(\w+) ?(.*)$/.exec(line) ?? []
      if (mark === undefined) log(line)
      else this.#note(mark as Mark, text)
    })
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.complaints = `${this.complaints}\n${line}`.slice(-4000)
      log(line)
    })
    const sampling = setInterval(() => this.tree.sample(), sampleIntervalMs)
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message))
      // `close`, not `exit`: its last lines are to be read.
      child.on('close', (code, signal) => {
        clearInterval(sampling)
        resolve(code ?? signal ?? 'no code')
      })
    })
  }

  /** Sends a signal to all it has started, too. */
  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** How it ended; killed if it takes longer. */
  async endWithin(limitMs: number): Promise<number | string> {
    const timer = setTimeout(() => this.kill('SIGKILL'), limitMs)
    const end = await this.ended
    clearTimeout(timer)
    this.kill('SIGKILL')
    return end
  }

  #note(mark: Mark, text: string): void {
    if (!this.moments.has(mark)) {
      this.moments.set(mark, { atMs: performance.now(), cpuSeconds: this.tree.sample() })
    }
    if (mark === 'check') this.check = JSON.parse(text) as typeof this.check
  }
}
