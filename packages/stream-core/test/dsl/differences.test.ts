import { describe, expect, test } from 'vitest'
import {
  int64,
  joinWindows,
  json,
  type KeyValueStore,
  type ProcessorContext,
  sessionWindowed,
  sessionWindows,
  slidingWindows,
  stores,
  StreamsBuilder,
  string,
  timeWindows,
  untilWindowCloses,
  type WindowStore,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
const hour = 3_600_000

/** Each test is a row of docs/differences.md: what Kafka Streams 4.3.1 fails at, and this library does not. */
describe('where Kafka Streams fails', () => {
  test('sliding windows with a difference of 0 are refused when they are made', () => {
    expect(() => slidingWindows({ difference: 0 })).toThrow(/difference of sliding windows must be above 0/)
  })

  test('windows without a length or a gap hold what is of the same time, also without grace', () => {
    const builder = new StreamsBuilder()
    const input = builder.stream('in', strings)
    const windows = joinWindows({ difference: 0 })
    const add = (left: string | null, right: string | null): string => `${left}${right}`
    const other = builder.stream('other', strings)
    input.join(other, add, { windows }).to('joined', strings)
    input.outerJoin(other, add, { windows }).to('outer', strings)
    const key = sessionWindowed(string())
    const sessions = input
      .groupByKey()
      .windowedBy(sessionWindows({ gap: 0 }))
      .count()
    sessions.toStream().to('counts', { key })
    const driver = new TopologyTestDriver(builder.build())
    const [left, right] = ['in', 'other'].map((topic) => driver.createInputTopic(topic, strings))
    left!.pipeInput('k', 'a', 10)
    left!.pipeInput('k', 'b', 10)
    right!.pipeInput('k', 'x', 10)
    right!.pipeInput('k', 'y', 11)
    left!.pipeInput('k', 'c', 5000)
    const values = (topic: string) => driver.createOutputTopic(topic, strings).readValuesToList()
    expect(values('joined')).toEqual(['ax', 'bx'])
    expect(values('outer')).toEqual(['ax', 'bx', 'nully'])
    const counts = driver.createOutputTopic('counts', { key, value: int64() }).readKeyValuesToList()
    expect(counts.filter(([, count]) => count !== null).map(([k, n]) => [k?.window.start, n])).toEqual([
      [10, 1],
      [10, 2],
      [5000, 1],
    ])
  })

  test('a global table whose store has no name gets one', () => {
    const builder = new StreamsBuilder()
    const table = builder.globalTable('global', { ...strings, store: { caching: false } })
    builder
      .stream('in', strings)
      .join(table, (left, right) => left + right, { mapKey: (key) => key })
      .to('out', strings)
    const driver = new TopologyTestDriver(builder.build())
    driver.createInputTopic('global', strings).pipeInput('k', 'right')
    driver.createInputTopic('in', strings).pipeInput('k', 'left-')
    expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['left-right'])
  })

  test('the stores that a table transformer’s supplier brings are connected, and a join reads through it', () => {
    const builder = new StreamsBuilder()
    const supplier = Object.assign(
      () => {
        let seen: KeyValueStore<string, string>
        return {
          init: (context: ProcessorContext) => void (seen = context.getStateStore('seen')),
          transform: (key: string, value: string | null) => {
            if (value !== null) seen.put(key, value)
            return `${value} of ${[...seen.all()].length}`
          },
        }
      },
      { stores: [stores.keyValue({ name: 'seen', ...strings })] },
    )
    const left = builder.table('left', strings).transformValues<string>(supplier)
    const right = builder.table('right', strings)
    left
      .join(right, (a, b) => `${a} + ${b}`)
      .toStream()
      .to('out', strings)
    const driver = new TopologyTestDriver(builder.build())
    driver.createInputTopic('left', strings).pipeInput('k', 'l')
    driver.createInputTopic('right', strings).pipeInput('k', 'r')
    expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['l of 1 + r'])
  })

  test('two groups under new keys, both without names, in one cogroup are refused with the remedy', () => {
    const builder = new StreamsBuilder()
    const add = (sum: string, value: string): string => sum + value
    const [a, b] = ['a', 'b'].map((topic) => builder.stream(topic, strings).groupBy((_key, value) => value, strings))
    const both = a!.cogroup<string>(add).cogroup(b!, add)
    expect(() => both.aggregate({ init: () => '', store: { value: string() } })).toThrow(
      /give each a name in groupByKey/,
    )
  })

  test('repartition topics that cannot be merged are refused with the remedy', () => {
    const builder = new StreamsBuilder({ optimization: 'all' })
    const filtered = builder
      .stream('in', strings)
      .selectKey((_key, value) => value, { key: string() })
      .filter(() => true)
    for (const name of ['one', 'two']) filtered.groupByKey().count({ store: { name } })
    expect(() => builder.build()).toThrow(/cannot merge "two-repartition-source".*Repartition the stream once/)
  })

  test('a windowed aggregation by the default key serde can be suppressed', () => {
    const builder = new StreamsBuilder({ defaults: strings })
    const values: number[] = []
    builder
      .stream<string, string>('in')
      .groupByKey()
      .windowedBy(timeWindows({ size: 10 }))
      .count()
      .suppress(untilWindowCloses())
      .toStream()
      .forEach((_key, count) => void values.push(count))
    const driver = new TopologyTestDriver(builder.build())
    const input = driver.createInputTopic('in', strings)
    for (const time of [0, 5, 20]) input.pipeInput('k', 'v', time)
    expect(values).toEqual([2])
  })

  test('a null key in a left stream-table join with grace is joined with null', () => {
    const builder = new StreamsBuilder()
    const table = builder.table('table', { ...strings, store: { name: 't', versioned: { historyRetentionMs: hour } } })
    builder
      .stream('in', strings)
      .leftJoin(table, (left, right) => `${left}-${right}`, { grace: 10, name: 'join' })
      .to('out', strings)
    const driver = new TopologyTestDriver(builder.build())
    const input = driver.createInputTopic('in', strings)
    input.pipeInput(null, 'v', 0)
    input.pipeInput('k', 'later', 100)
    expect(driver.createOutputTopic('out', strings).readValuesToList()).toContain('v-null')
  })

  test('an empty prefix finds every key, and a window store of size 0 can be walked through', () => {
    const builder = new StreamsBuilder()
    builder.addStateStore(stores.keyValue({ name: 'rows', ...strings, type: 'in-memory' }))
    builder.addStateStore(stores.window({ name: 'points', ...strings, windowSizeMs: 0, retentionMs: hour }))
    builder.stream('in', strings).process(() => ({ process: () => undefined }), { stores: ['rows', 'points'] })
    const driver = new TopologyTestDriver(builder.build())
    const rows = driver.store<KeyValueStore<string, string>>('rows')
    rows.put('k', 'v')
    expect([...rows.prefixScan('')]).toEqual([['k', 'v']])
    const points = driver.store<WindowStore<string, string>>('points')
    points.put('k', 'v', 7)
    expect([...points.all()]).toEqual([[{ key: 'k', window: { start: 7, end: 7 } }, 'v']])
  })

  test('sessions with a long gap take early timestamps, also with a cache', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(sessionWindows({ gap: 2 * hour }))
      .count({ store: { name: 'sessions', caching: true } })
      .toStream((windowed) => windowed.key, { key: string() })
      .to('out', { key: string(), value: int64() })
    const driver = new TopologyTestDriver(builder.build(), { cacheMaxBytes: 10_000 })
    driver.createInputTopic('in', strings).pipeInput('k', 'v', 0)
    expect(driver.createOutputTopic('out', { key: string(), value: int64() }).readValuesToList()).toEqual([1])
  })

  test('a foreign-key join without serdes is refused when it is built, and says which are missing', () => {
    const builder = new StreamsBuilder()
    const left = builder.table<string, string>('left', { key: string() })
    const right = builder.table<string, string>('right', strings)
    left
      .join(right, (a, b) => a + b, { foreignKey: (key) => key })
      .toStream()
      .to('out', strings)
    expect(() => builder.build()).toThrow(/value serde.*left/s)
  })

  test('a join reads a table from a windowed cogroup', () => {
    const builder = new StreamsBuilder()
    const windows = timeWindows({ size: 10 })
    const sums = builder
      .stream('a', strings)
      .groupByKey()
      .cogroup<string>((sum, value) => sum + value)
      .windowedBy(windows)
      .aggregate({ init: () => '', store: { value: string() } })
    const counts = builder.stream('b', strings).groupByKey().windowedBy(windows).count()
    sums
      .join(counts, (sum, count) => `${sum} ${count}`)
      .toStream((windowed) => windowed.key, { key: string() })
      .to('out', strings)
    const driver = new TopologyTestDriver(builder.build())
    driver.createInputTopic('a', strings).pipeInput('k', 'v', 0)
    driver.createInputTopic('b', strings).pipeInput('k', 'w', 3)
    expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['v 1'])
  })

  test('serdes are inherited by merged, repartitioned and derived streams and tables', () => {
    const builder = new StreamsBuilder()
    const order = { key: string(), value: json<{ readonly n: number }>() }
    const table = builder
      .stream('a', order)
      .merge(builder.stream('b', order))
      .repartition({ name: 'all' })
      .toTable({ store: { name: 'latest' } })
    table
      .filter((_key, { n }) => n > 0, { store: { name: 'positive' } })
      .toStream()
      .to('out')
    expect(() => builder.build()).not.toThrow()
  })

  test('with inheritSerdes: false they are forgotten where Java forgets them', () => {
    const missing = (define: (builder: StreamsBuilder) => void): unknown => {
      const builder = new StreamsBuilder({ inheritSerdes: false })
      define(builder)
      return builder.build({ missingSerdes: 'keep' }).missingSerdes
    }
    const nothing = missing((builder) => builder.stream('a', strings).to('out'))
    expect(nothing).toEqual([])
    const merged = missing((builder) => builder.stream('a', strings).merge(builder.stream('b', strings)).to('out'))
    expect(merged).toHaveLength(2)
    const repartitioned = missing((builder) => builder.stream('a', strings).repartition({ name: 'r' }).to('out'))
    expect(repartitioned).toContainEqual(expect.stringMatching(/key/))
    const derived = missing(
      (builder) => void builder.table('a', strings).filter(() => true, { store: { name: 'filtered' } }),
    )
    expect(derived).toEqual([expect.stringMatching(/"filtered".*key/), expect.stringMatching(/"filtered".*value/)])
  })
})
