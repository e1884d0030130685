import { describe, expect, test } from 'vitest'
import {
  ArgumentError,
  int64,
  json,
  type KeyValueStore,
  StreamsBuilder,
  stores,
  string,
  type Topology,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

/** A promise that the test settles by hand. */
function controlled() {
  const waiting: {
    readonly value: string
    readonly finish: (result: string) => void
    readonly fail: (error: Error) => void
  }[] = []
  return {
    waiting,
    call: (value: string) =>
      new Promise<string>((resolve, reject) => waiting.push({ value, finish: resolve, fail: reject })),
    finish(value: string) {
      const at = waiting.findIndex((call) => call.value === value)
      waiting.splice(at, 1)[0]!.finish(value.toUpperCase())
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function open(topology: Topology) {
  const driver = new TopologyTestDriver(topology)
  const serdes = { key: string(), value: string() }
  return { driver, input: driver.createInputTopic('in', serdes), output: driver.createOutputTopic('out', serdes) }
}

function upperCase(
  call: (value: string) => Promise<string>,
  options: { readonly concurrency?: number; readonly order?: 'key' | 'partition' } = {},
): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .mapValuesAsync((value) => call(value), { value: string(), ...options })
    .to('out')
  return builder.build()
}

describe('mapValuesAsync', () => {
  test('results of one key leave in the order of its records, other keys overtake them', async () => {
    const calls = controlled()
    const { driver, input, output } = open(upperCase(calls.call))
    input.pipeKeyValueList([
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ])
    expect(calls.waiting.map(({ value }) => value)).toEqual(['a1', 'b1'])
    calls.finish('b1')
    await turn()
    const drained = driver.drain()
    await turn()
    expect(output.readKeyValuesToList()).toEqual([['b', 'B1']])
    calls.finish('a1')
    await turn()
    expect(calls.waiting.map(({ value }) => value)).toEqual(['a2'])
    calls.finish('a2')
    await drained
    expect(output.readKeyValuesToList()).toEqual([
      ['a', 'A1'],
      ['a', 'A2'],
    ])
  })

  test('with the order of the partition calls run side by side and results wait for those before them', async () => {
    const calls = controlled()
    const { driver, input, output } = open(upperCase(calls.call, { order: 'partition' }))
    input.pipeKeyValueList([
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ])
    expect(calls.waiting.map(({ value }) => value)).toEqual(['a1', 'a2', 'b1'])
    const drained = driver.drain()
    calls.finish('b1')
    calls.finish('a2')
    await turn()
    expect(output.isEmpty).toBe(true)
    calls.finish('a1')
    await drained
    expect(output.readValuesToList()).toEqual(['A1', 'A2', 'B1'])
  })

  test('no more calls run at a time than the concurrency allows', async () => {
    let running = 0
    let most = 0
    const call = async (value: string): Promise<string> => {
      most = Math.max(most, ++running)
      await turn()
      running--
      return value
    }
    const { driver, input, output } = open(upperCase(call, { concurrency: 3 }))
    for (let i = 0; i < 100; i++) input.pipeInput(`key-${i}`, `value-${i}`)
    await driver.drain()
    expect(most).toBe(3)
    expect(output.queueSize).toBe(100)
  })

  test('a call that fails is tried again with its number, and its record goes on when it succeeds', async () => {
    const attempts: number[] = []
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .mapValuesAsync(
        async (value, _key, { attempt }) => {
          attempts.push(attempt)
          if (attempt < 3) throw new Error('not yet')
          return value
        },
        { retries: 5, value: string() },
      )
      .to('out')
    const { driver, input, output } = open(builder.build())
    input.pipeInput('k', 'v', 42)
    await driver.drain()
    expect(attempts).toEqual([1, 2, 3])
    expect(output.readRecord()).toMatchObject({ key: 'k', value: 'v', timestampMs: 42 })
  })

  test('a call that takes too long fails, and its signal says so', async () => {
    const reasons: unknown[] = []
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .mapValuesAsync(
        (_value, _key, { signal }) =>
          new Promise<string>(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
        { timeoutMs: 500, value: string(), onError: () => 'continue' },
      )
      .to('out')
    const { driver, input, output } = open(builder.build())
    input.pipeInput('k', 'v')
    await turn()
    driver.advanceWallClockTime(499)
    await turn()
    expect(driver.dropped.size).toBe(0)
    driver.advanceWallClockTime(1)
    await driver.drain()
    expect(String(reasons[0])).toContain('500 ms')
    expect(output.isEmpty).toBe(true)
    expect([...driver.dropped]).toEqual([['KSTREAM-MAPVALUESASYNC-0000000001/async-call-failed', 1]])
  })

  test('drain() says which calls keep it waiting, and goes on once their timeout has come', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .mapValuesAsync(() => new Promise<string>(() => undefined), {
        name: 'ask',
        timeoutMs: 20,
        value: string(),
        onError: () => 'continue',
      })
      .to('out')
    const { driver, input } = open(builder.build())
    input.pipeKeyValueList([
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ])
    const failure = await driver.drain({ patienceMs: 10 }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 'ILLEGAL_STATE' })
    expect(String(failure)).toMatch(/2 of "ask".*advanceWallClockTime\(20\)/)
    driver.advanceWallClockTime(20)
    await expect(driver.drain({ patienceMs: 10 })).rejects.toThrow(/1 of "ask"/)
    driver.advanceWallClockTime(20)
    await driver.drain()
    expect([...driver.dropped]).toEqual([['ask/async-call-failed', 3]])
  })

  test('the patience of drain() begins anew with each try', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .mapValuesAsync(
        async (value, _key, { attempt }) => {
          await new Promise((resolve) => setTimeout(resolve, 120))
          if (attempt < 4) throw new Error('not yet')
          return value
        },
        { retries: 3, value: string() },
      )
      .to('out')
    const { driver, input, output } = open(builder.build())
    input.pipeInput('k', 'v')
    await driver.drain({ patienceMs: 300 })
    expect(output.readValuesToList()).toEqual(['v'])
  })

  test('a failure without a policy is the processing handler’s to decide, and stops the application by default', async () => {
    const failing = upperCase(async () => {
      throw new Error('the service is away')
    })
    const { driver, input } = open(failing)
    input.pipeInput('k', 'v')
    await expect(driver.drain()).rejects.toThrow(/KSTREAM-MAPVALUESASYNC-0000000001.*the service is away/)

    const tolerant = new TopologyTestDriver(failing, { handlers: { processing: () => 'continue' } })
    tolerant.createInputTopic('in', { key: string(), value: string() }).pipeInput('k', 'v')
    await tolerant.drain()
    expect([...tolerant.dropped.values()]).toEqual([1])
  })

  test('an onError that throws, or decides nothing, is named, and hides the failure of the call no more', async () => {
    const failing = async (): Promise<string> => {
      throw new Error('the service is away')
    }
    const failureOf = async (onError: () => unknown): Promise<Error> => {
      const builder = new StreamsBuilder()
      builder
        .stream('in', { key: string(), value: string() })
        .mapValuesAsync(failing, { value: string(), name: 'ask', onError: onError as () => 'fail' })
        .to('out')
      const { driver, input } = open(builder.build())
      input.pipeInput('k', 'v')
      return driver.drain().then(
        () => new Error('it went on'),
        (error: Error) => error,
      )
    }
    const threw = await failureOf(() => {
      throw new TypeError('no such table')
    })
    expect(threw.message).toMatch(/the onError threw no such table; it was asked about "ask": .*the service is away/)
    const { errors } = threw.cause as AggregateError
    expect(errors.map(({ message }: Error) => message)).toEqual(['the service is away', 'no such table'])
    const said = await failureOf(() => 'skip')
    expect(said.message).toMatch(
      /the onError must return 'fail' or 'continue', and returned "skip".*the service is away/,
    )
    expect((await failureOf(async () => 'continue')).message).toMatch(/and returned an object of class Promise/)
  })

  test('keys that are objects need a serde to be told apart', () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .selectKey((key) => ({ key }))
      .mapValuesAsync(async (value) => value, { value: string() })
      .forEach(() => undefined)
    const driver = new TopologyTestDriver(builder.build())
    const input = driver.createInputTopic('in', { key: string(), value: string() })
    expect(() => input.pipeInput('k', 'v')).toThrow(/key serde, or use order: 'partition'/)
  })

  test('limits that make no sense are refused by name', () => {
    const stream = new StreamsBuilder().stream('in', { key: string(), value: string() })
    expect(() => stream.mapValuesAsync(async (value) => value, { concurrency: 0 })).toThrow(ArgumentError)
    expect(() => stream.mapValuesAsync(async (value) => value, { retries: -1 })).toThrow(/retries.*0 or more; got -1/)
  })
})

