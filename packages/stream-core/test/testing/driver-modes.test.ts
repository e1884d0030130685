import { describe, expect, test } from 'vitest'
import {
  int64,
  StreamsBuilder,
  stores,
  string,
  type KeyValueStore,
  type ProcessorContext,
  type TimestampedKeyValueStore,
  type Topology,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
const counts = { key: string(), value: int64() }

function wordCount(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('lines', strings)
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((_key, word) => word, { key: string(), name: 'words' })
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('out')
  return builder.build()
}

describe('several partitions', () => {
  test('there is a task for each sub-topology and partition, and equal keys meet in one', () => {
    const driver = new TopologyTestDriver(wordCount(), { partitions: 4 })
    const lines = driver.createInputTopic('lines', strings)
    for (let i = 0; i < 40; i++) lines.pipeInput(`line-${i}`, 'to be or not to be', i)
    const totals = driver.createOutputTopic('out', counts).readKeyValuesToMap()
    expect(Object.fromEntries(totals)).toEqual({ to: 80, be: 80, or: 40, not: 40 })
    const partitions = [0, 1, 2, 3].map((partition) => [
      ...driver.store<TimestampedKeyValueStore<string, number>>('counts', partition).all(),
    ])
    expect(partitions.flat()).toHaveLength(4)
    expect(partitions.filter((rows) => rows.length > 0).length).toBeGreaterThan(1)
  })

  test('a stream time is that of one partition: what is late in one is in time in another', () => {
    const builder = new StreamsBuilder()
    const seen: string[] = []
    builder.stream('in', strings).process(() => {
      let context: ProcessorContext
      return {
        init: (given) => void (context = given),
        process: ({ key }) => void seen.push(`${key}@${context.currentStreamTimeMs()} in ${context.taskId}`),
      }
    })
    const driver = new TopologyTestDriver(builder.build(), { partitions: { in: 2 } })
    const input = driver.createInputTopic('in', strings)
    input.pipeInput('a', 'x', { timestampMs: 100, partition: 0 })
    input.pipeInput('b', 'x', { timestampMs: 7, partition: 1 })
    expect(seen).toEqual(['a@100 in 0_0', 'b@7 in 0_1'])
  })
})

describe('the record cache', () => {
  test('with commits by hand only the last update of each key is forwarded', () => {
    const driver = new TopologyTestDriver(wordCount(), { cacheMaxBytes: 1 << 20, commits: 'manual' })
    const lines = driver.createInputTopic('lines', strings)
    lines.pipeInput('1', 'a a b', 0)
    lines.pipeInput('2', 'a b', 1)
    const out = driver.createOutputTopic('out', counts)
    expect(out.isEmpty).toBe(true)
    driver.commit()
    expect(out.readKeyValuesToList()).toEqual([
      ['a', 3],
      ['b', 2],
    ])
  })
})

describe('a crash', () => {
  const pipeAll = (driver: TopologyTestDriver, words: readonly string[]): void => {
    const lines = driver.createInputTopic('lines', strings)
    for (const [i, word] of words.entries()) lines.pipeInput(String(i), word, i)
  }
  const last = (driver: TopologyTestDriver): object =>
    Object.fromEntries(driver.createOutputTopic('out', counts).readKeyValuesToMap())

  for (const crash of ['before-the-log', 'after-the-log'] as const) {
    test(`exactly once: a crash ${crash} takes the commit leaves every word counted once`, () => {
      const driver = new TopologyTestDriver(wordCount(), { commits: 'manual' })
      pipeAll(driver, ['a', 'b', 'a'])
      driver.commit()
      pipeAll(driver, ['a', 'c'])
      driver.commit({ crash })
      driver.commit()
      expect(last(driver)).toEqual({ a: 3, b: 1, c: 1 })
      const written = driver.producedRecords('out').map(({ key, value }) => `${String(key)}=${value!.readBigInt64BE()}`)
      expect(written).toEqual(['a=1', 'b=1', 'a=2', 'a=3', 'c=1'])
    })
  }

  test('at least once: what was produced before a crash is produced again, and counted again downstream', () => {
    const driver = new TopologyTestDriver(wordCount(), { commits: 'manual', processingGuarantee: 'at-least-once' })
    pipeAll(driver, ['a', 'b'])
    driver.commit()
    pipeAll(driver, ['a'])
    driver.crash()
    driver.commit()
    expect(last(driver)).toEqual({ a: 3, b: 1 })
  })

  test('a store of the user’s comes back from its changelog, and what was not committed does not', () => {
    const builder = new StreamsBuilder()
    builder.addStateStore(stores.keyValue({ name: 'last', key: string(), value: string() }))
    builder.stream('in', strings).process(
      () => {
        let store: KeyValueStore<string, string>
        return {
          init: (context) => void (store = context.getStateStore('last')),
          process: ({ key, value }) => store.put(key, value),
        }
      },
      { stores: ['last'] },
    )
    const driver = new TopologyTestDriver(builder.build(), { commits: 'manual' })
    const input = driver.createInputTopic('in', strings)
    input.pipeInput('k', 'committed', 0)
    driver.commit()
    driver.store<KeyValueStore<string, string>>('last').put('k', 'by the test')
    driver.crash()
    expect(driver.store<KeyValueStore<string, string>>('last').get('k')).toBe('committed')
  })
})

describe('test topics', () => {
  const copy = (): TopologyTestDriver => {
    const builder = new StreamsBuilder()
    builder.stream('in', strings).to('out')
    return new TopologyTestDriver(builder.build(), { wallClockStartMs: 1000 })
  }

  test('records that name no time get the wall clock, or a time that moves by itself', () => {
    const driver = copy()
    const out = driver.createOutputTopic('out', strings)
    driver.createInputTopic('in', strings).pipeInput('k', 'v')
    expect(out.readRecord().timestampMs).toBe(1000)
    const moving = driver.createInputTopic('in', strings, { startMs: 5, autoAdvanceMs: 10 })
    moving.pipeValueList(['a', 'b'])
    moving.advanceTime(100)
    moving.pipeInput('k', 'c')
    expect(out.readRecordsToList().map(({ timestampMs }) => timestampMs)).toEqual([5, 15, 125])
  })

  test('reading what is not there says whether anything was ever written', () => {
    const driver = copy()
    const out = driver.createOutputTopic('out', strings)
    expect(() => out.readValue()).toThrow('nothing was written to "out"')
    driver.createInputTopic('in', strings).pipeInput('k', 'v')
    expect(out.readKeyValue()).toEqual(['k', 'v'])
    expect(() => out.readValue()).toThrow('nothing is left to read from "out"')
  })

  test('a topic that is not read cannot be written to', () => {
    expect(() => copy().createInputTopic('elsewhere', strings)).toThrow('does not read "elsewhere"; it reads in')
  })
})
