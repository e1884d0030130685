import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFaultyLog } from '../../src/adapters/embedded/embedded-log.ts'
import type { LogStore } from '../../src/adapters/embedded/log-store.ts'
import { systemClock } from '../../src/common/clock.ts'
import { type Broker, type Logger, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
let store: LogStore
let warnings: object[]
const at = { topic: 'in', partition: 0 }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cut-inputs-'))
  ;({ broker, store } = openFaultyLog(systemClock, {}))
  warnings = []
  await broker.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function open(offsetReset: 'earliest' | 'none' = 'earliest'): Streams {
  const builder = new StreamsBuilder()
  builder.stream('in', { key: string(), value: string(), offsetReset }).to('out')
  const nothing = (): void => undefined
  const logger: Logger = { debug: nothing, info: nothing, error: nothing, warn: (fields) => void warnings.push(fields) }
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
    logger,
  })
}

async function write(...values: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const value of values) producer.append('in', 0, 'k', value, 1000)
  await producer.flush()
  await producer.close()
}

const out = async (): Promise<(string | null)[]> => (await readAll(broker, 'out')).map(({ value }) => value)
const committed = async (): Promise<number> =>
  (await broker.admin.committedOffsets('app', [at], { requireStable: true }))[0]!.offset

async function cut(offset: number): Promise<void> {
  await store.commits.run(() => store.partition('in', 0).cut(offset))
}

async function readThree(streams: Streams): Promise<void> {
  for (const value of ['a', 'b', 'c']) await write(value)
  await streams.start()
  await eventually('three are read', async () => (await committed()) === 3)
}

test('an input that was cut, and has grown again, is read from where it was cut', async () => {
  const streams = open()
  await readThree(streams)
  await cut(1)
  await write('B', 'C', 'D', 'E')
  await eventually('E', async () => (await out()).includes('E'))
  await streams.close()
  expect(await out()).toEqual(['a', 'b', 'c', 'B', 'C', 'D', 'E'])
  expect(warnings).toContainEqual({ event: 'input.cut', ...at, committed: 3, offset: 1 })
})

test('an input without a reset is not gone on with when it was cut', async () => {
  const producer = await broker.openProducer()
  await producer.commitOffsets('app', [{ ...at, offset: 0, metadata: '' }])
  const streams = open('none')
  await readThree(streams)
  await cut(1)
  await write('B', 'C', 'D')
  expect(await streams.stopped).toMatchObject({ code: 'INVALID_CONFIG', option: 'offsetReset' })
  expect(await out()).toEqual(['a', 'b', 'c'])
})

test('a topic that was made anew under its name is read from its beginning, while the application runs', async () => {
  const streams = open()
  await readThree(streams)
  await Promise.all([broker.admin.deleteTopics(['in']), broker.admin.createTopics([{ topic: 'other', partitions: 1 }])])
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
  await write('1', '2', '3', '4')
  await eventually('4', async () => (await out()).includes('4'))
  await streams.close()
  expect(await out()).toEqual(['a', 'b', 'c', '1', '2', '3', '4'])
})

test('positions go with their topic, also those that are to be committed', async () => {
  const producer = await broker.openProducer({ transactionalId: 'id' })
  await producer.sendOffsets('other', [{ ...at, offset: 5, metadata: '' }])
  const plain = await broker.openProducer()
  await plain.commitOffsets('app', [{ ...at, offset: 7, metadata: '' }])
  await broker.admin.deleteTopics(['in'])
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
  await producer.commit()
  expect(await committed()).toBe(-1)
  expect(await broker.admin.groupOffsets('other')).toEqual([])
})

test('a position outside one partition takes nothing from those that were fetched with it', async () => {
  await broker.admin.createTopics([{ topic: 'more', partitions: 1 }])
  const producer = await broker.openProducer()
  producer.append('more', 0, 'k', 'v', 1000)
  await producer.flush()
  const reader = broker.openReader()
  reader.assign([
    { topic: 'more', partition: 0, offset: 0 },
    { ...at, offset: 9 },
  ])
  await expect(reader.poll(0)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 'in' })
  reader.remove([at])
  const fetched = await reader.poll(0)
  expect(fetched.map(({ topic }) => topic)).toEqual(['more'])
  await reader.close()
})
