import type { Contestant } from './contestant.ts'
import { ContestantProcess, type Moment } from './contestant-process.ts'
import type { Job, Mark } from './job.ts'

/** Beyond its own limit a contestant gets this long to close. */
const closingMs = 60_000

export interface Run {
  readonly moments: ReadonlyMap<Mark, Moment>
  readonly check: ContestantProcess['check']
  readonly startedMs: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
  /** Why it counts for nothing, or null. */
  readonly failure: string | null
}

/** Runs a contestant's program to its end, which it finds by itself. */
export async function runContestant(contestant: Contestant, job: Job, log: (text: string) => void): Promise<Run> {
  const program = new ContestantProcess(contestant, job, log)
  const end = await program.endWithin(job.limitMs + closingMs)
  const { moments, check, startedMs, tree, complaints } = program
  const isWhole = moments.has('all') && moments.has('closed')
  const failure = end !== 0 ? `it ended with ${end}:${complaints}` : isWhole ? null : `it ended too early:${complaints}`
  return { moments, check, startedMs, cpuSeconds: tree.sample(), peakMegabytes: tree.peakMegabytes, failure }
}
