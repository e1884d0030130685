import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaBroker } from '../../packages/stream-core/src/kafka.ts'
import { startLocalKafka } from '../../scripts/local-kafka.ts'
import { type Cluster, partitions, type Prepared, type Workload } from '../workloads/workload.ts'
import type { Contestant } from './contestant.ts'
import type { Guarantee, Job } from './job.ts'
import { type Row, rowOf } from './row.ts'
import { runContestant, temporaryFolder } from './run-contestant.ts'

export interface BenchOptions {
  readonly workloads: readonly Workload[]
  readonly contestants: readonly Contestant[]
  readonly guarantees: readonly Guarantee[]
  /** Default: what each workload says. */
  readonly records: number | null
  readonly rounds: number
  readonly limitMs: number
  readonly onRow: (row: Row) => void
  /** What goes on. */
  readonly say: (text: string) => void
  /** What the contestants print. */
  readonly overhear: (text: string) => void
}

interface Present {
  readonly contestant: Contestant
  readonly version: string
}

/**
 * Questions to several engines, on one broker:
 *
 *   1. What a contestant lacks is installed; one that cannot be had is named as skipped, with the reason.
 *   2. The topics are filled, the same for all.
 *   3. Contestants take turns, round after round, so that a busy minute of the machine hits all of them.
 *   4. What each wrote is compared with what should be there before its figure counts.
 */
export async function bench(options: BenchOptions): Promise<void> {
  const { workloads, rounds, guarantees, onRow, say } = options
  // 1.
  const present = await provided(options)
  const folder = temporaryFolder(tmpdir())
  const kafka = await startLocalKafka({ jvmFlags: ['-Xms1g', '-Xmx1g'] })
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  try {
    for (const workload of workloads) {
      // 2. Slow contestants get fewer records, on topics of their own.
      const cluster = { bootstrapServers: kafka.bootstrapServers, broker }
      const inputs = new Map<number, Prepared>()
      // 3.
      for (let round = 1; round <= rounds; round++) {
        for (const guarantee of guarantees) {
          for (const { contestant, version } of present) {
            const refusal = contestant.refuses(workload.name, guarantee)
            if (refusal !== null) {
              if (round === 1) say(`skipped ${contestant.name}, ${guarantee}: ${refusal}`)
              continue
            }
            const wanted = options.records ?? workload.records
            const records = Math.min(wanted, contestant.recordsMax?.(workload.name) ?? wanted)
            const prepared = inputs.get(records) ?? (await prepare(workload, cluster, records, say))
            inputs.set(records, prepared)
            const turn = { workload, guarantee, round, records, prepared, cluster, folderPath: folder.path }
            onRow(await run({ ...turn, contestant, version }, options))
          }
        }
      }
    }
  } finally {
    await broker.close()
    await kafka.stop()
    folder.remove()
  }
}

function prepare(workload: Workload, cluster: Cluster, records: number, say: BenchOptions['say']): Promise<Prepared> {
  say(`${workload.name}: filling the topics with ${records.toLocaleString('en-US')} records`)
  return workload.prepare(cluster, records, `${workload.name}-${records}`)
}

interface Turn extends Present {
  readonly workload: Workload
  readonly guarantee: Guarantee
  readonly round: number
  readonly records: number
  readonly prepared: Prepared
  readonly cluster: Cluster
  readonly folderPath: string
}

async function run(turn: Turn, { say, limitMs, overhear }: BenchOptions): Promise<Row> {
  const { workload, guarantee, round, records, prepared, cluster, contestant, version } = turn
  const applicationId = [workload.name, contestant.name, guarantee, round].join('-')
  const job: Job = {
    workload: workload.name,
    guarantee,
    bootstrapServers: cluster.bootstrapServers,
    applicationId,
    input: prepared.input,
    table: prepared.table,
    output: `${applicationId}-output`,
    repartition: `${applicationId}-by-hand`,
    ticks: prepared.ticks,
    stateDir: join(turn.folderPath, applicationId),
    limitMs,
  }
  await cluster.broker.admin.createTopics([
    { topic: job.output, partitions },
    { topic: job.repartition, partitions, configs: { 'retention.ms': '-1' } },
  ])
  await prepared.prepareFor?.(applicationId)
  say(`round ${round}: ${contestant.name}, ${guarantee}`)
  const done = await runContestant(contestant, job, overhear)
  // 4.
  const problem = done.failure ?? (contestant.movesOnly ? null : await prepared.check(job, done))
  if (problem !== null) say(`  WRONG: ${problem}`)
  const settings = contestant.settings(workload.name, guarantee)
  return rowOf(done, { contestant: contestant.name, version, settings, job, records, round, problem })
}

async function provided({ contestants, say }: BenchOptions): Promise<readonly Present[]> {
  const present: Present[] = []
  for (const contestant of contestants) {
    try {
      present.push({ contestant, version: await contestant.provide() })
    } catch (error) {
      say(`skipped ${contestant.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return present
}
