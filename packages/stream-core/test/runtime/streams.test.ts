import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  type Clock,
  int64,
  type OffsetReset,
  partitionForKey,
  Streams,
  StreamsBuilder,
  string,
  systemClock,
  type Topology,
} from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'streams-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'lines', partitions: 3 },
    { topic: 'counts', partitions: 2 },
  ])
})

afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function wordCount(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((_key, word) => word, { key: string() })
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('counts', { value: int64() })
  return builder.build()
}

const open = (options: Partial<ConstructorParameters<typeof Streams>[0]> = {}): Streams =>
  new Streams({
    topology: wordCount(),
    applicationId: 'words',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
    ...options,
  })

async function write(lines: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const [i, line] of lines.entries()) {
    const key = Buffer.from(`line-${i}`)
    producer.append('lines', partitionForKey(key, 3), key, Buffer.from(line), 1000 + i)
  }
  await producer.flush()
  await producer.close()
}

async function counts(): Promise<Record<string, number>> {
  const table: Record<string, number> = {}
  for (const { key, value } of await readAll(broker, 'counts')) {
    table[key!] = Number(Buffer.from(value!, 'latin1').readBigInt64BE())
  }
  return table
}

test('words are counted across partitions through a repartition topic, exactly once over clean restarts', async () => {
  let expected: Record<string, number> = {}
  for (let round = 1; round <= 3; round++) {
    await write(['a b', 'a c', 'b a'])
    expected = { a: 3 * round, b: 2 * round, c: round }
    const streams = open()
    await streams.start()
    await eventually('counts of this round', async () => same(await counts(), expected))
    await streams.close()
    expect(streams.state).toBe('closed')
    expect(await streams.stopped).toBeNull()
  }
  expect(await counts()).toEqual(expected)
})

test('state that was lost with the disk is restored from the changelog', async () => {
  await write(['a b', 'a c'])
  const first = open()
  await first.start()
  await eventually('first counts', async () => same(await counts(), { a: 2, b: 1, c: 1 }))
  await first.close()
  rmSync(join(folder, 'state'), { recursive: true })
  await write(['a'])
  const restored: number[] = []
  const second = open({ onRestoreProgress: ({ restoredRecords }) => restored.push(restoredRecords) })
  await second.start()
  await eventually('second counts', async () => same(await counts(), { a: 3, b: 1, c: 1 }))
  await second.close()
  expect(Math.max(...restored)).toBeGreaterThan(0)
})

test('cleanUp deletes local state, and only of an application that does not run', async () => {
  await write(['a b', 'a c'])
  const first = open()
  first.cleanUp() // there is nothing yet
  expect(existsSync(join(folder, 'state'))).toBe(false)
  await first.start()
  await eventually('first counts', async () => same(await counts(), { a: 2, b: 1, c: 1 }))
  expect(() => first.cleanUp()).toThrow(
    /cleanUp\(\) on an instance that is running: .*before start\(\), or after close\(\)/,
  )
  expect(() => open().cleanUp()).toThrow(/the state folder .* is held by another process/)
  await first.close()
  const files = (): string[] => readdirSync(join(folder, 'state', 'words')).sort()
  const other = new Streams({ topology: wordCount(), applicationId: 'other', broker, stateDir: join(folder, 'state') })
  other.cleanUp()
  expect(files()).toContain('topology.json')
  first.cleanUp()
  expect(files()).toEqual(['lock.db', 'process-id'])
  await write(['a'])
  const restored: number[] = []
  const second = open({ onRestoreProgress: ({ restoredRecords }) => restored.push(restoredRecords) })
  await second.start()
  await eventually('second counts', async () => same(await counts(), { a: 3, b: 1, c: 1 }))
  await second.close()
  expect(Math.max(...restored)).toBeGreaterThan(0)
})

test('a user topic that does not exist is named at the start', async () => {
  await broker.admin.deleteTopics(['counts'])
  await expect(open().start()).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: /counts/ })
})

test('an internal topic of another width is named at the start, with both numbers and the way out', async () => {
  await broker.admin.createTopics([{ topic: 'words-counts-changelog', partitions: 2 }])
  await expect(open().start()).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringMatching(
      /words-counts-changelog has 2 partitions where 3 are needed: .*Reset the application/,
    ),
  })
  // The other internal topic was not made either.
  expect(await broker.admin.listTopics()).not.toContain('words-counts-repartition')
})

test('a processor that throws stops the application and names the node', async () => {
  const builder = new StreamsBuilder()
  builder.stream('lines', { key: string(), value: string() }).peek(
    () => {
      throw new Error('boom')
    },
    { name: 'fragile' },
  )
  const streams = open({ topology: builder.build() })
  await streams.start()
  await write(['a'])
  expect((await streams.stopped)!.message).toContain('"fragile"')
  expect(streams.state).toBe('failed')
})

