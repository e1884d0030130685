import { partitions } from '../workloads/workload.ts'
import type { Guarantee } from './job.ts'
import { LiveRun, pause } from './live-run.ts'
import type { LiveOptions } from './live-options.ts'
import type { Result } from './live-votes.ts'
import type { Present } from './provide.ts'
import { withKafka } from './with-kafka.ts'

const defaultVotesPerSecond = 2000
const startMs = 180_000
const drainMs = 120_000

/** How long results stayed away when one of two instances was killed. */
export interface FailoverRow {
  readonly contestant: string
  readonly version: string
  readonly workload: 'failover'
  readonly guarantee: Guarantee
  readonly settings: string
  readonly round: number
  readonly valid: boolean
  readonly problem: string | null
  readonly standbys: number
  readonly voters: number
  /** The longest silence after the kill, of the partition that had the longest. */
  readonly without_output_s: number | null
  /** How many of the partitions were silent for more than a second. */
  readonly partitions_hit: number
}

/**
 * Two instances share the count of each voter's votes; one is killed with SIGKILL:
 *
 *   1. Each voter votes once, so that there is a state to take over; then votes come at an even pace.
 *   2. The kill, and the longest silence of each partition behind it.
 *   3. In the end each voter's last count must be how often he voted.
 */
export async function failover(options: LiveOptions<FailoverRow> & { readonly voters: number }): Promise<void> {
  const { present, guarantees, rounds, say, onRow } = options
  for (let round = 1; round <= rounds; round++) {
    for (const guarantee of guarantees) {
      for (const standbys of [0, 1]) {
        for (const who of present) {
          if (who.contestant.refuses('failover', guarantee) !== null) continue
          say(`round ${round}: ${who.contestant.name}, ${guarantee}, ${standbys} standby`)
          onRow(await measure(who, { guarantee, standbys, round }, options))
        }
      }
    }
  }
}

interface Case {
  readonly guarantee: Guarantee
  readonly standbys: number
  readonly round: number
}

async function measure(
  { contestant, version }: Present,
  { guarantee, standbys, round }: Case,
  options: LiveOptions<FailoverRow> & { readonly voters: number },
): Promise<FailoverRow> {
  const { voters } = options
  const counts = new Map<string, number>()
  const silences = new Silences()
  const { hit, longestMs, problem } = await withKafka(async (cluster, folder) => {
    const run = await LiveRun.start({
      cluster,
      folder,
      contestant,
      guarantee,
      workload: 'failover',
      applicationId: `failover-${contestant.name}-${guarantee}-${standbys}-${round}`,
      standbys,
      instances: 2,
      voters,
      onResult(result) {
        counts.set(result.key, result.count)
        silences.note(result)
      },
      overhear: options.overhear,
    })
    // 1.
    await run.votes.everybodyVotes()
    const isWarm = await run.votes.drained(startMs)
    run.votes.ratePerSecond = options.votesPerSecond ?? defaultVotesPerSecond
    await pause(options.warmUpSeconds)
    // 2.
    silences.begin()
    run.instances[0]!.kill('SIGKILL')
    await pause(options.seconds)
    silences.end()
    // 3.
    run.votes.ratePerSecond = 0
    const isDrained = await run.votes.drained(drainMs)
    await pause(1)
    const failure = await run.end()
    // At least once: some may count twice.
    const isRight = (count: number, sent: number): boolean =>
      guarantee === 'exactly-once' ? count === sent : count >= sent
    const wrong = [...run.votes.sentByKey].filter(([key, sent]) => !isRight(counts.get(key) ?? 0, sent)).length
    const late = isWarm && isDrained ? null : `not all results came: ${run.votes.received} for ${run.votes.sent} votes`
    return {
      hit: silences.longestMs.filter((ms) => ms > 1000).length,
      longestMs: Math.max(...silences.longestMs),
      problem: failure ?? late ?? (wrong === 0 ? null : `${wrong} of ${voters} counts are wrong`),
    }
  })
  return {
    contestant: contestant.name,
    version,
    workload: 'failover',
    guarantee,
    settings: contestant.settings('failover', guarantee),
    round,
    valid: problem === null,
    problem,
    standbys,
    voters,
    without_output_s: problem === null ? Number((longestMs / 1000).toFixed(1)) : null,
    partitions_hit: hit,
  }
}

/** The longest time between two results, by partition. */
class Silences {
  readonly longestMs: number[] = Array.from({ length: partitions }, () => 0)
  readonly #lastMs: number[] = Array.from({ length: partitions }, () => 0)
  #isOn = false

  begin(): void {
    this.#lastMs.fill(performance.now())
    this.#isOn = true
  }

  note({ partition, atMs }: Result): void {
    if (!this.#isOn) return
    this.#see(partition, atMs)
    this.#lastMs[partition] = atMs
  }

  end(): void {
    for (let partition = 0; partition < partitions; partition++) this.#see(partition, performance.now())
    this.#isOn = false
  }

  #see(partition: number, atMs: number): void {
    this.longestMs[partition] = Math.max(this.longestMs[partition]!, atMs - this.#lastMs[partition]!)
  }
}
