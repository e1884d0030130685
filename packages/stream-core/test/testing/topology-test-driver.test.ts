import { expect, test } from 'vitest'
import { int64, json, StreamsBuilder, string, timeWindows } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

test('a word count counts through its repartition topic', () => {
  const builder = new StreamsBuilder()
  builder
    .stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((_key, word) => word, { key: string() })
    .count({ store: { name: 'counts-store' } })
    .toStream()
    .to('counts', { value: int64() })
  const topology = builder.build()
  const driver = new TopologyTestDriver(topology)
  const lines = driver.createInputTopic('lines', { key: string(), value: string() })
  const counts = driver.createOutputTopic('counts', { key: string(), value: int64() })
  lines.pipeInput('1', 'a b a', 5)
  expect(counts.readKeyValuesToList()).toEqual([
    ['a', 1],
    ['b', 1],
    ['a', 2],
  ])
  expect(driver.producedTopics).toContain('app-counts-store-repartition')
  expect(driver.producedTopics).toContain('app-counts-store-changelog')
  expect(topology.describe()).toBe(wordCountDescription)
})

test('a tumbling window counts a record at its start and not at its end, and late records are counted as late', () => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: json<number>() })
    .groupByKey()
    .windowedBy(timeWindows({ size: 10, grace: 5 }))
    .aggregate({ init: () => 0, add: (sum, value) => sum + value, store: { name: 'sums', value: json<number>() } })
    .toStream()
    .map((windowed, sum) => [`${windowed.key}@${windowed.window.start}`, sum] as const, {
      key: string(),
      value: json<number>(),
    })
    .to('out')
  const driver = new TopologyTestDriver(builder.build())
  const input = driver.createInputTopic('in', { key: string(), value: json<number>() })
  const output = driver.createOutputTopic('out', { key: string(), value: json<number>() })
  input.pipeInput('k', 1, 0)
  input.pipeInput('k', 2, 9)
  input.pipeInput('k', 4, 10)
  input.pipeInput('k', 8, 14)
  input.pipeInput('k', 16, 9)
  input.pipeInput('k', 32, 15)
  input.pipeInput('k', 64, 9)
  expect(output.readKeyValuesToList()).toEqual([
    ['k@0', 1],
    ['k@0', 3],
    ['k@10', 4],
    ['k@10', 12],
    ['k@0', 19],
    ['k@10', 44],
  ])
  expect([...driver.dropped]).toEqual([['KSTREAM-AGGREGATE-0000000001/late', 1]])
})

const wordCountDescription = `Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [lines])
      --> KSTREAM-FLATMAPVALUES-0000000001
    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> counts-store-repartition-filter
      <-- KSTREAM-FLATMAPVALUES-0000000001
    Processor: counts-store-repartition-filter (stores: [])
      --> counts-store-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: counts-store-repartition-sink (topic: counts-store-repartition)
      <-- counts-store-repartition-filter

  Sub-topology: 1
    Source: counts-store-repartition-source (topics: [counts-store-repartition])
      --> KSTREAM-AGGREGATE-0000000003
    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [counts-store])
      --> KTABLE-TOSTREAM-0000000007
      <-- counts-store-repartition-source
    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KSTREAM-AGGREGATE-0000000003
    Sink: KSTREAM-SINK-0000000008 (topic: counts)
      <-- KTABLE-TOSTREAM-0000000007

`
