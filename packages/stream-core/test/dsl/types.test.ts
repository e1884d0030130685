import { expectTypeOf, test } from 'vitest'
import {
  type GlobalKTable,
  int64,
  type Joined,
  json,
  joinWindows,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type ReadOnlyKeyValueStore,
  type ReadOnlySessionStore,
  type ReadOnlyVersionedStore,
  type ReadOnlyWindowStore,
  sessionWindows,
  type StreamJoinOptions,
  type Streams,
  StreamsBuilder,
  string,
  timeWindows,
  untilWindowCloses,
  type ValueAndTimestamp,
  type Windowed,
} from '../../src/index.ts'

interface Vote {
  readonly option: string
  readonly weight: number
}
interface Blank {
  readonly blank: true
}

const builder = new StreamsBuilder()
const votes = builder.stream('votes', { key: string(), value: json<Vote>() })
const mixed = builder.stream('mixed', { key: string(), value: json<Vote | Blank>() })
const names = builder.table('names', { key: string(), value: string() })
const all = builder.globalTable('all', { key: int64(), value: string() })

test('keys and values flow through the chain', () => {
  expectTypeOf(votes).toEqualTypeOf<KStream<string, Vote>>()
  expectTypeOf(votes.mapValues((vote) => vote.weight)).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(votes.selectKey((_key, vote) => vote.weight)).toEqualTypeOf<KStream<number, Vote>>()
  expectTypeOf(votes.map((key, vote) => [vote.weight, key])).toEqualTypeOf<KStream<number, string>>()
  expectTypeOf(votes.flatMapValues((vote) => [vote.option])).toEqualTypeOf<KStream<string, string>>()
  expectTypeOf(votes.mapValuesAsync(async (vote) => vote.weight)).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(votes.groupByKey()).toEqualTypeOf<KGroupedStream<string, Vote>>()
  expectTypeOf(votes.groupBy((_key, vote) => vote.option)).toEqualTypeOf<KGroupedStream<string, Vote>>()
})

test('aggregations know what they make', () => {
  const grouped = votes.groupByKey()
  expectTypeOf(grouped.count()).toEqualTypeOf<KTable<string, number>>()
  expectTypeOf(grouped.reduce((a, b) => (a.weight > b.weight ? a : b))).toEqualTypeOf<KTable<string, Vote>>()
  const sums = grouped.aggregate({ init: () => 0, add: (sum, vote) => sum + vote.weight })
  expectTypeOf(sums).toEqualTypeOf<KTable<string, number>>()
  const windowed = grouped.windowedBy(timeWindows({ size: 10 })).count()
  expectTypeOf(windowed).toEqualTypeOf<KTable<Windowed<string>, number>>()
  expectTypeOf(windowed.suppress(untilWindowCloses())).toEqualTypeOf<KTable<Windowed<string>, number>>()
  const sessions = grouped.windowedBy(sessionWindows({ gap: 10 }))
  const longest = sessions.aggregate({ init: () => '', add: (a, vote) => a + vote.option, merge: (a, b) => a + b })
  expectTypeOf(longest).toEqualTypeOf<KTable<Windowed<string>, string>>()
  const rows = names.groupBy((key, name) => [name, key.length])
  expectTypeOf(rows).toEqualTypeOf<KGroupedTable<string, number>>()
  expectTypeOf(rows.reduce({ add: (a, b) => a + b, subtract: (a, b) => a - b })).toEqualTypeOf<KTable<string, number>>()
})

test('what the right side is decides what a join takes and gives', () => {
  const withTable = votes.leftJoin(names, (vote, name) => {
    expectTypeOf(name).toEqualTypeOf<string | null>()
    return `${vote.option} ${name}`
  })
  expectTypeOf(withTable).toEqualTypeOf<KStream<string, string>>()
  const withStream = votes.outerJoin(
    mixed,
    (left, right) => {
      expectTypeOf(left).toEqualTypeOf<Vote | null>()
      expectTypeOf(right).toEqualTypeOf<Vote | Blank | null>()
      return 1
    },
    { windows: joinWindows({ difference: 10 }) },
  )
  expectTypeOf(withStream).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(all).toEqualTypeOf<GlobalKTable<number, string>>()
  const withGlobal = votes.join(all, (_vote, name) => name, { mapKey: (_key, vote) => vote.weight })
  expectTypeOf(withGlobal).toEqualTypeOf<KStream<string, string>>()
  const byForeignKey = names.join(names, (left, right) => left + right, { foreignKey: (_key, name) => name })
  expectTypeOf(byForeignKey).toEqualTypeOf<KTable<string, string>>()
})

test('a branch whose predicate is a type guard is narrowed', () => {
  const { votes: valid, rest } = mixed.split({
    votes: (_key: string, value: Vote | Blank): value is Vote => 'option' in value,
    rest: 'otherwise',
  })
  expectTypeOf(valid).toEqualTypeOf<KStream<string, Vote>>()
  expectTypeOf(rest).toEqualTypeOf<KStream<string, Vote | Blank>>()
})

test('cogrouped streams feed one aggregate with values of their own types', () => {
  const total = votes
    .groupByKey()
    .cogroup<number>((sum, vote) => sum + vote.weight)
    .cogroup(names.toStream().groupByKey(), (sum, name) => sum + name.length)
    .aggregate({ init: () => 0 })
  expectTypeOf(total).toEqualTypeOf<KTable<string, number>>()
})

