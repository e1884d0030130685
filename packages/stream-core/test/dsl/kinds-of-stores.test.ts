import { expect, test } from 'vitest'
import {
  ArgumentError,
  int64,
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  StreamsBuilder,
  stores,
  string,
  type TimestampedKeyValueStore,
  timeWindows,
  TopologyBuilder,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

test('a table of the DSL may keep only the keys that were used last', () => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', strings)
    .groupByKey()
    .count({ store: { name: 'recent', maxEntries: 2 } })
  const driver = new TopologyTestDriver(builder.build())
  const topic = driver.createInputTopic('in', strings)
  for (const key of ['a', 'b', 'a', 'c']) topic.pipeInput(key, 'x')
  const rows = driver.store<TimestampedKeyValueStore<string, number>>('recent').all()
  expect([...rows].map(([key, { value }]) => [key, value])).toEqual([
    ['a', 2],
    ['c', 1],
  ])
})

test('options of another kind of store are refused by name', () => {
  const grouped = (builder: StreamsBuilder) => builder.stream('in', strings).groupByKey()
  expect(() => grouped(new StreamsBuilder()).count({ store: { maxEntries: 0 } })).toThrow(ArgumentError)
  expect(() => grouped(new StreamsBuilder()).count({ store: { maxEntries: 2, type: 'persistent' } })).toThrow(
    /with maxEntries is kept in memory/,
  )
  for (const option of [{ maxEntries: 2 }, { versioned: { historyRetentionMs: 10 } }]) {
    const builder = new StreamsBuilder()
    grouped(builder)
      .windowedBy(timeWindows({ size: 10 }))
      .count({ store: { name: 'windows', ...option } })
    expect(() => builder.build()).toThrow(/the store "windows" keeps windows: \w+ is not for it/)
  }
})

test('a read-only store holds a topic, is read where it is connected, and comes back from the topic after a crash', () => {
  let prices: KeyValueStore<string, number> | null = null
  const builder = new TopologyBuilder()
    .addReadOnlyStateStore({
      store: stores.keyValue({ name: 'prices', key: string(), value: int64() }),
      topic: 'prices-topic',
      sourceName: 'prices-source',
      processorName: 'prices-writer',
      key: string(),
      value: int64(),
      supplier: () => {
        let store: KeyValueStore<string, number>
        return {
          init: (context: ProcessorContext) => void (store = context.getStateStore('prices')),
          process: ({ key, value }: Record<unknown, unknown>) => store.put(key as string, value as number),
        }
      },
    })
    .addSource({ name: 'orders-source', topics: ['orders'], ...strings })
    .addProcessor({
      name: 'priced',
      parents: ['orders-source'],
      stores: ['prices'],
      supplier: () => {
        let context: ProcessorContext
        return {
          init(given: ProcessorContext) {
            context = given
            prices = context.getStateStore('prices')
          },
          process: (record: Record<unknown, unknown>) =>
            context.forward({ ...record, value: prices!.get(record.value as string) }),
        }
      },
    })
    .addSink({ name: 'out-sink', parents: ['priced'], topic: 'out', key: string(), value: int64() })
  const topology = builder.build()
  expect(topology.describe()).toContain('Processor: prices-writer (stores: [prices])')
  const driver = new TopologyTestDriver(topology)
  driver.createInputTopic('prices-topic', { key: string(), value: int64() }).pipeInput('tea', 3)
  driver.crash()
  driver.createInputTopic('orders', strings).pipeInput('o1', 'tea')
  expect(driver.createOutputTopic('out', { key: string(), value: int64() }).readKeyValuesToMap()).toEqual(
    new Map([['o1', 3]]),
  )
  expect(driver.producedTopics).toEqual(['out'])
})
