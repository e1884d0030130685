import { expect, test } from 'vitest'
import {
  int64,
  json,
  type KeyValueStore,
  type KStream,
  type Processor,
  type ProcessorContext,
  type PunctuationType,
  type Record,
  stores,
  StreamsBuilder,
  string,
  timeWindowed,
  timeWindows,
  type Windowed,
} from '../../src/index.ts'
import { TopologyTestDriver, type TopologyTestDriverOptions } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

function driverOf(
  define: (input: KStream<string, string>, builder: StreamsBuilder) => void,
  options?: TopologyTestDriverOptions,
) {
  const builder = new StreamsBuilder()
  define(builder.stream('in', strings), builder)
  return new TopologyTestDriver(builder.build(), options)
}

const pipe = (driver: TopologyTestDriver, timestampMs = 0): void =>
  driver.createInputTopic('in', strings).pipeInput('k', 'v', timestampMs)

test('a partitioner or a chooser of topics that throws is told with the name of its sink, and may be skipped', () => {
  const fails = (): never => {
    throw new Error('no idea')
  }
  const partitioned = (input: KStream<string, string>): void =>
    input.filter(() => true).to('out', { name: 'to-out', partitioner: fails })
  const chosen = (input: KStream<string, string>): void => input.filter(() => true).to(fails, { name: 'to-out' })
  for (const define of [partitioned, chosen]) {
    expect(() => pipe(driverOf(define))).toThrow(/sink "to-out" failed: no idea/)
    const driver = driverOf(define, { handlers: { processing: () => 'continue' } })
    pipe(driver)
    expect([...driver.dropped]).toEqual([['KSTREAM-FILTER-0000000001/processing-failed', 1]])
  }
})

test('a partitioner may choose several partitions, each once, or none, which is counted', () => {
  const driver = driverOf(
    (input) => input.to('out', { name: 'to-out', partitioner: (_key, value) => (value === 'all' ? [0, 2, 2] : []) }),
    { partitions: { in: 1, out: 3 } },
  )
  const topic = driver.createInputTopic('in', strings)
  topic.pipeInput('k', 'all')
  topic.pipeInput('k', 'nobody')
  expect(driver.producedRecords('out').map(({ partition }) => partition)).toEqual([0, 2])
  expect([...driver.dropped]).toEqual([['to-out/no-partition-chosen', 1]])
})

test('a value that a store cannot write is told with the store and the key', () => {
  const driver = driverOf((input, builder) => {
    builder.addStateStore(stores.keyValue({ name: 'numbers', key: string(), value: int64() }))
    input.process(
      () => {
        let numbers: KeyValueStore<string, number>
        return {
          init: (context: ProcessorContext) => void (numbers = context.getStateStore('numbers')),
          process: ({ key }: Record<string, string>) => numbers.put(key, 'seven' as never),
        }
      },
      { stores: ['numbers'] },
    )
  })
  expect(() => pipe(driver)).toThrow(/store "numbers" under the key "k".*int64 needs .*got "seven"/)
})

test('a record without a key does not go through a sink of windows, as in Java, and may be skipped', () => {
  const define = (input: KStream<string, string>): void =>
    input.selectKey<Windowed<string>>(() => null as never).to('out', { key: timeWindowed(string(), 10) })
  expect(() => pipe(driverOf(define))).toThrow(/a record for "out" has no key, and time-windowed/)
  const driver = driverOf(define, { handlers: { production: () => 'continue' } })
  pipe(driver)
  expect(driver.producedTopics).toEqual([])
  expect([...driver.dropped]).toEqual([['KSTREAM-SINK-0000000002/serialization-failed', 1]])
})

