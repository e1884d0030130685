import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'async-streams-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(
    ['slow-in', 'fast-in', 'slow-out', 'fast-out'].map((topic) => ({ topic, partitions: 1 })),
  )
})

afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function write(topic: string, values: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const value of values) producer.append(topic, 0, Buffer.from('k'), Buffer.from(value), 1000)
  await producer.flush()
  await producer.close()
}

const values = async (topic: string): Promise<readonly (string | null)[]> =>
  (await readAll(broker, topic)).map(({ value }) => value)

test('a call that takes its time holds nobody else’s commit, and its own offset waits for it', async () => {
  const calls: ((value: string) => void)[] = []
  const builder = new StreamsBuilder()
  const serdes = { key: string(), value: string() }
  builder
    .stream('slow-in', serdes)
    .mapValuesAsync(() => new Promise<string>((resolve) => calls.push(resolve)), { value: string() })
    .to('slow-out')
  builder
    .stream('fast-in', serdes)
    .mapValues((value) => value.toUpperCase(), { value: string() })
    .to('fast-out')
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'two-speeds',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
  })
  await streams.start()
  await write('slow-in', ['one'])
  await eventually('the call is made', () => calls.length === 1)
  await write('fast-in', ['a', 'b'])
  await eventually('the fast stream is committed', async () => (await values('fast-out')).length === 2)
  const offset = async (): Promise<number> => {
    const at = [{ topic: 'slow-in', partition: 0 }]
    return (await broker.admin.committedOffsets('two-speeds', at, { requireStable: false }))[0]!.offset
  }
  expect(await offset()).toBe(-1)
  expect(await values('slow-out')).toEqual([])
  calls[0]!('done')
  await eventually('the slow stream is committed', async () => (await values('slow-out')).length === 1)
  await eventually('and so is its offset', async () => (await offset()) === 1)
  await streams.close()
  expect(streams.state).toBe('closed')
})

test('a close waits for the calls under way and commits what they gave', async () => {
  let begun = 0
  const builder = new StreamsBuilder()
  builder
    .stream('slow-in', { key: string(), value: string() })
    .mapValuesAsync(
      async (value) => {
        begun++
        await new Promise((resolve) => setTimeout(resolve, 30))
        return `${value} done`
      },
      { value: string(), order: 'partition' },
    )
    .to('slow-out')
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'closing',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 60_000,
  })
  await streams.start()
  await write('slow-in', ['a', 'b', 'c'])
  await eventually('the calls are made', () => begun === 3)
  await streams.close()
  expect(await values('slow-out')).toEqual(['a done', 'b done', 'c done'])
})

/** An application whose calls a test answers, or does not. */
function asking(
  call: (value: string, signal: AbortSignal) => Promise<string>,
  options: { readonly timeoutMs?: number; readonly retries?: number; readonly backoffMs?: number } = {},
  processingGuarantee: 'exactly-once' | 'at-least-once' = 'exactly-once',
): Streams {
  const builder = new StreamsBuilder()
  const serdes = { key: string(), value: string() }
  builder
    .stream('slow-in', serdes)
    .mapValuesAsync((value, _key, { signal }) => call(value, signal), {
      name: 'ask',
      value: string(),
      order: 'partition',
      ...options,
    })
    .to('slow-out')
  builder
    .stream('fast-in', serdes)
    .mapValues((value) => value.toUpperCase(), { value: string() })
    .to('fast-out')
  return new Streams({
    topology: builder.build(),
    applicationId: 'asking',
    broker,
    processingGuarantee,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 60_000,
  })
}

const answer = async (value: string): Promise<string> => `${value} done`

async function expectClosed(streams: Streams, withinMs: number): Promise<void> {
  const start = Date.now()
  await streams.close()
  expect(Date.now() - start).toBeLessThan(withinMs)
  expect(streams.state).toBe('closed')
  expect(await streams.stopped).toBeNull()
}

/** Starts again with a service that answers: every record has its result, and has it once. */
async function expectEachOnce(inputs: readonly string[]): Promise<void> {
  const asked: string[] = []
  const streams = asking((value) => {
    asked.push(value)
    return answer(value)
  })
  await streams.start()
  await write('slow-in', ['last'])
  await eventually('everything was asked', () => asked.at(-1) === 'last')
  await streams.close()
  expect(await values('slow-out')).toEqual([...inputs, 'last'].map((value) => `${value} done`))
}

test('a close does not wait for a call that never answers: its record is read again, and each result is there once', async () => {
  const signals: AbortSignal[] = []
  const streams = asking((value, signal) => {
    signals.push(signal)
    // One result leaves before the call that hangs: it is in the same transaction.
    return value === 'a' ? answer(value) : new Promise<string>(() => undefined)
  })
  await streams.start()
  await write('slow-in', ['a', 'b', 'c'])
  await write('fast-in', ['x'])
  await eventually('the calls are made', () => signals.length === 3)
  await expectClosed(streams, 8000)
  expect(signals.slice(1).map(({ aborted }) => aborted)).toEqual([true, true])
  expect(await values('slow-out')).toEqual([])
  expect(await values('fast-out')).toEqual(['X'])
  await expectEachOnce(['a', 'b', 'c'])
}, 20_000)

test('a close lets a call run into its timeout and begins no retry', async () => {
  let tries = 0
  const streams = asking(
    () => {
      tries++
      return new Promise<string>(() => undefined)
    },
    { timeoutMs: 300, retries: 5 },
  )
  await streams.start()
  await write('slow-in', ['a'])
  await eventually('the call is made', () => tries === 1)
  await expectClosed(streams, 2000)
  expect(tries).toBe(1)
  await expectEachOnce(['a'])
})

test('a close does not wait for the time before a retry', async () => {
  let tries = 0
  const streams = asking(
    async () => {
      tries++
      throw new Error('away')
    },
    { retries: 3, backoffMs: 5000 },
  )
  await streams.start()
  await write('slow-in', ['a'])
  await eventually('the call has failed once', () => tries === 1)
  await expectClosed(streams, 2000)
  expect(tries).toBe(1)
  await expectEachOnce(['a'])
})

test('a call that fails for good while the application closes is asked again at the next start', async () => {
  let fail: ((error: Error) => void) | null = null
  const streams = asking(() => new Promise<string>((_resolve, reject) => (fail = reject)))
  await streams.start()
  await write('slow-in', ['a'])
  await eventually('the call is made', () => fail !== null)
  setTimeout(() => fail!(new Error('away')), 50)
  await expectClosed(streams, 2000)
  await expectEachOnce(['a'])
})

test('with at least once a close that gives up a call commits no offset past its record', async () => {
  const asked: string[] = []
  const streams = asking(
    (value) => {
      asked.push(value)
      return value === 'a' ? answer(value) : new Promise<string>(() => undefined)
    },
    { timeoutMs: 300 },
    'at-least-once',
  )
  await streams.start()
  await write('slow-in', ['a', 'b'])
  await eventually('the calls are made', () => asked.length === 2)
  await expectClosed(streams, 2000)
  const again = asking(answer, {}, 'at-least-once')
  await again.start()
  await eventually('the record is asked again', async () => (await values('slow-out')).includes('b done'))
  await expectClosed(again, 2000)
})
