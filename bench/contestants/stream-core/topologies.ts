import { json, StreamsBuilder, string, timeWindows, type Topology } from '../../../packages/stream-core/src/index.ts'
import type { Job, WorkloadName } from '../../harness/job.ts'

interface Vote {
  readonly poll: string
  readonly voter: string
  readonly option: string
  readonly region: string
  readonly ts: number
}

const strings = { key: string(), value: string() }
const votes = { key: string(), value: json<Vote>() }
const tenSeconds = timeWindows({ size: { seconds: 10 }, grace: { hours: 1 } })

/** As the guide says to write them. `tick` is the counted step. */
export const topologies: { readonly [name in WorkloadName]: (job: Job, tick: () => void) => Topology } = {
  'vote-count'({ input, output }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, votes)
      .peek(tick)
      .groupByKey()
      .windowedBy(tenSeconds)
      .count({ store: { name: 'counts' } })
      .toStream()
      .map(({ key, window }, count) => [`${key}@${window.start}`, String(count)], strings)
      .to(output)
    return builder.build()
  },
  'vote-count-repartition'({ input, output }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, votes)
      .selectKey((_voter, { poll, option }) => `${poll}|${option}`, { key: string() })
      .repartition({ name: 'by-option' })
      .peek(tick)
      .groupByKey()
      .windowedBy(tenSeconds)
      .count({ store: { name: 'counts' } })
      .toStream()
      .map(({ key, window }, count) => [`${key}@${window.start}`, String(count)], strings)
      .to(output)
    return builder.build()
  },
  'word-count'({ input, output }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, strings)
      .flatMapValues((line) => line.split(' '), { value: string() })
      .selectKey((_key, word) => word, { key: string() })
      .repartition({ name: 'by-word' })
      .peek(tick)
      .groupByKey()
      .count({ store: { name: 'counts' } })
      .toStream()
      .mapValues((count) => String(count), { value: string() })
      .to(output)
    return builder.build()
  },
  'new-keys'({ input }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, votes)
      .peek(tick)
      .groupByKey()
      .count({ store: { name: 'counts' } })
    return builder.build()
  },
  join({ input, table, output }, tick) {
    const builder = new StreamsBuilder()
    const voters = builder.table(table, {
      key: string(),
      value: json<{ readonly district: string; readonly born: number }>(),
      store: { name: 'voters' },
    })
    builder
      .stream(input, { key: string(), value: json<Pick<Vote, 'poll' | 'option'>>() })
      .join(voters, ({ poll, option }, { district }) => ({ poll, option, district }))
      .peek(tick)
      .to(output, { value: json() })
    return builder.build()
  },
  restore({ input }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, strings)
      .groupByKey()
      .count({ store: { name: 'counts' } })
    return builder.build()
  },
}
