import { partitionForKey } from '../../packages/stream-core/src/index.ts'
import { compareCounts } from './compare-counts.ts'
import { random } from './random.ts'
import { eventTimeStartMs, fill, readAll } from './topics.ts'
import { type Cluster, partitions, type Prepared, type Workload } from './workload.ts'

const windowMs = 10_000
/** Of event time: 20,000 votes in a window. */
const votesPerMs = 2
const votes = 2_000_000

/** What identifies a voter: 16 hex digits. */
const hex16 = (next: () => number): string =>
  next().toString(16).padStart(8, '0') + next().toString(16).padStart(8, '0')

/**
 * Votes of ten polls with five options, 87 bytes of JSON each, for 50 keys in all. `keyed`: under the key that is counted;
 * otherwise under the voter's.
 */
export async function prepareVotes(
  { broker }: Cluster,
  records: number,
  { topic, keyed }: { readonly topic: string; readonly keyed: boolean },
): Promise<ReadonlyMap<string, number>> {
  const next = random(20_261_123)
  const startMs = eventTimeStartMs()
  const expected = new Map<string, number>()
  await fill(broker, topic, { count: records }, (i, append) => {
    const ts = startMs + Math.floor(i / votesPerMs)
    const poll = `p${next() % 10}`
    const option = `o${Math.min(next() % 6, 4)}`
    const region = `r${next() % 16}`
    const voter = hex16(next)
    const counted = `${poll}|${option}`
    const key = Buffer.from(keyed ? counted : voter, 'latin1')
    const value = `{"poll":"${poll}","voter":"${voter}","option":"${option}","region":"${region}","ts":${ts}}`
    append(partitionForKey(key, partitions), key, value, ts)
    const window = `${counted}@${ts - (ts % windowMs)}`
    expected.set(window, (expected.get(window) ?? 0) + 1)
  })
  return expected
}

async function prepareCount(
  cluster: Cluster,
  records: number,
  { input, keyed }: { readonly input: string; readonly keyed: boolean },
): Promise<Prepared> {
  const expected = await prepareVotes(cluster, records, { topic: input, keyed })
  return {
    input,
    table: '',
    ticks: records,
    async check({ output }) {
      const found = new Map<string, number>()
      await readAll(cluster.broker, output, (key, value) => found.set(String(key), Number(String(value))))
      return compareCounts(expected, found)
    },
  }
}

export const voteCount: Workload = {
  name: 'vote-count',
  question: 'votes under the key that is counted: JSON, a tumbling window of 10 s, 50 hot keys',
  records: votes,
  prepare: (cluster, records, prefix) => prepareCount(cluster, records, { input: `${prefix}-input`, keyed: true }),
}

export const voteCountRepartition: Workload = {
  name: 'vote-count-repartition',
  question: 'the same votes under the voter: a new key, a repartition topic, the same windows',
  records: votes,
  prepare: (cluster, records, prefix) => prepareCount(cluster, records, { input: `${prefix}-input`, keyed: false }),
}

export const newKeys: Workload = {
  name: 'new-keys',
  question: 'votes counted by voter: a new key with each record',
  records: votes,
  async prepare(cluster, records, prefix) {
    const input = `${prefix}-input`
    await prepareVotes(cluster, records, { topic: input, keyed: false })
    return {
      input,
      table: '',
      ticks: records,
      // The changelog has Java's bytes with every contestant: a count of 8 bytes.
      async check({ applicationId }) {
        const keys = new Set<string>()
        let wrong = 0
        await readAll(cluster.broker, `${applicationId}-counts-changelog`, (key, value) => {
          keys.add(key!.toString('latin1'))
          if (value === null || value.readBigInt64BE() !== 1n) wrong++
        })
        if (keys.size === records && wrong === 0) return null
        return `${keys.size} keys in the changelog instead of ${records}, ${wrong} of them with another count than 1`
      },
    }
  },
}
