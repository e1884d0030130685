import { expect, test } from 'vitest'
import {
  joinWindows,
  sessionWindows,
  slidingWindows,
  stores,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  timeWindows,
  type Topology,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver, type TopologyTestDriverOptions } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

function copying(): Topology {
  const builder = new StreamsBuilder()
  builder.stream('in', strings).to('out')
  return builder.build()
}

const broker = { openReader: () => undefined } as never

test.each<[option: string, wrong: object, message: RegExp]>([
  [
    'the guarantee',
    { processingGuarantee: 'exactly_once_v2' },
    /'exactly-once' or 'at-least-once'; got "exactly_once_v2"/,
  ],
  ['a misspelt option', { comitIntervalMs: 5 }, /no option "comitIntervalMs"; there are .*commitIntervalMs/],
  ['a handler', { processingHandler: 'continue' }, /processingHandler must be a function that returns/],
  ['no topology', { topology: undefined }, /topology must be a topology, as build\(\) returns it; got undefined/],
  ['no broker', { broker: undefined }, /broker must be a broker/],
  ['a logger', { logger: {} }, /logger must be a logger/],
  ['a path', { stateDir: 5 }, /stateDir must be a path; got 5/],
])('Streams refuses what it cannot use: %s', (_option, wrong, message) => {
  const options = { topology: copying(), applicationId: 'app', broker, ...wrong } as StreamsOptions
  expect(() => new Streams(options)).toThrow(message)
})

test.each<[option: string, wrong: object, message: RegExp]>([
  ['a size', { cacheMaxBytes: '10' }, /cacheMaxBytes must be a whole number, 0 or more; got "10"/],
  ['when to commit', { commits: 'Manual' }, /commits must be 'each-record' or 'manual'/],
  ['a topic', { partitions: { inn: 2 } }, /neither reads nor writes the topic "inn"/],
  ['a misspelt option', { partitons: 2 }, /knows no option "partitons"/],
])('the test driver refuses what it cannot use: %s', (_option, wrong, message) => {
  expect(() => new TopologyTestDriver(copying(), wrong as TopologyTestDriverOptions)).toThrow(message)
})

test('words that nobody knows are refused where they are said', () => {
  const windows = timeWindows({ size: 10 })
  const grouped = new StreamsBuilder().stream('in', strings).groupByKey()
  expect(() => grouped.windowedBy(windows).emitStrategy('onWindowClose' as never)).toThrow(/'on-window-close'/)
  expect(() => grouped.count({ store: { type: 'inmemory' as never } })).toThrow(/'persistent' or 'in-memory'/)
  expect(() => stores.keyValue({ ...strings, name: undefined as never })).toThrow(/a store needs a name/)
  expect(() => untilTimeLimit(10, { buffer: { whenFull: 'shutdown' as never } })).toThrow(/'emit-early' or 'shut-down'/)
  expect(() => joinWindows({ difference: 10, beforeMs: '5' as never })).toThrow(/beforeMs must be a whole number/)
  expect(() => timeWindows({ size: 5, grase: 5 } as never)).toThrow(/knows no option "grase"; it knows .*grace/)
  expect(() => slidingWindows({ difference: 5, grase: 5 } as never)).toThrow(/knows no option "grase"/)
  expect(() => sessionWindows({ gap: 5, grase: 5 } as never)).toThrow(/knows no option "grase"/)
  expect(() => untilWindowCloses({ maxRecords: 5 } as never)).toThrow(/knows no option "maxRecords".*buffer/)
  expect(() => untilWindowCloses({ buffer: { whenFull: 'emit-early' } as never })).toThrow(/no option "whenFull"/)
  expect(() => untilTimeLimit(5, { buffer: { records: 5 } as never })).toThrow(/no option "records".*maxRecords/)
  expect(() => timeWindows({ size: 5, grace: { second: 5 } as never })).toThrow(/grace has no unit "second".*seconds/)
  expect(() => timeWindows({ size: Infinity })).toThrow(/size must be .*; got Infinity/)
  const repartition = (partitions: number) =>
    new StreamsBuilder().stream('in', strings).repartition({ name: 'r', partitions })
  for (const bad of [0, -1, 1.5]) expect(() => repartition(bad)).toThrow(/"r" needs a whole number of partitions.*got/)
  expect(() => timeWindows({} as never)).toThrow(/size must be milliseconds, or a literal/)
})

test('a join is told what it lacks, also in a program without a compiler', () => {
  const builder = new StreamsBuilder()
  const [stream, other] = [builder.stream('a', strings), builder.stream('b', strings)]
  const [table, all] = [builder.table('t', strings), builder.globalTable('g', strings)]
  const joiner = (): string => ''
  const windows = timeWindows({ size: 5 }) as never
  expect(() => stream.join(other as never, joiner)).toThrow(/needs windows in its options: \{ windows: joinWindows/)
  expect(() => stream.leftJoin(other, joiner, { windows })).toThrow(/needs windows in its options/)
  expect(() => stream.outerJoin(table as never, joiner)).toThrow(/an outer join of a stream takes another stream/)
  expect(() => stream.join(all as never, joiner)).toThrow(/needs options that make its key: \{ mapKey/)
  expect(() => stream.join('b' as never, joiner)).toThrow(/takes a stream, a table or a global table, got "b"/)
  expect(() => stream.join(table, { joiner } as never)).toThrow(/the second argument of a join makes the result/)
  expect(() => table.join(stream as never, joiner)).toThrow(/make the stream one with toTable\(\)/)
  expect(() => table.leftJoin(all as never, joiner)).toThrow(/a table cannot be joined with a global table/)
  expect(() => table.join(table, joiner, { foreignKey: 'id' as never })).toThrow(/foreignKey must be a function/)
  expect(() => table.outerJoin(table, joiner, { foreignKey: (): string => '' } as never)).toThrow(/use leftJoin\(\)/)
})

test('streams of two builders cannot be merged or joined', () => {
  const [one, two] = [new StreamsBuilder(), new StreamsBuilder()]
  const stream = one.stream('a', strings)
  expect(() => stream.merge(two.stream('b', strings))).toThrow(/belongs to another builder/)
  const windows = joinWindows({ difference: 1 })
  expect(() =>
    stream.join(two.stream('c', strings), (a, b) => a + b, { windows, ...strings, otherValue: string() }),
  ).toThrow(/belongs to another builder/)
})

test('a supplier that returns one processor for all tasks, none, or an error is refused by name', () => {
  const driverOf = (supplier: () => { process: () => void }): TopologyTestDriver => {
    const builder = new StreamsBuilder()
    builder.stream('in', strings).process(supplier, { name: 'mine' })
    return new TopologyTestDriver(builder.build(), { partitions: 2 })
  }
  const shared = { process: () => undefined }
  expect(() => driverOf(() => shared)).toThrow(/supplier of "mine" returns the same processor again/)
  expect(() => driverOf(() => undefined as never)).toThrow(/supplier of "mine" must return a processor/)
  expect(() =>
    driverOf(() => {
      throw new Error('no luck')
    }),
  ).toThrow(/"mine".*no luck/)
})
