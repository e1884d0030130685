import type { Guarantee, Job, WorkloadName } from './job.ts'

/** A way to start a program; one that is already running is not a contestant. */
export interface Command {
  readonly program: string
  readonly arguments: readonly string[]
  readonly folder?: string
}

/** An engine that takes part: what it can do, how it is got, and how one run is started. */
export interface Contestant {
  readonly name: string
  /** What its rows say of its settings, for example `cache 0`; '' for its defaults. */
  settings(workload: WorkloadName, guarantee: Guarantee): string
  /** null: it takes part in this; else why not. */
  refuses(workload: WorkloadName, guarantee: Guarantee): string | null
  /** Installs it where it is missing. Returns its versions; throws with the reason where it cannot be had. */
  provide(): Promise<string>
  command(job: Job): Command
  /** It counts nothing, so that only how many records it moved can be checked. */
  readonly movesOnly?: boolean
  /** More records take it longer than a bench should: it gets so many, on topics of their own. */
  readonly recordsMax?: (workload: WorkloadName) => number
}
