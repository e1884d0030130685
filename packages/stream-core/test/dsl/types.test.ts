import { expectTypeOf, test } from 'vitest'
import {
  type GlobalKTable,
  int64,
  json,
  joinWindows,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  sessionWindows,
  StreamsBuilder,
  string,
  timeWindows,
  untilWindowCloses,
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
