import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  BrokerError,
  type LogProducer,
  Streams,
  StreamsBuilder,
  string,
  TransactionAbortableError,
} from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
/** What the producers of the application do instead of a commit. */
let failCommit: (() => Promise<void>) | null

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'closing-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  failCommit = null
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic: 'out', partitions: 1 },
  ])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function open(overrides: Partial<Broker> = {}): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .repartition({ name: 'again', key: string(), value: string() })
    .to('out')
  const faulty: Broker = {
    admin: broker.admin,
    openReader: (options) => broker.openReader(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    async openProducer(options) {
      const producer = await broker.openProducer(options)
      const commit = producer.commit.bind(producer)
      const failing: LogProducer = Object.assign(Object.create(producer) as LogProducer, {
        append: producer.append.bind(producer),
        flush: producer.flush.bind(producer),
        abort: producer.abort.bind(producer),
        close: producer.close.bind(producer),
        sendOffsets: producer.sendOffsets.bind(producer),
        nextOffset: producer.nextOffset.bind(producer),
        commit: () => (failCommit === null ? commit() : failCommit()),
      })
      return failing
    },
    ...overrides,
  }
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker: faulty,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
  })
}

async function write(value: string): Promise<void> {
  const producer = await broker.openProducer()
  producer.append('in', 0, Buffer.from('k'), Buffer.from(value), 1000)
  await producer.flush()
  await producer.close()
}
const out = async (): Promise<(string | null)[]> => (await readAll(broker, 'out')).map(({ value }) => value)

test('a close whose last commit fails is a close: what it would have committed is done again by the next', async () => {
  const streams = open()
  await streams.start()
  failCommit = () => Promise.reject(new TransactionAbortableError('lost'))
  await write('a')
  // Processed, and about to be committed.
  await eventually('it has read', () =>
    streams.describeState().tasks.some(({ recordsProcessed }) => recordsProcessed > 0),
  )
  await streams.close()
  expect(streams.state).toBe('closed')
  expect(await streams.stopped).toBeNull()
  expect(await out()).toEqual([])
  failCommit = null
  const next = open()
  await next.start()
  await eventually('the record', async () => (await out()).length === 1)
  await next.close()
})

test('a close while the log is away is a close', async () => {
  const unavailable = new BrokerError('BROKER_UNAVAILABLE', 'away', { retryable: true })
  const streams = open({ admin: { ...broker.admin, describeTopics: () => Promise.reject(unavailable) } })
  const starting = streams.start()
  starting.catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 30))
  await streams.close()
  expect(streams.state).toBe('closed')
  await expect(starting).rejects.toThrow('closed before it was running')
})

test('a close does not wait longer than it is told for a log that does not answer', async () => {
  const streams = open()
  await streams.start()
  let release: () => void = () => undefined
  failCommit = () => new Promise((resolve) => (release = resolve))
  await write('a')
  await eventually('it commits', () =>
    streams.describeState().tasks.some(({ recordsProcessed }) => recordsProcessed > 0),
  )
  const startedMs = performance.now()
  expect(await streams.close({ timeoutMs: 100 })).toBe(false)
  expect(performance.now() - startedMs).toBeLessThan(5000)
  release()
  expect(await streams.close()).toBe(true)
  expect(streams.state).toBe('closed')
})

test('records that were deleted before they were read are skipped with a warning, by the source’s offsetReset', async () => {
  const warnings: object[] = []
  const builder = new StreamsBuilder()
  builder.stream('in', { key: string(), value: string() }).to('out')
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    error: () => undefined,
    warn: (fields: object) => void warnings.push(fields),
  }
  const make = (): Streams =>
    new Streams({
      topology: builder.build(),
      applicationId: 'late',
      broker,
      stateDir: join(folder, 'late'),
      commitIntervalMs: 10,
      logger,
    })
  await write('a')
  const first = make()
  await first.start()
  await eventually('a', async () => (await out()).length === 1)
  await first.close()
  for (const value of ['b', 'c', 'd']) await write(value)
  await broker.admin.deleteRecords([{ topic: 'in', partition: 0, offset: 3 }])
  const second = make()
  await second.start()
  await eventually('d', async () => (await out()).includes('d'))
  await second.close()
  expect(await out()).toEqual(['a', 'd'])
  expect(warnings).toContainEqual({
    event: 'input.outside-the-log',
    topic: 'in',
    partition: 0,
    committed: 1,
    offset: 3,
  })
})
