import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/common/logger.ts'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  int64,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  type Topology,
} from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
const running = new Set<Streams>()
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upgrades-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['in', 'counts', 'totals', 'green'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  for (const streams of running) await streams.close()
  running.clear()
  await broker.close()
  rmSync(folder, { recursive: true })
})

interface Version {
  /** A filter before the count, that lets everything through. */
  readonly filters?: boolean
  readonly named?: boolean
  /** A second store, that counts all words under one key. */
  readonly hasTotals?: boolean
  readonly hasCounts?: boolean
  readonly output?: string
}

function counting({ filters, named = true, hasTotals, hasCounts = true, output = 'counts' }: Version): Topology {
  const builder = new StreamsBuilder()
  const all = builder.stream('in', { key: string(), value: string() })
  const words = filters ? all.filter(() => true, named ? { name: 'everything' } : {}) : all
  if (hasCounts) {
    words
      .groupByKey()
      .count(named ? { name: 'count', store: { name: 'counts' } } : {})
      .toStream()
      .to(output, { value: int64() })
  }
  if (hasTotals) {
    words
      .groupBy(() => 'all', { name: 'by-nothing', key: string() })
      .count({ name: 'total', store: { name: 'totals' } })
      .toStream()
      .to('totals')
  }
  return builder.build()
}

async function start(version: Version, more: Partial<StreamsOptions> = {}): Promise<Streams> {
  const streams = new Streams({
    topology: counting(version),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
    ...more,
  })
  running.add(streams)
  await streams.start()
  return streams
}

async function write(...words: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const word of words) producer.append('in', 0, Buffer.from(word), Buffer.from('v'), 1000)
  await producer.flush()
  await producer.close()
}

const last = async (topic: string): Promise<{ readonly [key: string]: number }> =>
  Object.fromEntries(
    (await readAll(broker, topic)).map(({ key, value }) => [
      key,
      Number(Buffer.from(value!, 'latin1').readBigInt64BE()),
    ]),
  )

/** Runs a version over some words, until it has written `expected`. */
async function run(version: Version, words: readonly string[], topic: string, expected: object): Promise<void> {
  await write(...words)
  const streams = await start(version)
  await eventually(`${topic} is ${JSON.stringify(expected)}`, async () => {
    const found = await last(topic)
    return Object.entries(expected).every(([key, count]) => found[key] === count)
  })
  await streams.close()
  running.delete(streams)
  expect(await last(topic)).toEqual(expected)
}

test('an operator that comes in or goes leaves the counts of a named store as they are', async () => {
  await run({}, ['a', 'a', 'b'], 'counts', { a: 2, b: 1 })
  await run({ filters: true }, ['a'], 'counts', { a: 3, b: 1 })
  await run({}, ['b'], 'counts', { a: 3, b: 2 })
})

test('without names an operator that comes in gives the store another name, under which it is empty; lint says so', async () => {
  const unnamed = { named: false }
  expect(counting(unnamed).lint().length).toBeGreaterThan(0)
  expect(counting({}).lint()).toEqual([])
  await run(unnamed, ['a', 'a'], 'counts', { a: 2 })
  await run({ ...unnamed, filters: true }, ['a'], 'counts', { a: 1 })
})

test('a store that is new in an application that has run begins with what comes from now on', async () => {
  await run({}, ['a', 'a'], 'counts', { a: 2 })
  await run({ hasTotals: true }, ['a', 'b'], 'totals', { all: 2 })
  expect(await last('counts')).toEqual({ a: 3, b: 1 })
})

test('a store that is taken out and put back has what it had, and not what came meanwhile', async () => {
  await run({ hasTotals: true }, ['a', 'b'], 'totals', { all: 2 })
  await run({}, ['a'], 'counts', { a: 2, b: 1 })
  await run({ hasTotals: true }, ['b'], 'totals', { all: 3 })
  expect(await last('counts')).toEqual({ a: 2, b: 2 })
})

test('while instances are replaced one by one two versions share the tasks, nothing is lost, and the log says that two run', async () => {
  const warned: string[] = []
  const logger = {
    ...silentLogger,
    warn: (fields: object) => void warned.push(String((fields as { event?: unknown }).event)),
  }
  const before = await start({}, { logger, stateDir: join(folder, 'one') })
  await write('a', 'a', 'b')
  await eventually('the first counts', async () => (await last('counts'))['a'] === 2)
  const after = await start({ filters: true }, { logger, stateDir: join(folder, 'two') })
  await eventually('it is said', () => warned.includes('group.different-topologies'))
  await write('a')
  await eventually('they go on', async () => (await last('counts'))['a'] === 3)
  await before.close()
  await write('b')
  await eventually('the second has taken over', async () => (await last('counts'))['b'] === 2)
  expect(after.state).toBe('running')
  expect(await last('counts')).toEqual({ a: 3, b: 2 })
})

test('a second application beside the first counts everything from the beginning, and disturbs nothing', async () => {
  await run({}, ['a', 'a', 'b'], 'counts', { a: 2, b: 1 })
  const blue = await start({})
  const green = await start(
    { filters: true, output: 'green' },
    { applicationId: 'app-2', stateDir: join(folder, 'green') },
  )
  await write('b')
  await eventually(
    'both have counted',
    async () => (await last('counts'))['b'] === 2 && (await last('green'))['b'] === 2,
  )
  expect(await last('green')).toEqual({ a: 2, b: 2 })
  expect(await last('counts')).toEqual({ a: 2, b: 2 })
  await blue.close()
  await green.close()
})

test('an input topic with more partitions is refused where the changelog has fewer', async () => {
  await run({}, ['a'], 'counts', { a: 1 })
  const { admin } = broker
  const wider: Broker = {
    admin: new Proxy(admin, {
      get(target, name) {
        if (name !== 'describeTopics') return (Reflect.get(target, name) as () => void).bind(target)
        return async (topics: readonly string[]) => {
          const found = new Map(await target.describeTopics(topics))
          const input = found.get('in')
          if (input !== undefined) found.set('in', { ...input, partitionCount: 2 })
          return found
        }
      },
    }),
    openReader: (options) => broker.openReader(options),
    openProducer: (options) => broker.openProducer(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
  }
  await expect(start({}, { broker: wider })).rejects.toThrow(/app-counts-changelog has 1 partitions where 2 are needed/)
})