test('flatMapValuesAsync forwards each of the values of a result', async () => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .flatMapValuesAsync(async (value) => value.split(' '), { value: string() })
    .to('out')
  const { driver, input, output } = open(builder.build())
  input.pipeInput('k', 'one two three')
  await driver.drain()
  expect(output.readValuesToList()).toEqual(['one', 'two', 'three'])
})

test('processAsync calls outside and applies inside, where it may use its store', async () => {
  const builder = new StreamsBuilder()
  const supplier = Object.assign(
    () => {
      let store: KeyValueStore<string, number>
      let forward: (record: { key: string; value: number; timestampMs: number; headers: [] }) => void
      return {
        init(context: { getStateStore(name: string): unknown; forward: typeof forward }) {
          store = context.getStateStore('sums') as typeof store
          forward = (record) => context.forward(record)
        },
        call: async ({ value }: { value: string }) => value.length,
        apply(length: number, { key, timestampMs }: { key: string; timestampMs: number }) {
          const sum = (store.get(key) ?? 0) + length
          store.put(key, sum)
          forward({ key, value: sum, timestampMs, headers: [] })
        },
      }
    },
    { stores: [stores.keyValue({ name: 'sums', key: string(), value: int64() })] },
  )
  builder
    .stream('in', { key: string(), value: string() })
    .processAsync<number, string, number>(supplier, { key: string(), value: json<number>() })
    .to('out')
  const driver = new TopologyTestDriver(builder.build())
  const input = driver.createInputTopic('in', { key: string(), value: string() })
  const output = driver.createOutputTopic('out', { key: string(), value: json<number>() })
  input.pipeKeyValueList([
    ['k', 'four'],
    ['k', 'seven..'],
  ])
  await driver.drain()
  expect(output.readValuesToList()).toEqual([4, 11])
})
