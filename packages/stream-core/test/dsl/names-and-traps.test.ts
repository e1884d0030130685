import { describe, expect, test } from 'vitest'
import {
  type Consumed,
  json,
  schema,
  type StandardSchema,
  stores,
  StreamsBuilder,
  string,
  timeWindows,
  TopologyBuilder,
  TopologyError,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

function counted(named: boolean) {
  return (builder: StreamsBuilder): void => {
    builder
      .stream('in', strings)
      .groupBy((_key, value) => value, { key: string(), ...(named ? { name: 'words' } : {}) })
      .count(named ? { store: { name: 'counts' } } : {})
      .toStream()
      .to('out')
  }
}

describe('names that were made up', () => {
  test('are known of a topology, and none are where everything is named', () => {
    const unnamed = new StreamsBuilder()
    counted(false)(unnamed)
    expect(unnamed.build().generatedNames.map(({ kind }) => kind)).toEqual(['store', 'changelog', 'repartition'])
    const named = new StreamsBuilder()
    counted(true)(named)
    expect(named.build().generatedNames).toEqual([])
  })

  test('are refused by option, each by its name', () => {
    const builder = new StreamsBuilder({ requireExplicitNames: true })
    counted(false)(builder)
    expect(() => builder.build()).toThrow(/store "KSTREAM-AGGREGATE-STATE-STORE-0000000002".*Name the operators/)
  })
})

describe('lint', () => {
  test('tells of traps that are legal: suppress without input, short retention, no changelog, generated names', () => {
    const builder = new StreamsBuilder()
    const windowed = builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(timeWindows({ size: 10 }))
    windowed.count({ store: { name: 'open', logging: false } }).suppress(untilWindowCloses({ name: 'final' }))
    windowed.emitStrategy('on-window-close').count({ store: { name: 'closed' } })
    builder.stream('other', strings).groupByKey().count().suppress(untilTimeLimit(5))
    const findings = builder.build().lint()
    expect(findings.map(({ rule, about }) => `${rule} ${about}`).sort()).toEqual([
      'emit-final-retention closed',
      'generated-name KSTREAM-AGGREGATE-STATE-STORE-0000000004',
      'generated-name KTABLE-SUPPRESS-STATE-STORE-0000000007',
      'no-changelog open',
      'suppress-needs-input KTABLE-SUPPRESS-STATE-STORE-0000000007',
      'suppress-needs-input final-store',
    ])
    for (const { message } of findings) expect(message.length).toBeGreaterThan(40)
  })
})

describe('a topology that is wrong fails while it is built, by name', () => {
  test('serdes that nobody gave are listed together, each with the option that gives it', () => {
    const builder = new StreamsBuilder()
    builder
      .stream<string, string>('in', { key: string() })
      .groupBy((_key, value) => value.length)
      .count({ store: { name: 'lengths' } })
    expect(() => builder.build()).toThrow(TopologyError)
    const again = new StreamsBuilder()
    again.stream<string, string>('in').to('out')
    expect(() => again.build()).toThrow(/source of "in" .* key: .*option key of stream\(\).*value.*sink to "out"/)
  })

  test('two nodes of one name, a missing parent, a sink with a child, a store twice, an illegal name', () => {
    const source = { name: 'source', topics: ['in'], key: string(), value: string() }
    const supplier = () => ({ process: () => undefined })
    const topology = (): TopologyBuilder => new TopologyBuilder().addSource(source)
    expect(() => topology().addSource({ ...source, topics: ['other'] })).toThrow(/two nodes are named "source"/)
    expect(() => topology().addProcessor({ name: 'p', parents: ['nobody'], supplier })).toThrow(/"p" follows "nobody"/)
    const sink = { name: 'sink', parents: ['source'], topic: 'out', key: string(), value: string() }
    expect(() =>
      topology()
        .addSink(sink)
        .addProcessor({ name: 'p', parents: ['sink'], supplier }),
    ).toThrow(/"p" cannot follow the sink "sink"/)
    expect(() => topology().addSource({ ...source, name: 'again' })).toThrow(/read by both "source" and "again"/)
    expect(() => topology().addSource({ ...source, name: 'both', topics: ['a'], pattern: /b/ })).toThrow(
      /"both" has topics and a pattern/,
    )
    const store = (): ReturnType<typeof stores.keyValue> => stores.keyValue({ name: 's', ...strings })
    expect(() => topology().addStateStore(store()).addStateStore(store())).toThrow(/two different stores are named "s"/)
    expect(() => topology().addProcessor({ name: 'a b', parents: ['source'], supplier })).toThrow(
      /illegal node name "a b"/,
    )
    expect(() => topology().connectProcessorAndStateStores('source', ['s'])).toThrow(/"source" is a source/)
    expect(() => new TopologyBuilder().build()).toThrow(/the topology is empty/)
    for (const topic of ['', 'a b', '..', 'x'.repeat(250)]) {
      const says = `names a topic that cannot be: illegal topic name ${JSON.stringify(topic)}: 1 to 249 of a-z`
      expect(() => new TopologyBuilder().addSource({ ...source, topics: [topic] })).toThrow(`"source" ${says}`)
      expect(() => topology().addSink({ ...sink, topic })).toThrow(`"sink" ${says}`)
      const builder = new StreamsBuilder()
      builder.stream('in', strings).to(topic, { name: 'sink' })
      expect(() => builder.build()).toThrow(`"sink" ${says}`)
    }
  })

  test('a topic that is read twice in two ways: another serde, extractor or beginning', () => {
    const read = (...readings: readonly Consumed<string, string>[]) => {
      const builder = new StreamsBuilder()
      for (const [index, reading] of readings.entries()) builder.stream('in', reading).to(`out-${index}`, strings)
      return builder.build()
    }
    const other = { ...strings, value: json<string>() }
    expect(() => read(strings, other)).toThrow(
      /"KSTREAM-SOURCE-0000000000" and .* read topic "in".* with another value:/,
    )
    expect(() => read(strings, { ...strings, key: json<string>() })).toThrow(/with another key:/)
    expect(() => read(strings, { ...strings, offsetReset: 'latest' })).toThrow(/with another offsetReset:/)
    const timestampExtractor = (): number => 1
    expect(() => read(strings, { ...strings, timestampExtractor })).toThrow(/with another timestampExtractor:/)
    const same = { ...strings, value: string(), timestampExtractor }
    expect(read(same, { ...same, value: string() }).nodes.filter(({ kind }) => kind === 'source')).toHaveLength(1)
    const asInJava = new StreamsBuilder({ inheritSerdes: false })
    asInJava.stream('in', strings).to('out', strings)
    asInJava.stream('in', other).to('out-2', strings)
    expect(asInJava.build().nodes.filter(({ kind }) => kind === 'source')).toHaveLength(1)
  })

  test('also if a schema looks at what only one of them reads, or one has the default serde', () => {
    const validate = (value: unknown) => ({ value: String(value) })
    const standard: StandardSchema<string> = { '~standard': { version: 1, vendor: 'mine', validate } }
    const read = (one: Consumed<string, string>, two: Consumed<string, string>) => () => {
      const builder = new StreamsBuilder({ defaults: { key: string(), value: json<string>() } })
      builder.stream('in', one).to('out', strings)
      builder.stream('in', two).to('out-2', strings)
      return builder.build()
    }
    const plain = { value: json<string>() }
    const schemas = { value: schema(standard) }
    expect(read(plain, schemas)).toThrow(/with another value:/)
    expect(read(schemas, { value: schema({ ...standard }) })).not.toThrow()
    expect(read(schemas, { value: schema({ '~standard': { ...standard['~standard'] } }) })).toThrow(/another value:/)
    expect(read({}, strings)).toThrow(/with another value:/)
    expect(read(strings, {})).toThrow(/with another value:/)
    expect(read({}, plain)).not.toThrow()
  })

  test('so are repartition topics that an optimization makes one, and that are not read in one way', () => {
    const build = (optimization: 'none' | 'all', inheritSerdes = true) => {
      const builder = new StreamsBuilder({ optimization, inheritSerdes })
      const rekeyed = builder.stream('in', strings).selectKey((_key, value) => value, { key: string() })
      rekeyed.groupByKey({ name: 'one', ...strings }).count({ store: { name: 'one' } })
      rekeyed.groupByKey({ name: 'two', key: string(), value: json<string>() }).count({ store: { name: 'two' } })
      return builder.build()
    }
    expect(() => build('all')).toThrow(/"one-repartition" and "two-repartition" become one topic .* another value each/)
    expect(() => build('none')).not.toThrow()
    expect(() => build('all', false)).not.toThrow()
  })

  test('a processor that is not connected to a store learns how to connect it', () => {
    const builder = new StreamsBuilder()
    builder.addStateStore(stores.keyValue({ name: 's', key: string(), value: json<number>() }))
    builder.stream('in', strings).process(() => ({
      init: (context) => void context.getStateStore('s'),
      process: () => undefined,
    }))
    expect(() => new TopologyTestDriver(builder.build())).toThrow(
      /"KSTREAM-PROCESSOR-0000000001" is not connected to a store "s": name it in the stores of that processor/,
    )
  })
})
