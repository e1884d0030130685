import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, runJava, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import type { Broker } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { readAll } from '../support/log-records.ts'

/**
 * Changelogs are compacted while transactions are aborted in them. Kafka's cleaner leaves markers without a record behind,
 * gaps, and batches of which a few records are left.
 */
let kafka: LocalKafka
let broker: Broker

beforeAll(async () => {
  kafka = await startLocalKafka({
    properties: { 'log.cleaner.backoff.ms': '200', 'log.initial.task.delay.ms': '100' },
  })
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
})
afterAll(async () => {
  await broker.close()
  await kafka.stop()
})

/** All batches of a partition, by Kafka's own tool. */
async function dump(topic: string): Promise<string> {
  const folder = join(dirname(kafka.clientProperties), 'node-1', 'data', `${topic}-0`)
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
  const list = files.map((name) => join(folder, name)).join(',')
  const child = runJava('org.apache.kafka.tools.DumpLogSegments', '--files', list)
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += String(chunk)))
  await new Promise((resolve) => child.on('close', resolve))
  return output
}

test('a compacted log in which transactions were aborted is read from every offset', async () => {
  const topic = 'cleaned'
  const configs = {
    'cleanup.policy': 'compact',
    'segment.ms': '200',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '0',
  }
  await broker.admin.createTopics([{ topic, partitions: 1, configs }])
  const newest = new Map<string, string>()
  const write = async (id: string, round: number, isCommit: boolean): Promise<void> => {
    const producer = await broker.openProducer({ transactionalId: id })
    for (let i = 0; i < 20; i++) {
      const [key, value] = [`key-${(round * 7 + i) % 30}`, `${round}.${i}`]
      producer.append(topic, 0, Buffer.from(key), Buffer.from(value), Date.now())
      if (i % 5 === 0) await producer.flush()
      if (isCommit) newest.set(key, value)
    }
    await (isCommit ? producer.commit() : producer.abort())
    // Its last write is an abort marker, or a commit marker: the cleaner keeps the first, and empties it.
    await producer.close()
  }
  const count = async (): Promise<number> => {
    const [end] = await broker.admin.listOffsets([{ topic, partition: 0 }], 'latest')
    const reader = broker.openReader({ isolation: 'read_uncommitted' })
    reader.assign([{ topic, partition: 0, offset: 0 }])
    let found = 0
    for (let position = 0; position < end!;) {
      for (const { records } of await reader.poll(1000)) {
        while (records.next()) found++
        position = records.position
      }
    }
    await reader.close()
    return found
  }
  for (let round = 0; round < 12; round++) {
    await write(`writer-${round}`, round, round % 3 !== 1)
    await new Promise((resolve) => setTimeout(resolve, 250)) // a new segment each
  }
  await write('last', 100, true)
  // 260 records were written; what is left of them is the newest of each key, and what is in the segment that is open.
  await expect.poll(count, { timeout: 60_000, interval: 500 }).toBeLessThan(120)
  for (let again = 0; again < 3; again++) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const seen = new Map((await readAll(broker, topic)).map(({ key, value }) => [key!, value!]))
    expect(seen).toEqual(newest)
  }
  // It is what it is meant to be: markers without a record.
  expect(await dump(topic)).toMatch(/count: 0 .* isControl: true/)
  const [end] = await broker.admin.listOffsets([{ topic, partition: 0 }], 'latest-stable')
  for (let from = 0; from < end!; from += 3) {
    const reader = broker.openReader({ partitionMaxBytes: 1000 })
    reader.assign([{ topic, partition: 0, offset: from }])
    const seen = new Map<string, string>()
    for (let position = from; position < end!;) {
      for (const { records } of await reader.poll(1000)) {
        while (records.next()) {
          expect(records.offset).toBeGreaterThanOrEqual(from)
          seen.set(records.key()!.toString(), records.value()!.toString())
        }
        position = records.position
      }
    }
    await reader.close()
    for (const [key, value] of seen) expect(newest.get(key)).toBe(value)
  }
})