function same(actual: Record<string, number>, expected: Record<string, number>): boolean {
  const keys = Object.keys(expected)
  return keys.length === Object.keys(actual).length && keys.every((key) => actual[key] === expected[key])
}

test('a source is read first from where offsetReset says, and later from where it was committed', async () => {
  await broker.admin.createTopics([{ topic: 'copies', partitions: 1 }])
  const copying = (offsetReset: OffsetReset): Topology => {
    const builder = new StreamsBuilder()
    builder.stream('lines', { key: string(), value: string(), offsetReset }).to('copies', { partitioner: () => 0 })
    return builder.build()
  }
  const copies = async (): Promise<(string | null)[]> => (await readAll(broker, 'copies')).map(({ value }) => value)
  await write(['before the first start'])

  const none = open({ topology: copying('none'), applicationId: 'copier' })
  await expect(none.start()).rejects.toThrow(/no committed position in lines-0, lines-1, lines-2/)

  const latest = open({ topology: copying('latest'), applicationId: 'copier' })
  await latest.start()
  await write(['while it runs'])
  await eventually('the first copy', async () => (await copies()).length === 1)
  await latest.close()

  await write(['while it is down'])
  const again = open({ topology: copying('latest'), applicationId: 'copier' })
  await again.start()
  await eventually('the second copy', async () => (await copies()).length === 2)
  await again.close()
  expect(await copies()).toEqual(['while it runs', 'while it is down'])
})

test('a source that begins some time ago reads what was written since, and nothing of a time to come', async () => {
  await broker.admin.createTopics([{ topic: 'copies', partitions: 1 }])
  const copying = (): Topology => {
    const builder = new StreamsBuilder()
    builder
      .stream('lines', { key: string(), value: string(), offsetReset: { ago: { hours: 1 } } })
      .to('copies', { partitioner: () => 0 })
    return builder.build()
  }
  const nowMs = Date.now()
  const producer = await broker.openProducer()
  for (const minutes of [180, 90, 59, 1]) {
    producer.append('lines', 0, Buffer.from('k'), Buffer.from(`${minutes}`), nowMs - minutes * 60_000)
  }
  await producer.flush()
  const streams = open({ topology: copying(), applicationId: 'recent' })
  await streams.start()
  await eventually('the copies', async () => (await readAll(broker, 'copies')).length === 2)
  await streams.close()
  expect((await readAll(broker, 'copies')).map(({ value }) => value)).toEqual(['59', '1'])
  expect(() => {
    const builder = new StreamsBuilder()
    builder.stream('lines', {
      key: string(),
      value: string(),
      offsetReset: 'first' as 'earliest',
      name: 'lines-source',
    })
    builder.build()
  }).toThrow(/offsetReset of "lines-source" must be 'earliest', 'latest', 'none' or \{ ago: a duration \}; got "first"/)
})

test('a pattern reads every topic that matches, also one that is made while it runs', async () => {
  await broker.admin.createTopics([
    { topic: 'orders.eu', partitions: 2 },
    { topic: 'orders.us', partitions: 1 },
  ])
  const builder = new StreamsBuilder()
  builder
    .stream(/orders\..+/, { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('counts', { value: int64() })
  let nowMs = 0
  const clock: Clock = { nowMs: () => Date.now() + nowMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
  const streams = open({ topology: builder.build(), applicationId: 'orders', clock, heartbeatIntervalMs: 20 })
  await streams.start()
  const order = async (topic: string, partition: number, key: string): Promise<void> => {
    const producer = await broker.openProducer()
    producer.append(topic, partition, Buffer.from(key), Buffer.from('1'), 1000)
    await producer.flush()
    await producer.close()
  }
  await order('orders.eu', 1, 'anna')
  await order('orders.us', 0, 'bob')
  await eventually('two counts', async () => same(await counts(), { anna: 1, bob: 1 }))
  await broker.admin.createTopics([{ topic: 'orders.asia', partitions: 2 }])
  await order('orders.asia', 1, 'anna')
  nowMs += 20_000 // topics are looked for every ten seconds
  await eventually('the new topic too', async () => same(await counts(), { anna: 2, bob: 1 }))
  await streams.close()
  const none = new StreamsBuilder()
  none.stream(/nothing\..+/, { key: string(), value: string(), name: 'none' }).to('counts')
  await expect(open({ topology: none.build(), applicationId: 'none' }).start()).rejects.toThrow(
    /no topic matches .*"none"/,
  )
})
