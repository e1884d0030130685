import { join } from 'node:path'
import { type Cluster, partitions } from '../workloads/workload.ts'
import type { Contestant } from './contestant.ts'
import { ContestantProcess } from './contestant-process.ts'
import type { Guarantee, Job } from './job.ts'
import { LiveVotes, type Result } from './live-votes.ts'

const closingMs = 60_000
/** More than any run takes. */
const limitMs = 3_600_000

export interface LiveRunOptions {
  readonly cluster: Cluster
  readonly folder: string
  readonly contestant: Contestant
  readonly guarantee: Guarantee
  readonly workload: 'latency' | 'failover'
  readonly applicationId: string
  readonly standbys: number
  readonly instances: number
  readonly voters: number
  readonly onResult: (result: Result) => void
  readonly overhear: (text: string) => void
}

/** Instances of a contestant that go on until they are told to end, votes for them, and the results. */
export class LiveRun {
  readonly votes: LiveVotes
  readonly instances: readonly ContestantProcess[]

  private constructor(votes: LiveVotes, instances: readonly ContestantProcess[]) {
    this.votes = votes
    this.instances = instances
  }

  static async start(options: LiveRunOptions): Promise<LiveRun> {
    const { cluster, folder, contestant, applicationId, voters, onResult, overhear } = options
    const [input, output] = [`${applicationId}-input`, `${applicationId}-output`]
    await cluster.broker.admin.createTopics([input, output].map((topic) => ({ topic, partitions })))
    const job: Omit<Job, 'stateDir'> = {
      workload: options.workload,
      guarantee: options.guarantee,
      bootstrapServers: cluster.bootstrapServers,
      applicationId,
      input,
      table: '',
      output,
      repartition: '',
      ticks: 0,
      limitMs,
      standbys: options.standbys,
    }
    const instances = Array.from(
      { length: options.instances },
      (_, i) =>
        new ContestantProcess(contestant, { ...job, stateDir: join(folder, `${applicationId}-${i}`) }, overhear),
    )
    return new LiveRun(await LiveVotes.open(cluster, { input, output, voters, onResult }), instances)
  }

  /** null, or why it counts for nothing. */
  async end(): Promise<string | null> {
    try {
      await this.votes.close()
    } finally {
      for (const instance of this.instances) instance.kill('SIGTERM')
    }
    const ends = await Promise.all(this.instances.map((instance) => instance.endWithin(closingMs)))
    const bad = ends.findIndex((end) => end !== 0 && end !== 'SIGKILL')
    return bad < 0 ? null : `it ended with ${ends[bad]}:${this.instances[bad]!.complaints}`
  }
}

export const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
