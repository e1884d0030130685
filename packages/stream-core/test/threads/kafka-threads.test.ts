import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import type { Broker } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { StreamThreads } from '../../src/threads.ts'
import { eventually, readAll } from '../support/log-records.ts'
import type { CountingData } from './counting-module.ts'

const partitions = 4
let kafka: LocalKafka
let broker: Broker
let folder: string

beforeAll(async () => {
  kafka = await startLocalKafka()
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  folder = mkdtempSync(join(tmpdir(), 'threads-test-'))
  await broker.admin.createTopics([
    { topic: 'words', partitions },
    { topic: 'word-counts', partitions: 1 },
  ])
})
afterAll(async () => {
  await broker?.close()
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const module = new URL('./counting-module.ts', import.meta.url)

function threads(applicationId: string, data: Partial<CountingData> = {}): StreamThreads {
  const { bootstrapServers } = kafka
  return new StreamThreads({
    module,
    threads: 2,
    stateDir: join(folder, applicationId),
    data: { bootstrapServers, applicationId, ...data },
  })
}

async function write(words: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const [i, word] of words.entries()) {
    producer.append('words', i % partitions, null, Buffer.from(word), Date.now())
  }
  await producer.flush()
  await producer.close()
}

async function counts(): Promise<{ [word: string]: number }> {
  const records = await readAll(broker, 'word-counts')
  return Object.fromEntries(
    records.map(({ key, value }) => [key!, Number(Buffer.from(value!, 'latin1').readBigInt64BE())]),
  )
}

test('two threads share the tasks, count every word once, tell their state and metrics, and close', async () => {
  const streams = threads('sharing')
  await streams.start()
  expect(streams.states).toEqual(['running', 'running'])
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  await eventually(
    'each has its half',
    async () => (await streams.describeState()).every(({ tasks }) => tasks.length === partitions),
    60_000,
  )
  for (let i = 0; i < 5; i++) await write(words)
  await eventually(
    'all are counted',
    async () => {
      const found = await counts()
      return words.every((word) => found[word] === 5)
    },
    60_000,
  )
  const processed = (await streams.describeState()).map(({ tasks }) =>
    tasks.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0),
  )
  expect(processed.every((records) => records > 0)).toBe(true)
  const metrics = await streams.metricsText()
  for (const thread of [0, 1])
    expect(metrics).toMatch(new RegExp(`streams_records_processed_total\\{thread="${thread}",`))
  expect(metrics.match(/^# HELP streams_records_processed_total /gm)).toHaveLength(1)
  expect(await streams.close()).toBe(true)
  expect(await streams.stopped).toBeNull()
  expect(streams.states).toEqual(['closed', 'closed'])
})

test('when one thread fails the other is closed, and it is said which failed, and of what', async () => {
  const streams = threads('failing')
  await streams.start()
  await write(['boom'])
  const failure = await streams.stopped
  expect(failure).toMatchObject({
    code: 'THREAD_FAILED',
    message: expect.stringMatching(/^thread [01] has failed.*boom/s),
  })
  expect([...streams.states].sort()).toEqual(['closed', 'failed'])
})

test('a module that cannot make one of the threads fails the start, and leaves no thread behind', async () => {
  const streams = threads('broken', { broken: 1 })
  await expect(streams.start()).rejects.toThrow(/thread 1 has failed .*no such thing/)
  expect(await streams.stopped).toMatchObject({ code: 'THREAD_FAILED' })
  await expect(async () => new StreamThreads({ module, threads: 0, stateDir: folder })).rejects.toThrow(
    'threads must be a whole number, 1 or more, got 0',
  )
})
