import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import type { Broker, LogProducer } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'

/** What only a broker that stops, stalls, refuses or dies can show. It always has a broker of its own. */
let kafka: LocalKafka
let broker: Broker
let topic: string
let counter = 0

beforeAll(async () => {
  kafka = await startLocalKafka()
})
afterAll(() => kafka?.stop())
beforeEach(async () => {
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  topic = `faults-${counter++}`
  await broker.admin.createTopics([{ topic, partitions: 2 }])
})
afterEach(async () => {
  kafka.kill('SIGCONT')
  await broker.close()
})

/**
 * Of this day: a broker forgets the sequences of a producer whose last *record* is older than a day
 * (`producer.id.expiration.ms`) when it restarts, and then appends a repeated batch twice.
 */
const nowMs = Date.now()
const range = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

/** Everything committed in a partition. */
async function valuesOf(partition: number, from: Broker = broker): Promise<string[]> {
  const end = (await from.admin.listOffsets([{ topic, partition }], 'latest-stable'))[0]!
  const reader = from.openReader()
  reader.assign([{ topic, partition, offset: 0 }])
  const values: string[] = []
  for (let position = 0; position < end;) {
    for (const { records } of await reader.poll(5000)) {
      while (records.next()) values.push(records.value()!.toString())
      position = records.position
    }
  }
  await reader.close()
  return values
}

async function writeAndCommit(producer: LogProducer, value: string): Promise<void> {
  producer.append(topic, 0, null, value, nowMs)
  await producer.commit()
}

test('a producer that waits for a topic that was deleted says so, long before its time is over', async () => {
  const told: object[] = []
  const silent = (): void => undefined
  const logger = { debug: silent, info: silent, warn: (event: object) => told.push(event), error: silent }
  const telling = kafkaBroker({ bootstrapServers: kafka.bootstrapServers, logger })
  const producer = await telling.openProducer()
  producer.append(topic, 1, null, 'v', nowMs)
  await producer.flush()
  await broker.admin.deleteTopics([topic])
  producer.append(topic, 1, null, 'v', nowMs)
  const flushed = producer.flush().catch(() => undefined)
  const event = { event: 'produce.waiting', topic, partition: 1, partitions: 1 }
  await expect.poll(() => told, { timeout: 20_000 }).toContainEqual(event)
  await telling.close()
  await flushed
})

test('a producer and a reader ride out a broker that is killed and comes back: nothing lost, nothing twice, in order', async () => {
  const producer = await broker.openProducer()
  const reader = broker.openReader()
  reader.assign([0, 1].map((partition) => ({ topic, partition, offset: 0 })))
  const total = 3000
  const seen: string[][] = [[], []]
  const reading = (async () => {
    while (seen[0]!.length + seen[1]!.length < total) {
      for (const { partition, records } of await reader.poll(1000)) {
        while (records.next()) seen[partition]!.push(records.value()!.toString())
      }
    }
  })()
  const flushes: Promise<void>[] = []
  let restarting: Promise<void> | null = null
  for (let i = 0; i < total; i++) {
    producer.append(topic, i % 2, null, String(i), nowMs)
    flushes.push(producer.flush())
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    if (i === 500) restarting = kafka.restart({ signal: 'SIGKILL' })
  }
  await restarting
  await Promise.all(flushes)
  await reading
  const expected = range(total)
  expect(seen[0]).toEqual(expected.filter((_, i) => i % 2 === 0))
  expect(seen[1]).toEqual(expected.filter((_, i) => i % 2 === 1))
  await reader.close()
})

test('a transaction that a restart falls into is committed, and the next one too', async () => {
  const producer = await broker.openProducer({ transactionalId: topic })
  producer.append(topic, 0, null, 'before', nowMs)
  await producer.flush()
  const restarting = kafka.restart()
  producer.append(topic, 0, null, 'during', nowMs)
  await producer.commit()
  await restarting
  await writeAndCommit(producer, 'after')
  await expect.poll(() => valuesOf(0), { timeout: 10_000 }).toEqual(['before', 'during', 'after'])
})

test('a commit whose answer is lost is asked for again until it is known', async () => {
  const producer = await broker.openProducer({ transactionalId: topic })
  producer.append(topic, 0, null, 'once', nowMs)
  await producer.flush()
  kafka.kill('SIGSTOP')
  const committing = producer.commit()
  await new Promise((resolve) => setTimeout(resolve, 500))
  await kafka.restart({ signal: 'SIGKILL' })
  await committing
  await writeAndCommit(producer, 'next')
  await expect.poll(() => valuesOf(0), { timeout: 10_000 }).toEqual(['once', 'next'])
})

test('a transaction that timed out can be aborted, and its producer goes on', async () => {
  const producer = await broker.openProducer({ transactionalId: topic, transactionTimeoutMs: 1000 })
  producer.append(topic, 0, null, 'too late', nowMs)
  await producer.flush()
  const isAborted = async (): Promise<boolean> =>
    (await broker.admin.listOffsets([{ topic, partition: 0 }], 'latest-stable'))[0]! > 0
  await expect.poll(isAborted, { timeout: 30_000 }).toBe(true)
  await expect(producer.commit()).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
  await producer.abort()
  await writeAndCommit(producer, 'in time')
  await expect.poll(() => valuesOf(0), { timeout: 10_000 }).toEqual(['in time'])
})

