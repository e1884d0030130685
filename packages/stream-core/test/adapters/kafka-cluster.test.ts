import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type LocalKafka, runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import {
  type Broker,
  BrokerError,
  Streams,
  StreamsBuilder,
  string,
  TransactionAbortableError,
} from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { eventually, readAll } from '../support/log-records.ts'

/**
 * Three brokers, of which some are always being killed, stopped or started, and leaders that move back as soon as they can:
 * the partitions of one request soon have leaders of their own. What was acknowledged is there once and in order.
 */
const partitionCount = 6
const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
let kafka: LocalKafka
let broker: Broker
let counter = 0
let isRunning = true

beforeAll(async () => {
  kafka = await startLocalKafka({
    brokers: 3,
    properties: { 'leader.imbalance.check.interval.seconds': '1', 'leader.imbalance.per.broker.percentage': '0' },
  })
})
afterAll(() => kafka?.stop())
beforeEach(async () => {
  isRunning = true
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
})
afterEach(async () => {
  isRunning = false
  await broker.close()
  for (const node of kafka.nodes) node.kill('SIGCONT')
  await Promise.all(kafka.nodes.map((node) => node.start()))
})

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Fault = (kafka: LocalKafka) => Promise<void>

/** Each broker leads a third of the partitions, and is a coordinator for some: each has its turn. */
const faults: readonly (readonly [string, Fault])[] = [
  [
    'is killed, one after the other, and comes back',
    async ({ nodes }) => {
      for (const node of nodes) {
        await node.stop('SIGKILL')
        await delay(1000)
        await node.start()
        await delay(1000)
      }
    },
  ],
  [
    'is restarted in good order, one after the other',
    async ({ nodes }) => {
      for (const node of nodes) await node.restart()
    },
  ],
  [
    'hangs for longer than it is waited for, one after the other',
    async ({ nodes }) => {
      for (const node of nodes) {
        node.kill('SIGSTOP')
        await delay(5000)
        node.kill('SIGCONT')
        await delay(2000)
      }
    },
  ],
  [
    'is killed, two at once',
    async ({ nodes }) => {
      await Promise.all([nodes[0]!.stop('SIGKILL'), nodes[1]!.stop('SIGKILL')])
      await delay(2000)
      for (const node of nodes) node.launch()
      await Promise.all(nodes.map((node) => node.untilReady()))
    },
  ],
]

/** Reads everything of a topic until told where the end is; by partition. */
function follow(topic: string, isolation: 'read_committed' | 'read_uncommitted') {
  const reader = broker.openReader({ isolation, partitionMaxBytes: 4000 })
  reader.assign(allOf(topic).map((partition) => ({ ...partition, offset: 0 })))
  const values: string[][] = partitions.map(() => [])
  const positions = partitions.map(() => 0)
  let ends: readonly number[] | null = null
  const reading = (async () => {
    while (isRunning && (ends === null || positions.some((position, i) => position < ends![i]!))) {
      for (const { partition, records } of await reader.poll(200)) {
        while (records.next()) values[partition]!.push(records.value()!.toString())
        positions[partition] = records.position
      }
    }
    await reader.close()
  })()
  reading.catch(() => undefined) // "finish" tells
  return {
    values,
    async finish(): Promise<void> {
      ends = await broker.admin.listOffsets(allOf(topic), isolation === 'read_committed' ? 'latest-stable' : 'latest')
      await reading
    },
  }
}

const allOf = (topic: string) => partitions.map((partition) => ({ topic, partition }))
const range = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

/** Writes the same numbers to every partition while it should, each flushed by itself and many under way. */
async function writeRecords(topic: string, isOver: () => boolean): Promise<void> {
  const producer = await broker.openProducer({ compression: 'lz4' })
  const reader = follow(topic, 'read_uncommitted')
  const flushes: Promise<void>[] = []
  let written = 0
  for (; !isOver() || written < 200; written++) {
    for (const partition of partitions) producer.append(topic, partition, null, String(written), Date.now())
    flushes.push(producer.flush())
    if (written % 20 === 0) await flushes[Math.max(0, written - 200)]
    await delay(5)
  }
  await Promise.all(flushes)
  await reader.finish()
  for (const partition of partitions) expect(reader.values[partition]).toEqual(range(written))
}

