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
/** A count, and when the last vote of it was sent. */
interface Latest {
  readonly count: number
  readonly ts: number
}
const latest = {
  init: (): Latest => ({ count: 0, ts: 0 }),
  add: ({ count }: Latest, { ts }: Vote): Latest => ({ count: count + 1, ts }),
  // Each record is to have a result of its own.
  store: { name: 'counts', caching: false, value: json<Latest>() },
}
const tenSeconds = timeWindows({ size: { seconds: 10 }, grace: { hours: 1 } })

/** As the guide says to write them. `tick` is the counted step, where it is not everything behind a repartition topic. */
export const topologies: { readonly [name in WorkloadName]: (job: Job, tick: () => void) => Topology } = {
  'vote-count'({ input, output }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: string(), value: json<Vote>().pick('poll') })
      .peek(tick)
      .groupByKey()
      .windowedBy(tenSeconds)
      .count({ store: { name: 'counts' } })
      .toStream()
      .map(({ key, window }, count) => [`${key}@${window.start}`, String(count)], strings)
      .to(output)
    return builder.build()
  },
  'vote-count-repartition'({ input, output }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: string(), value: json<Vote>().pick('poll', 'option') })
      .groupBy((_voter, { poll, option }) => `${poll}|${option}`, { name: 'by-option', key: string() })
      .windowedBy(tenSeconds)
      .count({ store: { name: 'counts' } })
      .toStream()
      .map(({ key, window }, count) => [`${key}@${window.start}`, String(count)], strings)
      .to(output)
    return builder.build()
  },
  'word-count'({ input, output }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, strings)
      .flatMapValues((line) => line.split(' '), { value: string() })
      .groupBy((_key, word) => word, { name: 'by-word', key: string() })
      .count({ store: { name: 'counts' } })
      .toStream()
      .mapValues((count) => String(count), { value: string() })
      .to(output)
    return builder.build()
  },
  'new-keys'({ input }, tick) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, { key: string(), value: json<Vote>().pick('poll') })
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
  latency({ input, output }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, votes)
      .selectKey((_voter, { poll, option }) => `${poll}|${option}`, { key: string() })
      .repartition({ name: 'by-option' })
      .groupByKey()
      .aggregate(latest)
      .toStream()
      .mapValues(({ count, ts }) => `${count}|${ts}`, { value: string() })
      .to(output)
    return builder.build()
  },
  failover({ input, output }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, votes)
      .groupByKey()
      .aggregate(latest)
      .toStream()
      .mapValues(({ count, ts }) => `${count}|${ts}`, { value: string() })
      .to(output)
    return builder.build()
  },
  restart: (job, tick) => topologies['new-keys'](job, tick),
  restore({ input }) {
    const builder = new StreamsBuilder()
    builder
      .stream(input, strings)
      .groupByKey()
      .count({ store: { name: 'counts' } })
    return builder.build()
  },
}
