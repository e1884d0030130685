import type { Guarantee, Job } from './job.ts'
import type { Run } from './run-contestant.ts'

/** One run, as a line of JSON. Rates are null where the run was too short for them, or did not count. */
export interface Row {
  readonly contestant: string
  readonly version: string
  readonly workload: string
  readonly guarantee: Guarantee
  readonly settings: string
  readonly round: number
  readonly valid: boolean
  /** Why not, if not. */
  readonly problem: string | null
  readonly records: number
  /** From the first counted record to the end of closing, when everything is written. */
  readonly records_per_s: number | null
  /** Of the whole process tree, from its start to its end: what starting and warming up costs is in it. */
  readonly records_per_cpu_s: number | null
  /** The same for the second half of the counted records, in which everything is warm. */
  readonly steady_records_per_s: number | null
  readonly steady_records_per_cpu_s: number | null
  /** From the start of the process to its first counted record; in a restore to the end of the restore. */
  readonly startup_s: number | null
  readonly cpu_s: number
  readonly peak_rss_mb: number
}

/** Shorter than this the clock of the kernel, 10 ms, says nothing. */
const leastSeconds = 0.05

export function rowOf(
  run: Run,
  about: {
    readonly contestant: string
    readonly version: string
    readonly settings: string
    readonly job: Job
    readonly records: number
    readonly round: number
    readonly problem: string | null
  },
): Row {
  const { moments, startedMs, cpuSeconds, peakMegabytes } = run
  const { job, records, problem } = about
  const [first, half, all, closed] = (['first', 'half', 'all', 'closed'] as const).map((mark) => moments.get(mark))
  const seconds = (to: { readonly atMs: number } | undefined, fromMs: number | undefined): number | null =>
    to === undefined || fromMs === undefined ? null : (to.atMs - fromMs) / 1000
  const isRestore = job.workload === 'restore'
  const steadyCpu = half === undefined || all === undefined ? null : all.cpuSeconds - half.cpuSeconds
  return {
    contestant: about.contestant,
    version: about.version,
    workload: job.workload,
    guarantee: job.guarantee,
    settings: about.settings,
    round: about.round,
    valid: problem === null,
    problem,
    records,
    records_per_s: rate(records, isRestore ? seconds(all, startedMs) : seconds(closed, first?.atMs)),
    records_per_cpu_s: rate(records, isRestore ? (all?.cpuSeconds ?? null) : cpuSeconds),
    steady_records_per_s: rate(records / 2, seconds(all, half?.atMs)),
    steady_records_per_cpu_s: rate(records / 2, steadyCpu),
    startup_s: rounded(seconds(isRestore ? all : first, startedMs), 2),
    cpu_s: rounded(cpuSeconds, 2)!,
    peak_rss_mb: Math.round(peakMegabytes),
  }
}

const rate = (records: number, seconds: number | null): number | null =>
  seconds === null || seconds < leastSeconds ? null : Math.round(records / seconds)

const rounded = (number: number | null, digits: number): number | null =>
  number === null ? null : Number(number.toFixed(digits))
