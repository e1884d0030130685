import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Contestant } from './contestant.ts'
import type { Job, Mark } from './job.ts'
import { ProcessTree } from './process-tree.ts'

const sampleIntervalMs = 250
/** Beyond its own limit a contestant gets this long to close. */
const closingMs = 60_000

/** When a mark came, and the CPU time until then. */
interface Moment {
  readonly atMs: number
  readonly cpuSeconds: number
}

export interface Run {
  readonly moments: ReadonlyMap<Mark, Moment>
  /** What stood behind `@check`. */
  readonly check: { readonly [name: string]: unknown } | null
  readonly startedMs: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
  /** Why it counts for nothing, or null. */
  readonly failure: string | null
}

/**
 * Starts a contestant's program, and follows it to its end:
 *
 *   1. It begins a session of its own, so that its whole process tree is counted, and ended.
 *   2. Its marks are noted with the CPU time at that moment.
 *   3. One that does not end in time is killed, with all it has started.
 */
export async function runContestant(contestant: Contestant, job: Job, log: (text: string) => void): Promise<Run> {
  mkdirSync(job.stateDir, { recursive: true })
  const { program, arguments: given, folder } = contestant.command(job)
  // 1.
  const child = spawn(program, given, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, BENCH_JOB: JSON.stringify(job) },
    ...(folder === undefined ? {} : { cwd: folder }),
  })
  const startedMs = performance.now()
  const tree = new ProcessTree(child.pid!)
  const moments = new Map<Mark, Moment>()
  let check: Run['check'] = null
  let complaints = ''
  // 2.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, mark, text = ''] = /^@(\w+) ?(.*)$/.exec(line) ?? []
    if (mark === undefined) return log(line)
    if (!moments.has(mark as Mark)) {
      moments.set(mark as Mark, { atMs: performance.now(), cpuSeconds: tree.sample() })
    }
    if (mark === 'check') check = JSON.parse(text) as Run['check']
  })
  createInterface({ input: child.stderr }).on('line', (line) => {
    complaints = `${complaints}\n${line}`.slice(-4000)
    log(line)
  })
  const sampling = setInterval(() => tree.sample(), sampleIntervalMs)
  // 3.
  const ended = await untilEnd(child, job.limitMs + closingMs)
  clearInterval(sampling)
  killSession(child)
  const failure =
    ended !== 0
      ? `it ended with ${ended}:${complaints}`
      : moments.has('all') && moments.has('closed')
        ? null
        : `it did not get to the end:${complaints}`
  return { moments, check, startedMs, cpuSeconds: tree.sample(), peakMegabytes: tree.peakMegabytes, failure }
}

function untilEnd(child: ChildProcess, limitMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve('too late')
      killSession(child)
    }, limitMs)
    child.on('error', (error) => resolve(error.message))
    // `close`, not `exit`: its last lines are to be read.
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve(code ?? signal ?? 'no code')
    })
  })
}

function killSession({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A folder for the states of all runs, and its end. */
export function temporaryFolder(parent: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(parent, 'stream-core-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