test('what a sink cannot write is for the production handler, and for no other', () => {
  const asked: unknown[] = []
  // Behind an operator, and directly behind the source.
  for (const define of [
    (input: KStream<string, string>) =>
      input.mapValues(() => 'seven' as never, { value: int64() }).to('out', { name: 's' }),
    (input: KStream<string, string>) => input.to('out', { name: 's', value: int64() as never }),
  ]) {
    const processing = (): never => {
      throw new Error('nobody asks')
    }
    expect(() => pipe(driverOf(define, { handlers: { processing } }))).toThrow(
      /record for "out" cannot be written as int64/,
    )
    const driver = driverOf(define, {
      handlers: {
        processing,
        production: (error, { nodeName, outputTopic, topic, offset }) => {
          asked.push([(error as { part?: string }).part, nodeName, outputTopic, topic, offset])
          return 'dead-letter'
        },
      },
      deadLetterTopic: 'dead',
    })
    pipe(driver)
    expect(asked.splice(0)).toEqual([['value', 's', 'out', 'in', 0]])
    expect([...driver.dropped]).toEqual([['s/serialization-failed', 1]])
    expect(driver.createOutputTopic('dead', strings).readKeyValuesToList()).toEqual([['k', 'v']])
  }
})

const punctuating = (callback: () => void, type: PunctuationType = 'stream-time'): Processor<string, string> => ({
  init: (context) => void context.schedule(1, type, callback),
  process: () => undefined,
})

test('a key that is undefined is refused where it is written, and is no null', () => {
  const driver = driverOf((input) => input.selectKey(() => undefined as never as string, { key: string() }).to('out'))
  expect(() => pipe(driver)).toThrow(/the key of a record for "out" is undefined .*; null writes a record without one/)
})

test('a punctuation by a clock that there is not is refused with those that there are', () => {
  const define = (input: KStream<string, string>): void =>
    void input.process(() => punctuating(() => undefined, 'event-time' as never), { name: 'n' })
  expect(() => driverOf(define)).toThrow(/'stream-time' or 'wall-clock-time', got "event-time"/)
})

test('asynchronous functions where nobody waits are refused, with the operators that wait', () => {
  // What a linter would have said, for those who have none.
  const nobodyWaits = (async () => undefined) as () => void
  const asyncs: readonly ((input: KStream<string, string>) => void)[] = [
    (input) => input.forEach(nobodyWaits, { name: 'n' }),
    (input) => void input.peek(nobodyWaits, { name: 'n' }),
    (input) => void input.process(() => ({ process: nobodyWaits }), { name: 'n' }),
    (input) => void input.process(() => ({ init: nobodyWaits, process: () => undefined }), { name: 'n' }),
    (input) => void input.process(() => punctuating(nobodyWaits), { name: 'n' }),
  ]
  for (const define of asyncs) expect(() => pipe(driverOf(define))).toThrow(/"n" is asynchronous.*use mapValuesAsync/)
  const mapped = driverOf((input) => input.mapValues(async (value) => value, { value: json() }).to('out'))
  expect(() => pipe(mapped)).toThrow(/is a promise.*use mapValuesAsync/)
})

test('times in other units than milliseconds stop the application, before any window is made of them', () => {
  const driver = driverOf(
    (input) =>
      void input
        .groupByKey()
        .windowedBy(timeWindows({ size: 1000 }))
        .count(),
  )
  expect(() => pipe(driver, 1_764_000_000_000_000_000)).toThrow(
    /no timestamp for in partition 0 offset 0.*another unit/,
  )
  for (const timestampMs of [Number.NaN, 1.5, 2 ** 60, -1]) {
    const forwarding = driverOf((input) => {
      input
        .process<string, string>(
          () => {
            let context: ProcessorContext<string, string>
            return {
              init: (given) => void (context = given),
              process: (record: Record<string, string>) => context.forward({ ...record, timestampMs }),
            }
          },
          { name: 'shift', ...strings },
        )
        .groupByKey()
        .windowedBy(timeWindows({ size: 1000 }))
        .count()
    })
    expect(() => pipe(forwarding)).toThrow(/"shift" forwarded a record with the time/)
  }
})
