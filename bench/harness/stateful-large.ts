import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { newKeys } from '../workloads/votes.ts'
import { partitions } from '../workloads/workload.ts'
import type { Guarantee, Job } from './job.ts'
import type { Present } from './provide.ts'
import { rowOf } from './row.ts'
import { runContestant } from './run-contestant.ts'
import { withKafka } from './with-kafka.ts'

/** A count of very many keys: how fast it grows, what it takes, and how long a start on it lasts. */
export interface LargeRow {
  readonly contestant: string
  readonly version: string
  readonly workload: 'stateful-large'
  readonly guarantee: Guarantee
  readonly settings: string
  readonly round: number
  readonly valid: boolean
  readonly problem: string | null
  readonly keys: number
  readonly records_per_s: number | null
  readonly records_per_cpu_s: number | null
  readonly steady_records_per_cpu_s: number | null
  readonly disk_mb: number
  readonly peak_rss_mb: number
  /** From the start of a new process on the state of one that was closed, until it runs. */
  readonly restart_s: number | null
  readonly restart_rss_mb: number
}

export interface LargeOptions {
  readonly present: readonly Present[]
  readonly guarantees: readonly Guarantee[]
  readonly rounds: number
  readonly keys: number
  readonly limitMs: number
  readonly onRow: (row: LargeRow) => void
  readonly say: (text: string) => void
  readonly overhear: (text: string) => void
}

export async function statefulLarge(options: LargeOptions): Promise<void> {
  const { present, guarantees, rounds, keys, limitMs, say, overhear, onRow } = options
  await withKafka(async (cluster, folder) => {
    say(`stateful-large: filling the topic with ${keys.toLocaleString('en-US')} records, each with a key of its own`)
    const prepared = await newKeys.prepare(cluster, keys, 'stateful-large')
    for (let round = 1; round <= rounds; round++) {
      for (const guarantee of guarantees) {
        for (const { contestant, version } of present) {
          if (contestant.refuses('restart', guarantee) !== null) continue
          const applicationId = `stateful-large-${contestant.name}-${guarantee}-${round}`
          const stateDir = join(folder, applicationId)
          const output = `${applicationId}-output`
          await cluster.broker.admin.createTopics([{ topic: output, partitions }])
          const { bootstrapServers } = cluster
          const topics = { input: prepared.input, table: '', output, repartition: '' }
          const growing: Job = {
            ...topics,
            workload: 'new-keys',
            guarantee,
            bootstrapServers,
            applicationId,
            ticks: prepared.ticks,
            stateDir,
            limitMs,
            standbys: 0,
          }
          say(`round ${round}: ${contestant.name}, ${guarantee}`)
          const grown = await runContestant(contestant, growing, overhear)
          const disk = bytesIn(stateDir)
          const restarted = await runContestant(contestant, { ...growing, workload: 'restart' }, overhear)
          const problem = grown.failure ?? restarted.failure ?? (await prepared.check(growing, grown))
          const settings = contestant.settings('new-keys', guarantee)
          const about = { contestant: contestant.name, version, settings, job: growing, records: keys, round, problem }
          const { records_per_s, records_per_cpu_s, steady_records_per_cpu_s, peak_rss_mb } = rowOf(grown, about)
          const runs = restarted.moments.get('all')
          onRow({
            contestant: contestant.name,
            version,
            workload: 'stateful-large',
            guarantee,
            settings,
            round,
            valid: problem === null,
            problem,
            keys,
            records_per_s,
            records_per_cpu_s,
            steady_records_per_cpu_s,
            disk_mb: Math.round(disk / 2 ** 20),
            peak_rss_mb,
            restart_s: runs === undefined ? null : Number(((runs.atMs - restarted.startedMs) / 1000).toFixed(2)),
            restart_rss_mb: Math.round(restarted.peakMegabytes),
          })
        }
      }
    }
  })
}

function bytesIn(folder: string): number {
  let sum = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(folder, name))
    if (stat.isFile()) sum += stat.size
  }
  return sum
}
