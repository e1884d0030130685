import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BrokerError } from '../../src/common/errors.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, type LogProducer, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

const never = 3_600_000
let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linger-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic: 'out', partitions: 1 },
  ])
})

afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function openCounts(log: Broker): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts', caching: false } })
    .toStream()
    .mapValues((count) => `${count}`, { value: string() })
    .to('out')
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker: log,
    stateDir: join(folder, 'state'),
    processingGuarantee: 'at-least-once',
    commitIntervalMs: never,
    logger: silentLogger,
  })
}

async function write(records: number): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < records; i++) producer.append('in', 0, Buffer.from(`key-${i}`), Buffer.from('value'), 1000)
  await producer.flush()
  await producer.close()
}

const written = async (): Promise<string[]> =>
  (await readAll(broker, 'out')).map(({ key, value }) => `${key?.toString()} ${value?.toString()}`)

const committed = async (): Promise<number> =>
  (await broker.admin.committedOffsets('app', [{ topic: 'in', partition: 0 }], { requireStable: false }))[0]!.offset

/** A broker whose producers' flushes are seen. */
const withFlush = (flush: (producer: LogProducer) => Promise<void>): Broker => ({
  admin: broker.admin,
  openReader: (options) => broker.openReader(options),
  openGroupMember: (options) => broker.openGroupMember(options),
  close: () => Promise.resolve(),
  async openProducer(options) {
    const inner = await broker.openProducer(options)
    return {
      append: (...record) => inner.append(...record),
      flush: () => flush(inner),
      get pendingBytes() {
        return inner.pendingBytes
      },
      nextOffset: (topic, partition) => inner.nextOffset(topic, partition),
      sendOffsets: (group, offsets) => inner.sendOffsets(group, offsets),
      commitOffsets: (group, offsets) => inner.commitOffsets(group, offsets),
      commit: () => inner.commit(),
      abort: () => inner.abort(),
      close: () => inner.close(),
    }
  },
})

/** The first commit comes with the first record; after it there is none but for a reason. */
async function start(streams: Streams): Promise<void> {
  await streams.start()
  await write(1)
  await eventually('the first commit', async () => (await committed()) === 1)
}

test('under at-least-once results are there long before the commit', async () => {
  const streams = openCounts(broker)
  await start(streams)
  await write(3)
  await eventually('the results are there', async () => (await written()).length === 4)
  expect(await committed()).toBe(1)
  await streams.close()
  expect(await committed()).toBe(4)
  expect(await written()).toEqual(['key-0 1', 'key-0 2', 'key-1 1', 'key-2 1'])
})

test('what comes while a request is under way goes out with the next, and the commit waits for both', async () => {
  let [flushes, isHeld] = [0, false]
  const answer = Promise.withResolvers<void>()
  const streams = openCounts(
    withFlush(async (producer) => {
      flushes++
      if (isHeld && flushes === 1) await answer.promise
      await producer.flush()
    }),
  )
  await start(streams)
  flushes = 0
  isHeld = true
  await write(1)
  await eventually('something is being sent', () => Promise.resolve(flushes === 1))
  await write(1)
  await eventually('all is counted', () =>
    Promise.resolve(streams.describeState().tasks.some(({ recordsProcessed }) => recordsProcessed === 3)),
  )
  expect(flushes).toBe(1)
  const closed = streams.close()
  answer.resolve()
  await closed
  expect(await written()).toEqual(['key-0 1', 'key-0 2', 'key-0 3'])
  expect(await committed()).toBe(3)
})

test('what was sent early and failed is done again, at once, and its position is not committed before', async () => {
  let isFailing = false
  const positions: number[] = []
  const streams = openCounts(
    withFlush(async (producer) => {
      if (isFailing) {
        isFailing = false
        positions.push(await committed())
        throw new BrokerError('DELIVERY_UNCONFIRMED', 'nobody knows', { retryable: true, written: 'unknown' })
      }
      await producer.flush()
    }),
  )
  await start(streams)
  isFailing = true
  await write(3)
  // Once by the commit that fails with it, and once more by who does it again.
  await eventually('it is done again', async () => (await written()).length === 7)
  expect(positions).toEqual([1])
  expect(await committed()).toBe(1)
  await streams.close()
  expect(await committed()).toBe(4)
  // What is done again may count again: that is at-least-once.
  expect(await written()).toEqual(expect.arrayContaining(['key-0 1', 'key-0 2', 'key-1 1', 'key-2 1']))
})
