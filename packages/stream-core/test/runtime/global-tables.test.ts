import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, json, Streams, StreamsBuilder, type StreamsOptions, string } from '../../src/index.ts'
import { metricsText } from '../../src/metrics.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
const running = new Set<Streams>()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'global-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic: 'out', partitions: 1 },
    { topic: 'names', partitions: 2, configs: { 'cleanup.policy': 'compact' } },
  ])
})
afterEach(async () => {
  for (const streams of running) await streams.close()
  running.clear()
  await broker.close()
  rmSync(folder, { recursive: true })
})

interface Shape {
  readonly topic?: string
  readonly value?: 'string' | 'json'
  readonly inMemory?: boolean
}

/** Says the name of each number that comes in. */
async function start(
  stateDir: string,
  { topic = 'names', value, inMemory }: Shape = {},
  more: Partial<StreamsOptions> = {},
) {
  const builder = new StreamsBuilder()
  const names = builder.globalTable<string, string>(topic, {
    key: string(),
    value: value === 'json' ? (json() as never) : string(),
    store: { name: 'names', ...(inMemory && { type: 'in-memory' as const }) },
  })
  builder
    .stream('in', { key: string(), value: string() })
    .join(names, (number, name) => `${number} is ${name}`, { mapKey: (_key, number) => number })
    .to('out', { value: string() })
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, stateDir),
    commitIntervalMs: 5,
    ...more,
  })
  running.add(streams)
  await streams.start()
  return streams
}

async function write(topic: string, ...rows: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const [key, value] of rows) {
    producer.append(
      topic,
      topic === 'names' ? Number(key) % 2 : 0,
      Buffer.from(key),
      value === null ? null : Buffer.from(value),
      1000,
    )
  }
  await producer.flush()
  await producer.close()
}

/** Records that the global task of an instance has read. */
const readCount = (streams: Streams): number =>
  Number(/^streams_records_processed_total\{task="global"\} (\d+)$/m.exec(metricsText(streams))![1])

const rows = (from: number, to: number): [string, string][] =>
  Array.from({ length: to - from }, (_, i) => [String(from + i), `name-${from + i}`])

const content = (streams: Streams): Map<string, string> =>
  new Map(
    [...streams.store('names', { kind: 'keyValue', key: string(), value: string() }).all()].map(
      (entry) => [entry[0], entry[1]] as [string, string],
    ),
  )

async function answers(): Promise<string[]> {
  return (await readAll(broker, 'out')).map(({ value }) => value!)
}

test('a restart reads what came since, with deletions, and joins with all of it', async () => {
  await write('names', ...rows(0, 500))
  const first = await start('state')
  expect(readCount(first)).toBe(500)
  await first.close()
  await write('names', ['7', null], ['8', 'eight'], ['500', 'new'])
  const second = await start('state')
  expect(readCount(second)).toBe(3)
  await write('in', ['k', '7'], ['k', '8'], ['k', '9'], ['k', '500'])
  await eventually('the answers', async () => (await answers()).length === 3)
  expect(await answers()).toEqual(['8 is eight', '9 is name-9', '500 is new'])
  expect(content(second).size).toBe(500)
  await second.close()
  // Nothing came: nothing is read.
  expect(readCount(await start('state'))).toBe(0)
})

test('whatever is on disk when an instance dies can be gone on from: nothing is missing, nothing comes back', async () => {
  const first = await start('state', {}, { persistIntervalMs: 1 })
  const expected = new Map<string, string>()
  const copies: string[] = []
  for (let round = 0; round < 12; round++) {
    const changes = Array.from({ length: 50 }, (_, i): [string, string | null] => {
      const key = String((round * 31 + i * 7) % 120)
      return [key, (round + i) % 4 === 0 ? null : `${round}-${i}`]
    })
    await write('names', ...changes)
    for (const [key, value] of changes) {
      if (value === null) expected.delete(key)
      else expected.set(key, value)
    }
    if (round % 3 !== 2) continue
    // As the disk is in the middle of it.
    const copy = `copy-${round}`
    cpSync(join(folder, 'state', 'app', 'global'), join(folder, copy, 'app', 'global'), { recursive: true })
    cpSync(join(folder, 'state', 'app', 'topology.json'), join(folder, copy, 'app', 'topology.json'))
    copies.push(copy)
  }
  await eventually('all is read', () => readCount(first) === 600)
  expect(content(first)).toEqual(expected)
  await first.close()
  const counts: number[] = []
  for (const copy of copies) {
    const again = await start(copy)
    expect(content(again)).toEqual(expected)
    counts.push(readCount(again))
    await again.close()
  }
  // Some of them had a part, and read the rest.
  expect(
    counts.some((count) => count > 0 && count < 600),
    counts.join(),
  ).toBe(true)
  const last = await start('state')
  expect([content(last), readCount(last)]).toEqual([expected, 0])
})

test('a topic that was made anew, another topic, or other bytes: all is read from the beginning', async () => {
  await write('names', ...rows(0, 10))
  await (await start('state')).close()
  await broker.admin.deleteTopics(['names'])
  await broker.admin.createTopics([{ topic: 'names', partitions: 2 }])
  await write('names', ['1', 'one'])
  const warnings: object[] = []
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) }
  const anew = await start('state', {}, { logger })
  expect(content(anew)).toEqual(new Map([['1', 'one']]))
  expect(warnings).toContainEqual(expect.objectContaining({ event: 'state.wiped', task: 'global' }))
  await anew.close()
  await broker.admin.createTopics([{ topic: 'others', partitions: 1 }])
  await write('others', ['5', 'five'])
  const other = await start('state', { topic: 'others' })
  expect(content(other)).toEqual(new Map([['5', 'five']]))
  await other.close()
  await write('others', ['6', '"six"'], ['5', '"five"'])
  const asJson = await start('state', { topic: 'others', value: 'json' }, { deserializationHandler: () => 'continue' })
  expect(readCount(asJson)).toBe(2)
})

test('records that were deleted below the position are no reason; those that were not seen are', async () => {
  await write('names', ...rows(0, 10))
  await (await start('state')).close()
  await broker.admin.deleteRecords([{ topic: 'names', partition: 0, offset: 5 }])
  const same = await start('state')
  expect([readCount(same), content(same).size]).toEqual([0, 10])
  await same.close()
  await write('names', ['10', 'ten'], ['12', 'twelve'])
  await broker.admin.deleteRecords([{ topic: 'names', partition: 0, offset: 6 }])
  const anew = await start('state')
  expect(content(anew).size).toBe(6)
})

test('one in memory has no file, and is read from the beginning', async () => {
  await write('names', ...rows(0, 10))
  await (await start('state', { inMemory: true })).close()
  const second = await start('state', { inMemory: true })
  expect([readCount(second), content(second).size]).toEqual([10, 10])
})

test('cleanUp deletes it', async () => {
  await write('names', ...rows(0, 10))
  const first = await start('state')
  await first.close()
  expect(readdirSync(join(folder, 'state', 'app', 'global'))).toContain('state.db')
  first.cleanUp()
  expect(existsSync(join(folder, 'state', 'app', 'global'))).toBe(false)
  expect(readCount(await start('state'))).toBe(10)
})
