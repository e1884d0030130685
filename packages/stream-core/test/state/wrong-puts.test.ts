import { expect, test } from 'vitest'
import {
  boolean,
  float64,
  int32,
  int64,
  int64Big,
  json,
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  type Serde,
  type SessionStore,
  stores,
  StreamsBuilder,
  string,
  type TimestampedKeyValueStore,
  type WindowStore,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
const spec = { name: 's', key: string(), value: int64(), retentionMs: 1000 }

/** What a processor may say to a store, and how it is told off; records that follow find it as it was. */
function told<S>(store: Parameters<StreamsBuilder['addStateStore']>[0], put: (store: S) => unknown): string {
  const builder = new StreamsBuilder()
  builder
    .addStateStore(store)
    .stream('in', strings)
    .process(
      () => {
        let held: S
        return {
          init: (context: ProcessorContext) => void (held = context.getStateStore('s')),
          process: (_record: Record<string, string>) => void put(held),
        }
      },
      { name: 'mine', stores: ['s'] },
    )
  const failures: Error[] = []
  const driver = new TopologyTestDriver(builder.build(), {
    commits: 'manual',
    handlers: { processing: (error) => (failures.push(error), 'continue') },
  })
  driver.createInputTopic('in', strings).pipeInput('k', 'v')
  driver.commit()
  expect(driver.dropped.get('mine/processing-failed')).toBe(1)
  expect(driver.producedRecords('app-s-changelog')).toEqual([])
  return failures.map(({ message }) => message).join()
}

test.each<[value: Serde<never>, wrong: unknown, message: RegExp]>([
  [int64() as Serde<never>, 'text', /int64 needs a number, got "text" \(a string\)/],
  [int64() as Serde<never>, 1.5, /int64 needs a safe integer, got 1.5/],
  [int64Big() as Serde<never>, 2n ** 63n, /int64Big needs a bigint from .* got 9223372036854775808n/],
  [int32() as Serde<never>, 2 ** 31, /int32 needs a whole number from .* got 2147483648/],
  [float64() as Serde<never>, '1', /float64 needs a number, got "1"/],
  [boolean() as Serde<never>, 1, /boolean needs a boolean, got 1/],
  [string() as Serde<never>, 1, /string needs a string, got 1/],
  [json<bigint>() as Serde<unknown> as Serde<never>, 1n, /under the key "a" cannot be written: .*/],
])('a value of another type is told where it is put, with processor, store and key: %o', (value, wrong, message) => {
  const store = stores.keyValue({ name: 's', key: string(), value })
  const text = told<KeyValueStore<string, unknown>>(store, (held) => held.put('a', wrong))
  expect(text).toMatch(/processor "mine" of task 0_0 failed: a value that was put into the store "s" under the key "a"/)
  expect(text).toMatch(message)
})

test.each<[kind: string, make: () => Parameters<StreamsBuilder['addStateStore']>[0]]>([
  ['key-value', () => stores.keyValue({ name: 's', key: string(), value: json<unknown>() })],
  ['key-value, timestamped', () => stores.keyValue({ name: 's', key: string(), value: int64(), timestamped: true })],
  ['versioned', () => stores.versioned({ name: 's', key: string(), value: int64(), historyRetentionMs: 10 })],
])('undefined is no null: it deletes nothing (%s)', (_kind, make) => {
  const text = told<{ put(key: string, value: never, timeMs: number): void }>(make(), (held) =>
    held.put('a', undefined as never, 5),
  )
  expect(text).toMatch(/"mine".*store "s" under the key "a" cannot be written: it is undefined .*; null deletes/)
})

test('an aggregator, reducer or mapper that forgot its return is told so, and no row is deleted', () => {
  const forgetful = (): never => undefined as never
  const builder = new StreamsBuilder({ defaults: { key: string(), value: json() } })
  const input = builder.stream<string, string>('in')
  const grouped = input.groupByKey()
  grouped.aggregate({ init: () => 0, add: (sum) => (sum < 1 ? sum + 1 : forgetful()), store: { name: 'sums' } })
  grouped.reduce(forgetful, { store: { name: 'last' } })
  input.mapValues(forgetful, { name: 'mapped' }).to('out')
  const failures: string[] = []
  const driver = new TopologyTestDriver(builder.build(), {
    handlers: {
      processing: ({ message }) => (failures.push(message), 'continue'),
      production: ({ message }) => (failures.push(message), 'continue'),
    },
  })
  const topic = driver.createInputTopic('in', { key: string(), value: json<string>() })
  topic.pipeInput('k', '1')
  topic.pipeInput('k', '2')
  expect(failures).toEqual([
    expect.stringMatching(/the value of a record for "out" is undefined/),
    expect.stringMatching(/store "sums" under the key "k" cannot be written: it is undefined/),
    expect.stringMatching(/store "last" under the key "k" cannot be written: it is undefined/),
    expect.stringMatching(/the value of a record for "out" is undefined/),
  ])
  expect(driver.store<TimestampedKeyValueStore<string, string>>('last').get('k')?.value).toBe('1')
  expect(driver.store<TimestampedKeyValueStore<string, number>>('sums').get('k')?.value).toBe(1)
})

test('so is a mapper, joiner or subtractor of tables: no row is deleted', () => {
  const forgetful = (): number => undefined as never
  const builder = new StreamsBuilder({ defaults: { key: string(), value: json() } })
  const table = builder.table<string, number>('in')
  const out = { key: string(), value: json<number>() }
  table.mapValues(forgetful, { name: 'mapped' }).toStream().to('out', out)
  table.join(builder.table<string, number>('other'), forgetful, { name: 'joined' }).toStream().to('out', out)
  const grouped = table.groupBy((key, value) => [key, value], { key: string(), value: json<number>() })
  grouped
    .aggregate({ init: () => 0, add: (sum) => sum + 1, subtract: forgetful, name: 'sum' })
    .toStream()
    .to('out', out)
  const failures: string[] = []
  const handlers = { processing: ({ message }: Error) => (failures.push(message), 'continue' as const) }
  const driver = new TopologyTestDriver(builder.build(), { handlers })
  driver.createInputTopic('other', out).pipeInput('k', 1)
  driver.createInputTopic('in', out).pipeInput('k', 1)
  driver.createInputTopic('in', out).pipeInput('k', 2)
  const told = ['mapper', 'joiner', 'subtractor'].map((maker) =>
    failures.filter((text) => text.includes(`the ${maker} `)),
  )
  for (const texts of told)
    expect(texts[0]).toMatch(/returned undefined \(a return that was forgotten\?\); null deletes/)
  expect(driver.createOutputTopic('out', out).readValuesToList()).toEqual([1])
})

test('so is one in a window, a session and a version', () => {
  const wrong = 'text' as never
  const message = /processor "mine".*store "s" under the key "a" cannot be written: int64 needs/
  const window = stores.window({ ...spec, windowSizeMs: 10 })
  expect(told<WindowStore<string, number>>(window, (held) => held.put('a', wrong, 0))).toMatch(message)
  const session = { key: 'a', window: { start: 0, end: 5 } }
  expect(told<SessionStore<string, number>>(stores.session(spec), (held) => held.put(session, wrong))).toMatch(message)
  const versioned = stores.versioned({ ...spec, historyRetentionMs: 10 })
  expect(told<TimestampedKeyValueStore<string, number>>(versioned, (held) => held.put('a', wrong, 0))).toMatch(message)
})

test.each([7, undefined, null])('a key that the serde refuses is told with the store: %s', (key) => {
  const text = told<KeyValueStore<string, number>>(stores.keyValue(spec), (held) => held.put(key as never, 1))
  expect(text).toMatch(/processor "mine".*the store "s" cannot have a key such as this: string needs a string, got/)
  expect(text).toContain(`got ${key}`)
})

test.each([
  [Number.NaN, 5],
  [0, 1.5],
  [0, undefined],
  [6, 5],
  [-1, 5],
])('a session from %s to %s is refused', (start, end) => {
  const session = { key: 'a', window: { start, end: end as number } }
  const text = told<SessionStore<string, number>>(stores.session(spec), (held) => held.put(session, 1))
  expect(text).toMatch(/processor "mine".*a session in the store "s" must start and end at whole numbers .* got/)
})

test('nor can it start before time 0, where its key would be read as another', () => {
  const window = stores.window({ ...spec, windowSizeMs: 10 })
  const text = told<WindowStore<string, number>>(window, (held) => held.put('a', 1, -1))
  expect(text).toMatch(/processor "mine".*the start of a window in the store "s" must be .*, 0 or later, got -1/)
})

test.each([Number.NaN, 1.5, undefined])('a window cannot start at %s, and a value cannot be of that time', (time) => {
  const window = stores.window({ ...spec, windowSizeMs: 10 })
  const started = told<WindowStore<string, number>>(window, (held) => held.put('a', 1, time as number))
  expect(started).toMatch(/processor "mine".*the start of a window in the store "s" must be a whole number .* got/)
  const timestamped = stores.keyValue({ ...spec, timestamped: true })
  const timed = told<TimestampedKeyValueStore<string, number>>(timestamped, (held) => held.put('a', 1, time as number))
  const versioned = stores.versioned({ ...spec, historyRetentionMs: 10 })
  const held = told<TimestampedKeyValueStore<string, number>>(versioned, (store) => store.put('a', 1, time as number))
  expect(held).toMatch(/the time of a value .*store "s" under the key "a" must be/)
  expect(timed).toMatch(
    /processor "mine".*the time of a value .*store "s" under the key "a" must be a whole number .* got/,
  )
})
