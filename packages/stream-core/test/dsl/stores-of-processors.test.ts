import { expect, test } from 'vitest'
import {
  type AsyncProcessor,
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  stores,
  StreamsBuilder,
  string,
  TopologyBuilder,
  type ValueTransformer,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
const seen = stores.keyValue({ name: 'seen', ...strings })

type Seen = KeyValueStore<string, string>

/** Forwards a value behind the one that came before it. */
function chaining(): Processor<string, string> {
  let context: ProcessorContext<string, string>
  let store: Seen
  return {
    init(given) {
      context = given
      store = context.getStateStore('seen')
    },
    process(record) {
      const value = `${store.get(record.key) ?? ''}${record.value}`
      store.put(record.key, value)
      context.forward({ ...record, value })
    },
  }
}

function fixed(): FixedKeyProcessor<string, string> {
  const inner = chaining()
  return {
    init: (context: FixedKeyProcessorContext<string, string>) => inner.init!(context),
    process: (record) => inner.process(record),
  }
}

function asynchronous(): AsyncProcessor<string, string, null> {
  const inner = chaining()
  return {
    init: (context) => inner.init!(context),
    call: async () => null,
    apply: (_result, record) => inner.process(record),
  }
}

function transforming(): ValueTransformer<string, string, string> {
  let store: Seen
  return {
    init: (context) => void (store = context.getStateStore('seen')),
    transform(key, value) {
      store.put(key, `${store.get(key) ?? ''}${value}`)
      return store.get(key)
    },
  }
}

const ways: readonly (readonly [way: string, define: (builder: StreamsBuilder) => void])[] = [
  [
    'process',
    (builder) =>
      builder
        .stream('in', strings)
        .process(chaining, { stores: [seen] })
        .to('out', strings),
  ],
  [
    'processValues',
    (builder) =>
      builder
        .stream('in', strings)
        .processValues(fixed, { stores: [seen] })
        .to('out', strings),
  ],
  [
    'processAsync',
    (builder) =>
      builder
        .stream('in', strings)
        .processAsync(asynchronous, { stores: [seen] })
        .to('out', strings),
  ],
  [
    'transformValues',
    (builder) =>
      builder
        .table('in', strings)
        .transformValues(transforming, { stores: [seen] })
        .toStream()
        .to('out', strings),
  ],
]

test.each(ways)('a store comes with the processor that is given its spec: %s', async (_way, define) => {
  const builder = new StreamsBuilder()
  define(builder)
  const driver = new TopologyTestDriver(builder.build())
  const input = driver.createInputTopic('in', strings)
  input.pipeInput('k', 'a')
  input.pipeInput('k', 'b')
  await driver.drain()
  expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['a', 'ab'])
  expect(driver.producedTopics).toContain('app-seen-changelog')
})

test('it is the same topology as with stores of the supplier, as Java’s ConnectedStoreProvider makes it', () => {
  const describe = (supplier: Parameters<typeof define>[1], options: object): string => {
    const builder = new StreamsBuilder()
    define(builder, supplier, options)
    return builder.build().describe()
  }
  const define = (builder: StreamsBuilder, supplier: () => Processor<string, string>, options: object): void =>
    builder.stream('in', strings).process(supplier, options).to('out', strings)
  const bringing = Object.assign(() => chaining(), { stores: [seen] })
  expect(describe(chaining, { stores: [seen] })).toBe(describe(bringing, {}))
})

test('names and specs stand side by side, processors with one spec share its store, and two stores of one name do not mix', () => {
  const builder = new StreamsBuilder()
  const input = builder.addStateStore(stores.keyValue({ name: 'other', ...strings })).stream('in', strings)
  input.process(chaining, { name: 'one', stores: ['other', seen] })
  input.process(chaining, { name: 'two', stores: [seen] })
  expect(builder.build().describe()).toMatch(
    /one \(stores: \[(other, seen|seen, other)\]\)[^]*two \(stores: \[seen\]\)/,
  )

  const mixed = new StreamsBuilder()
  const stream = mixed.stream('in', strings)
  stream.process(chaining, { stores: [seen] })
  stream.process(chaining, { stores: [stores.keyValue({ name: 'seen', ...strings })] })
  expect(() => mixed.build()).toThrow(/two different stores are named "seen"/)
})

test('a name that nobody has added is told with the way out', () => {
  const builder = new StreamsBuilder()
  builder.stream('in', strings).process(chaining, { name: 'mine', stores: ['seen'] })
  expect(() => builder.build()).toThrow(/"mine" uses the store "seen", which was not added: give its spec instead/)
})

test('a processor that is wired by hand takes specs too', () => {
  const topology = new TopologyBuilder()
    .addSource({ name: 'source', topics: ['in'], ...strings })
    .addProcessor({ name: 'mine', parents: ['source'], supplier: chaining, stores: [seen] })
    .addSink({ name: 'sink', parents: ['mine'], topic: 'out', ...strings })
    .build()
  const driver = new TopologyTestDriver(topology)
  driver.createInputTopic('in', strings).pipeInput('k', 'a')
  expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['a'])
})