test('a function that is generic itself can join, merge and aggregate', () => {
  const windows = joinWindows({ difference: 10 })
  const enriched = <K, V, V2>(stream: KStream<K, V>, table: KTable<K, V2>) =>
    stream.merge(stream).leftJoin(table, (left, right) => ({ left, right }))
  const met = <K, V, V2>(stream: KStream<K, V>, other: KStream<K, V2>) =>
    stream.join(other, (left, right) => ({ left, right }), { windows })
  const looked = <V, G, V2>(stream: KStream<G, V>, table: GlobalKTable<G, V2>) =>
    stream.join(table, (_left, right) => right, { mapKey: (key) => key })
  const both = <K, FK, V, V2>(left: KTable<K, V>, right: KTable<FK, V2>, foreignKey: (key: K, value: V) => FK) =>
    left.leftJoin(right, (a, b) => ({ a, b }), { foreignKey })
  const collected = <K, V>(grouped: KGroupedStream<K, V>) =>
    grouped.aggregate({ init: (): V[] => [], add: (list, value) => [...list, value] })
  const folded = <K, V, A>(grouped: KGroupedStream<K, V>, init: () => A, add: (aggregate: A, value: V) => A | null) =>
    grouped.windowedBy(timeWindows({ size: 10 })).aggregate({ init, add })
  expectTypeOf(enriched(votes, names)).toEqualTypeOf<KStream<string, { left: Vote; right: string | null }>>()
  expectTypeOf(met(votes, mixed)).toEqualTypeOf<KStream<string, { left: Vote; right: Vote | Blank }>>()
  expectTypeOf(
    looked(
      votes.selectKey((_key, vote) => vote.weight),
      all,
    ),
  ).toEqualTypeOf<KStream<number, string>>()
  expectTypeOf(both(names, names, (_key, name) => name)).toEqualTypeOf<
    KTable<string, { a: string; b: string | null }>
  >()
  expectTypeOf(collected(votes.groupByKey())).toEqualTypeOf<KTable<string, Vote[]>>()
  expectTypeOf(
    folded(
      votes.groupByKey(),
      () => 0,
      (sum) => sum + 1,
    ),
  ).toEqualTypeOf<KTable<Windowed<string>, number>>()
})

test('options of a join may come from elsewhere, and be undefined where none are needed', () => {
  const joined: Joined<string, Vote> | undefined = undefined
  expectTypeOf(votes.join(names, (vote, name) => vote.option + name, joined)).toEqualTypeOf<KStream<string, string>>()
  const streamJoined: StreamJoinOptions<string, Vote, Vote | Blank> = { windows: joinWindows({ difference: 10 }) }
  expectTypeOf(votes.leftJoin(mixed, () => 1, streamJoined)).toEqualTypeOf<KStream<string, number>>()
  const named = names.join(names, (left, right) => left + right, { name: 'both', store: { value: string() } })
  expectTypeOf(named).toEqualTypeOf<KTable<string, string>>()
})

test('a type that is given reaches what makes it', () => {
  interface Summary {
    readonly state: 'open' | 'closed'
    readonly options: readonly string[]
  }
  const summaries = votes.groupByKey().aggregate<Summary>({
    init: () => ({ state: 'open', options: [] }),
    add: (summary, vote) => ({ ...summary, options: [...summary.options, vote.option] }),
  })
  expectTypeOf(summaries).toEqualTypeOf<KTable<string, Summary>>()
  const widened: KStream<string, Vote | Blank> = votes.join(names, (): Vote | Blank => ({ blank: true }))
  expectTypeOf(widened).toEqualTypeOf<KStream<string, Vote | Blank>>()
})

test('what a query gives follows from its kind and its serdes', () => {
  const look = (streams: Streams) => {
    const of = { key: string(), value: json<Vote>() }
    return {
      keyValue: streams.store('s', { kind: 'keyValue', ...of }),
      timed: streams.store('s', { kind: 'timestampedKeyValue', ...of }),
      window: streams.store('s', { kind: 'window', ...of, partitioner: (key, count) => key.length % count }),
      session: streams.store('s', { kind: 'session', ...of }),
      versioned: streams.store('s', { kind: 'versioned', ...of }),
      unknown: streams.store('s', { kind: 'keyValue' }),
    }
  }
  type Looked = ReturnType<typeof look>
  expectTypeOf<Looked['keyValue']>().toEqualTypeOf<ReadOnlyKeyValueStore<string, Vote>>()
  expectTypeOf<Looked['timed']>().toEqualTypeOf<ReadOnlyKeyValueStore<string, ValueAndTimestamp<Vote>>>()
  expectTypeOf<Looked['window']>().toEqualTypeOf<ReadOnlyWindowStore<string, Vote>>()
  expectTypeOf<Looked['session']>().toEqualTypeOf<ReadOnlySessionStore<string, Vote>>()
  expectTypeOf<Looked['versioned']>().toEqualTypeOf<ReadOnlyVersionedStore<string, Vote>>()
  expectTypeOf<Looked['unknown']>().toEqualTypeOf<ReadOnlyKeyValueStore<unknown, unknown>>()
})

test('a timestamp extractor sees what the serdes of its source read', () => {
  const options = {
    key: string(),
    value: json<Vote>(),
    timestampExtractor: ({ value }: { value: Vote }) => value.weight,
  } as const
  expectTypeOf(new StreamsBuilder().stream('votes', options)).toEqualTypeOf<KStream<string, Vote>>()
  new StreamsBuilder().stream('votes', {
    key: string(),
    value: json<Vote>(),
    timestampExtractor: (record) => {
      expectTypeOf(record.value).toEqualTypeOf<Vote>()
      return record.value.weight
    },
  })
})