test('what a stalled broker does not answer in time is unknown, and later records go on without it', async () => {
  const producer = await broker.openProducer({ deliveryTimeoutMs: 1000 })
  producer.append(topic, 0, null, 'first', nowMs)
  await producer.flush()
  kafka.kill('SIGSTOP')
  const told: (string | undefined)[] = []
  producer.append(topic, 0, null, 'stalled', nowMs, [], (error) => told.push(error?.message))
  const startedMs = Date.now()
  await expect(producer.flush()).rejects.toMatchObject({
    code: 'DELIVERY_UNCONFIRMED',
    written: 'unknown',
    retryable: true,
  })
  expect(Date.now() - startedMs).toBeLessThan(5000)
  expect(told).toEqual([expect.stringContaining(`${topic} partition 0`)])
  expect(producer.pendingBytes).toBe(0)
  kafka.kill('SIGCONT')
  producer.append(topic, 0, null, 'later', nowMs)
  await expect.poll(() => producer.flush().then(() => 'flushed', String), { timeout: 20_000 }).toBe('flushed')
  const values = (await valuesOf(0)).filter((value) => value !== 'stalled')
  expect(values).toEqual(['first', 'later'])
})

test('what was never sent is known not to be written', async () => {
  const nobody = kafkaBroker({ bootstrapServers: '127.0.0.1:1' })
  const producer = await nobody.openProducer({ deliveryTimeoutMs: 500 })
  producer.append(topic, 0, null, 'x', nowMs)
  await expect(producer.flush()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE', written: 'no', retryable: true })
  await nobody.close()
})

test('a topic that does not exist is waited for, and then known not to be written', async () => {
  const producer = await broker.openProducer({ deliveryTimeoutMs: 500 })
  producer.append(`${topic}-missing`, 0, null, 'x', nowMs)
  producer.append(topic, 0, null, 'y', nowMs)
  await expect(producer.flush()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE', written: 'no' })
  expect(await valuesOf(0)).toEqual(['y'])
})

test('a record that the broker refuses is known not to be written; records before and after it are', async () => {
  const producer = await broker.openProducer()
  producer.append(topic, 0, null, 'before', nowMs)
  await producer.flush()
  producer.append(topic, 0, null, Buffer.alloc(2_000_000), nowMs)
  producer.append(topic, 0, null, 'after', nowMs)
  producer.append(topic, 1, null, 'other partition', nowMs)
  await expect(producer.flush()).rejects.toMatchObject({ code: 'BROKER_REFUSED', written: 'no', retryable: false })
  expect(await valuesOf(0)).toEqual(['before', 'after'])
  expect(await valuesOf(1)).toEqual(['other partition'])
  expect(producer.nextOffset(topic, 0)).toBe(2)
})

test('a refused record fails its transaction; after the abort the producer goes on', async () => {
  const producer = await broker.openProducer({ transactionalId: topic })
  await writeAndCommit(producer, 'first')
  producer.append(topic, 0, null, Buffer.alloc(2_000_000), nowMs)
  await expect(producer.flush()).rejects.toMatchObject({ code: 'BROKER_REFUSED' })
  producer.append(topic, 0, null, 'in vain', nowMs)
  await expect(producer.commit()).rejects.toMatchObject({ code: 'BROKER_REFUSED' })
  await expect(producer.commit()).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
  await producer.abort()
  await writeAndCommit(producer, 'second')
  await expect.poll(() => valuesOf(0), { timeout: 10_000 }).toEqual(['first', 'second'])
})

test('thousands of flushes one after the other all end', async () => {
  const producer = await broker.openProducer()
  for (const value of range(3000)) {
    producer.append(topic, 0, null, value, nowMs)
    await producer.flush()
  }
  expect(await valuesOf(0)).toEqual(range(3000))
})

test('more than one request can hold is sent in several', async () => {
  const wide = `${topic}-wide`
  await broker.admin.createTopics([{ topic: wide, partitions: 40 }])
  const producer = await broker.openProducer({ compression: 'lz4' })
  const partitions = Array.from({ length: 40 }, (_, partition) => ({ topic: wide, partition }))
  for (const { partition } of partitions) {
    for (let i = 0; i < 3; i++) producer.append(wide, partition, null, Buffer.alloc(900_000, i), nowMs)
  }
  expect(producer.pendingBytes).toBeGreaterThan(40 * 3 * 900_000)
  await producer.flush()
  expect(producer.pendingBytes).toBe(0)
  expect(await broker.admin.listOffsets(partitions, 'latest')).toEqual(partitions.map(() => 3))
})

test('a partition with much to read is not held up by an idle one, nor kept from its turn by a full one', async () => {
  const producer = await broker.openProducer()
  for (let i = 0; i < 20; i++) producer.append(topic, 0, null, Buffer.alloc(500_000, i), nowMs)
  await producer.flush()
  const reader = broker.openReader({ partitionMaxBytes: 600_000 })
  reader.assign([0, 1].map((partition) => ({ topic, partition, offset: 0 })))
  const startedMs = Date.now()
  for (let position = 0; position < 20;) {
    for (const { records } of await reader.poll(5000)) {
      while (records.next());
      position = records.position
    }
    await new Promise((resolve) => setTimeout(resolve, 20)) // the caller is busy while the next fetch arrives
  }
  // Ten requests; each would take the 500 ms of a long poll if it were only sent for the idle partition.
  expect(Date.now() - startedMs).toBeLessThan(3000)
  await reader.close()
})
