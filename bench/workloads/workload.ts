import type { Broker } from '../../packages/stream-core/src/index.ts'
import type { Job, WorkloadName } from '../harness/job.ts'
import type { Run } from '../harness/run-contestant.ts'

export interface Cluster {
  readonly bootstrapServers: string
  readonly broker: Broker
}

/** A question to the contestants. */
export interface Workload {
  readonly name: WorkloadName
  readonly question: string
  /** How many records, unless told otherwise: enough for a second half in which everything is warm. */
  readonly records: number
  /** Fills the topics, whose names begin with `prefix`, the same for every contestant. */
  prepare(cluster: Cluster, records: number, prefix: string): Promise<Prepared>
}

export interface Prepared {
  readonly input: string
  /** '' where no table is read. */
  readonly table: string
  /** How often the counted step runs. */
  readonly ticks: number
  /** What a contestant needs besides, of its own: a changelog to restore. */
  prepareFor?(applicationId: string): Promise<void>
  /** What is wrong with a contestant's output; null: nothing. */
  check(job: Job, run: Run): Promise<string | null>
}

export const partitions = 4