/** Transactions over all partitions with offsets, of which every fourth is aborted. */
async function writeTransactions(topic: string, isOver: () => boolean): Promise<void> {
  const producer = await broker.openProducer({ transactionalId: topic })
  const reader = follow(topic, 'read_committed')
  const group = `${topic}-group`
  const expected: string[] = []
  for (let i = 0; !isOver() || expected.length < 20;) {
    try {
      for (const partition of partitions) {
        for (const part of ['a', 'b']) {
          producer.append(topic, partition, null, `${i}${part} ${'x'.repeat(500)}`, Date.now())
        }
        if (partition === 2) await producer.flush()
      }
      // In parts, at once: each has to count.
      await Promise.all(
        allOf(topic).map((partition) =>
          producer.sendOffsets(group, [{ ...partition, offset: i + 1, metadata: String(i) }]),
        ),
      )
      if (i % 4 === 3) await producer.abort()
      else {
        await producer.commit()
        expected.push(`${i}a`, `${i}b`)
      }
      i++
    } catch (error) {
      if (!(error instanceof TransactionAbortableError || (error instanceof BrokerError && error.retryable)))
        throw error
      await producer.abort()
    }
  }
  await producer.close()
  // A transaction is decided before its markers are written.
  const open = async (): Promise<number> => {
    const stable = await broker.admin.listOffsets(allOf(topic), 'latest-stable')
    const ends = await broker.admin.listOffsets(allOf(topic), 'latest')
    return ends.reduce((sum, end, i) => sum + end - stable[i]!, 0)
  }
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  await reader.finish()
  for (const partition of partitions) {
    expect(reader.values[partition]!.map((value) => value.split(' ')[0])).toEqual(expected)
  }
  const last = Number(expected.at(-1)!.slice(0, -1))
  const offsets = await broker.admin.committedOffsets(group, allOf(topic), { requireStable: true })
  expect(offsets.map(({ offset }) => offset)).toEqual(partitions.map(() => last + 1))
}

test.each(faults)('everything is there, once and in order, when each broker %s', async (_name, fault) => {
  const name = `cluster-${counter++}`
  const topics = [`${name}-records`, `${name}-transactions`] as const
  await broker.admin.createTopics(topics.map((topic) => ({ topic, partitions: partitionCount })))
  let isOver = false
  const faulting = delay(1000)
    .then(() => fault(kafka))
    .finally(() => (isOver = true))
  await Promise.all([faulting, writeRecords(topics[0], () => isOver), writeTransactions(topics[1], () => isOver)])
})

/** Hands on what it reads, until it has committed all below `offset`. */
async function handOn(topic: string, out: string, offset: number): Promise<void> {
  const builder = new StreamsBuilder()
  builder.stream(topic, { key: string(), value: string() }).to(out)
  const folder = mkdtempSync(join(tmpdir(), 'cluster-test-'))
  const streams = new Streams({ topology: builder.build(), applicationId: `${topic}-app`, broker, stateDir: folder })
  await streams.start()
  const at = [{ topic, partition: 0 }]
  const isDone = async (): Promise<boolean> => {
    const [committed] = await broker.admin.committedOffsets(`${topic}-app`, at, { requireStable: true })
    return committed!.offset >= offset
  }
  await eventually(`all below ${offset} is committed`, isDone, 60_000)
  await streams.close()
  rmSync(folder, { recursive: true })
}

test('a log that was cut where it had been read is told, with where it was cut; who was away meanwhile finds it out', async () => {
  const topic = `cluster-${counter++}`
  const out = `${topic}-out`
  await broker.admin.createTopics([{ topic: out, partitions: 1 }])
  const [leader, follower] = kafka.nodes
  // Copies on two of the three brokers, of which one may lead that has not got everything.
  const create = ['--create', '--topic', topic, '--replica-assignment', '1:2']
  const configs = ['unclean.leader.election.enable=true', 'min.insync.replicas=1'].flatMap((text) => ['--config', text])
  const where = ['--bootstrap-server', kafka.bootstrapServers]
  const child = runJava('org.apache.kafka.tools.TopicCommand', ...where, ...create, ...configs)
  await new Promise((resolve) => child.on('close', resolve))
  const producer = await broker.openProducer()
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      producer.append(topic, 0, null, String(i), Date.now())
      await producer.flush()
    }
  }
  await write(10)
  await follower!.stop()
  await write(10)
  const reader = broker.openReader()
  reader.assign([{ topic, partition: 0, offset: 0 }])
  for (let position = 0; position < 20;) {
    for (const { records } of await reader.poll(1000)) {
      while (records.next());
      position = records.position
    }
  }
  await handOn(topic, out, 20)
  await leader!.stop('SIGKILL')
  await follower!.start(2)
  // As many as were lost, and more: the position is inside the log again. The producer goes on under a new id: of what it
  // was told is written, some is not there any more.
  await write(30)
  let error: unknown = null
  for (const endMs = Date.now() + 30_000; error === null && Date.now() < endMs;) {
    await reader.poll(500).catch((caught: unknown) => (error = caught))
  }
  expect(error).toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
    topic,
    partition: 0,
    offset: 20,
    logStartOffset: 0,
    logEndOffset: 40,
    divergedAt: 10,
    message: expect.stringContaining('the log was cut at 10'),
  })
  reader.seek({ topic, partition: 0 }, 10)
  const [fetched] = await reader.poll(5000)
  expect(fetched!.records.next()).toBe(true)
  expect(fetched!.records.offset).toBe(10)
  await reader.close()
  await producer.close()
  // Its position, 20, is inside the log again: without the epoch it would go on there, and ten records were never read.
  await handOn(topic, out, 40)
  expect((await readAll(broker, out)).map(({ value }) => String(value))).toEqual([
    ...Array.from({ length: 10 }, (_, i) => String(i)),
    ...Array.from({ length: 10 }, (_, i) => String(i)),
    ...Array.from({ length: 30 }, (_, i) => String(i)),
  ])
}, 300_000)
