import type { Guarantee } from './job.ts'
import { LiveRun, pause } from './live-run.ts'
import type { LiveVotes } from './live-votes.ts'
import type { Present } from './provide.ts'
import { withKafka } from './with-kafka.ts'
import type { LiveOptions } from './live-options.ts'

const voters = 100_000
const shares = [0.1, 0.5, 0.8]
/** Votes a second that are tried, one after the other, until results stay behind. */
const ladder = [1000, 2000, 4000, 6000, 8000, 12_000, 16_000, 24_000, 32_000, 48_000, 64_000]
const settleSeconds = 3
const rungSeconds = 6
const drainMs = 60_000
const beginningMs = 90_000

/** How long after a vote was sent its result was read, at one rate. */
export interface LatencyRow {
  readonly contestant: string
  readonly version: string
  readonly workload: 'latency'
  readonly guarantee: Guarantee
  readonly settings: string
  readonly round: number
  readonly valid: boolean
  readonly problem: string | null
  /** Of what the slowest contestant sustains. */
  readonly share: number
  readonly votes_per_s: number
  readonly results: number
  readonly p50_ms: number | null
  readonly p99_ms: number | null
  readonly max_ms: number | null
}

/**
 * From a vote to its result, through a repartition topic, while votes come at an even pace:
 *
 *   1. How many votes a second each contestant sustains; all get shares of what the slowest does.
 *   2. Each in turn warms up, then works at each share for a while.
 *   3. Every vote must have its result in the end, or nothing counts.
 */
export async function latency(options: LiveOptions<LatencyRow>): Promise<void> {
  const { present, guarantees, say } = options
  await withKafka(async (cluster, folder) => {
    for (const guarantee of guarantees) {
      const contestants = present.filter(({ contestant }) => contestant.refuses('latency', guarantee) === null)
      const start = (who: Present, round: number, onLatency: (ms: number) => void): Promise<LiveRun> =>
        LiveRun.start({
          cluster,
          folder,
          contestant: who.contestant,
          guarantee,
          workload: 'latency',
          applicationId: `latency-${who.contestant.name}-${guarantee}-${round}`,
          standbys: 0,
          instances: 1,
          voters,
          onResult: ({ latencyMs }) => onLatency(latencyMs),
          overhear: options.overhear,
        })
      // 1.
      let sustained = options.votesPerSecond
      if (sustained === null) {
        const all = []
        for (const who of contestants) {
          const run = await start(who, 0, () => undefined)
          all.push(await sustainedBy(run, options.warmUpSeconds))
          await run.end()
          say(`${who.contestant.name}, ${guarantee}: sustains ${all.at(-1)} votes/s`)
        }
        sustained = Math.min(...all)
      }
      for (let round = 1; round <= options.rounds; round++) {
        for (const who of contestants) {
          // 2.
          say(`round ${round}: ${who.contestant.name}, ${guarantee}`)
          for (const row of await measure(who, guarantee, round, sustained, options, start)) options.onRow(row)
        }
      }
    }
  })
}

/** Until it has begun, caught up with what came before that, and worked for a while. */
async function warmUp(votes: LiveVotes, rate: number, seconds: number): Promise<void> {
  votes.ratePerSecond = ladder[0]! / 10
  const endMs = performance.now() + beginningMs
  while (votes.received === 0) {
    if (performance.now() > endMs) throw new Error('no result came')
    await pause(0.1)
  }
  votes.ratePerSecond = rate
  await pause(seconds)
}

async function sustainedBy({ votes }: LiveRun, warmUpSeconds: number): Promise<number> {
  await warmUp(votes, ladder[0]!, warmUpSeconds)
  let sustained = 0
  for (const rate of ladder) {
    votes.ratePerSecond = rate
    await pause(rungSeconds)
    // A second behind, and more with each.
    if (votes.sent - votes.received > rate) break
    sustained = rate
  }
  votes.ratePerSecond = 0
  await votes.drained(drainMs)
  if (sustained === 0) throw new Error(`not even ${ladder[0]} votes a second were sustained`)
  return sustained
}

async function measure(
  { contestant, version }: Present,
  guarantee: Guarantee,
  round: number,
  sustained: number,
  { seconds, warmUpSeconds }: LiveOptions<LatencyRow>,
  start: (who: Present, round: number, onLatency: (ms: number) => void) => Promise<LiveRun>,
): Promise<readonly LatencyRow[]> {
  let measured: number[] | null = null
  const run = await start({ contestant, version }, round, (ms) => void measured?.push(ms))
  const { votes } = run
  await warmUp(votes, sustained / 2, warmUpSeconds)
  const phases: { readonly share: number; readonly latencies: readonly number[] }[] = []
  for (const share of shares) {
    votes.ratePerSecond = sustained * share
    await pause(settleSeconds)
    const latencies: number[] = (measured = [])
    await pause(seconds)
    measured = null
    phases.push({ share, latencies: latencies.sort((a, b) => a - b) })
  }
  votes.ratePerSecond = 0
  // 3.
  const isDrained = await votes.drained(drainMs)
  const { sent, received } = votes
  const problem = (await run.end()) ?? (isDrained && sent === received ? null : `${received} results for ${sent} votes`)
  return phases.map(({ share, latencies }) => ({
    contestant: contestant.name,
    version,
    workload: 'latency',
    guarantee,
    settings: contestant.settings('latency', guarantee),
    round,
    valid: problem === null,
    problem,
    share,
    votes_per_s: sustained * share,
    results: latencies.length,
    p50_ms: latencies[Math.floor(latencies.length * 0.5)] ?? null,
    p99_ms: latencies[Math.floor(latencies.length * 0.99)] ?? null,
    max_ms: latencies.at(-1) ?? null,
  }))
}
