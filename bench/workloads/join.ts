import { partitionForKey } from '../../packages/stream-core/src/index.ts'
import { compareCounts } from './compare-counts.ts'
import { random } from './random.ts'
import { eventTimeStartMs, fill, readAll } from './topics.ts'
import { partitions, type Workload } from './workload.ts'

const voters = 100_000

/** An electorate as a table, and votes that are enriched with the voter's district: each vote leaves as one record. */
export const join: Workload = {
  name: 'join',
  question: 'votes of 100,000 voters joined with the table of voters, JSON in and out, one record out for each',
  records: 2_000_000,
  async prepare({ broker }, records, prefix) {
    const input = `${prefix}-input`
    const table = `${prefix}-table`
    const next = random(41)
    const startMs = eventTimeStartMs()
    const districts = Array.from({ length: voters }, () => `d${next() % 300}`)
    const keyOf = (voter: number): Buffer => Buffer.from(`voter-${voter}`, 'latin1')
    await fill(broker, table, { count: voters, configs: { 'cleanup.policy': 'compact' } }, (i, append) => {
      const key = keyOf(i)
      append(
        partitionForKey(key, partitions),
        key,
        `{"district":"${districts[i]}","born":${1930 + (i % 76)}}`,
        startMs - voters + i,
      )
    })
    const expected = new Map<string, number>()
    await fill(broker, input, { count: records }, (i, append) => {
      const voter = next() % voters
      const option = `o${next() % 5}`
      const key = keyOf(voter)
      append(
        partitionForKey(key, partitions),
        key,
        `{"poll":"p${next() % 10}","option":"${option}"}`,
        startMs + (i >> 1),
      )
      const counted = `${districts[voter]}|${option}`
      expected.set(counted, (expected.get(counted) ?? 0) + 1)
    })
    return {
      input,
      table,
      ticks: records,
      async check({ output }) {
        const found = new Map<string, number>()
        await readAll(broker, output, (_key, value) => {
          const { district, option } = JSON.parse(String(value)) as {
            readonly district: string
            readonly option: string
          }
          const counted = `${district}|${option}`
          found.set(counted, (found.get(counted) ?? 0) + 1)
        })
        return compareCounts(expected, found)
      },
    }
  },
}
