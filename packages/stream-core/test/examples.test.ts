import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { read, write } from '../examples/00-records-in-and-out.ts'
import { topology as wordCount } from '../examples/01-word-count.ts'
import { topology as viewsPerMinute, type View } from '../examples/02-views-per-minute.ts'
import { topology as visits, type Visit } from '../examples/03-visits.ts'
import {
  type Customer,
  type Line,
  type Order,
  type Product,
  topology as orders,
} from '../examples/04-orders-with-customers.ts'
import { topology as unpaidOrders } from '../examples/05-unpaid-orders.ts'
import { topology as deduplicate } from '../examples/06-deduplicate.ts'
import { type Comment, topology as translations } from '../examples/07-translate.ts'
import { topology as transfers, type Transfer } from '../examples/08-exactly-once.ts'
import { start as startCounting } from '../examples/09-queries.ts'
import { openEmbeddedLog } from '../src/embedded.ts'
import {
  int64,
  json,
  type KeyValueStore,
  partitionForKey,
  sessionWindowed,
  string,
  timeWindowed,
  type TimestampedKeyValueStore,
} from '../src/index.ts'
import { TopologyTestDriver } from '../src/testing.ts'
import { eventually, readAll } from './support/log-records.ts'

const strings = { key: string(), value: string() }
const minute = 60_000

test('records that are put in come out, each partition in its order', async () => {
  const broker = await openEmbeddedLog({ path: ':memory:' })
  await broker.admin.createTopics([{ topic: 'lines', partitions: 3 }])
  const lines = ['a', 'b', 'c', 'a'].map((key, i) => ({ key, value: `line ${i}`, timestampMs: i }))
  await write(broker, 'lines', lines)
  const found = await read(broker, 'lines')
  await broker.close()
  expect(found.toSorted((one, other) => one.timestampMs - other.timestampMs)).toEqual(lines)
})

test('lint finds nothing in the examples but what one of them explains', () => {
  const translated = () => translations(async ({ text }) => text)
  const topologies = { wordCount, viewsPerMinute, visits, orders, unpaidOrders, deduplicate, translated, transfers }
  const found = Object.entries(topologies).flatMap(([name, topology]) =>
    topology()
      .lint()
      .map(({ rule, about }) => [name, rule, about]),
  )
  expect(found).toEqual([['viewsPerMinute', 'suppress-needs-input', 'final-store']])
})

test('example 01 counts words', () => {
  const driver = new TopologyTestDriver(wordCount())
  driver.createInputTopic('lines', strings).pipeInput('1', 'To be, or not to be', 0)
  const counts = driver.createOutputTopic('word-counts', { key: string(), value: int64() }).readKeyValuesToMap()
  expect(Object.fromEntries(counts)).toEqual({ to: 2, be: 2, or: 1, not: 1 })
})

test('example 02 says each minute’s count once, late views within the grace included', () => {
  const driver = new TopologyTestDriver(viewsPerMinute())
  const views = driver.createInputTopic('views', { key: string(), value: json<View>() })
  const counts = driver.createOutputTopic('views-per-minute', { key: timeWindowed(string(), minute), value: int64() })
  views.pipeInput('ann', { page: '/' }, 10_000)
  views.pipeInput('bob', { page: '/' }, 65_000)
  views.pipeInput('cat', { page: '/' }, 59_000)
  expect(counts.isEmpty).toBe(true)
  views.pipeInput('dan', { page: '/about' }, 70_000)
  views.pipeInput('too late', { page: '/' }, 59_000)
  expect(counts.readKeyValuesToList()).toEqual([[{ key: '/', window: { start: 0, end: minute } }, 2]])
})

test('example 03 joins two visits when a click falls between them', () => {
  const driver = new TopologyTestDriver(visits())
  const clicks = driver.createInputTopic('clicks', strings)
  clicks.pipeInput('ann', '/', 0)
  clicks.pipeInput('ann', '/basket', 34 * minute)
  clicks.pipeInput('ann', '/product', 17 * minute)
  const out = driver.createOutputTopic('visits', { key: sessionWindowed(string()), value: json<Visit>() })
  const table = out.readKeyValuesToList().map(([key, visit]) => [key!.window.start, key!.window.end, visit?.pages])
  expect(table).toEqual([
    [0, 0, ['/']],
    [34 * minute, 34 * minute, ['/basket']],
    [0, 0, undefined],
    [34 * minute, 34 * minute, undefined],
    [0, 34 * minute, ['/', '/basket', '/product']],
  ])
})

test('example 04 adds to an order what is known of its customer and its product', () => {
  const driver = new TopologyTestDriver(orders())
  driver
    .createInputTopic('products', { key: string(), value: json<Product>() })
    .pipeInput('p1', { title: 'Tea', cents: 450 })
  driver.createInputTopic('customers', { key: string(), value: json<Customer>() }).pipeInput('c1', { name: 'Ann' })
  const input = driver.createInputTopic('orders', { key: string(), value: json<Order>() })
  input.pipeInput('c1', { product: 'p1', quantity: 2 })
  input.pipeInput('c2', { product: 'p1', quantity: 1 })
  input.pipeInput('c1', { product: 'nothing that is sold', quantity: 1 })
  expect(driver.createOutputTopic('lines', { key: string(), value: json<Line>() }).readKeyValuesToList()).toEqual([
    ['c1', { customer: 'Ann', title: 'Tea', cents: 900 }],
    ['c2', { customer: 'a guest', title: 'Tea', cents: 450 }],
  ])
})

test('example 05 reminds of an order only when its hour and the grace have passed without a payment', () => {
  const driver = new TopologyTestDriver(unpaidOrders())
  const [input, payments] = ['orders', 'payments'].map((topic) => driver.createInputTopic(topic, strings))
  const reminders = driver.createOutputTopic('reminders', strings)
  input!.pipeInput('1', 'tea', 0)
  input!.pipeInput('2', 'coffee', 0)
  input!.pipeInput('3', 'water', 69 * minute)
  payments!.pipeInput('2', 'card', 59 * minute)
  expect(reminders.isEmpty).toBe(true)
  input!.pipeInput('4', 'juice', 71 * minute)
  expect(reminders.readKeyValuesToList()).toEqual([['1', 'tea is unpaid']])
})

test('example 06 lets an event pass once, and knows its id for a day', () => {
  const driver = new TopologyTestDriver(deduplicate())
  const events = driver.createInputTopic('events', strings)
  const hour = 60 * minute
  events.pipeInput('id-1', 'first', 0)
  events.pipeInput('id-1', 'again', 10 * hour)
  events.pipeInput('id-2', 'other', 24 * hour)
  const seen = driver.store<KeyValueStore<string, number>>('seen')
  expect([...seen.all()].map(([id]) => id)).toEqual(['id-1', 'id-2'])
  events.pipeInput('id-3', 'a day and an hour on', 25 * hour)
  expect([...seen.all()].map(([id]) => id)).toEqual(['id-2', 'id-3'])
  const passed = driver.createOutputTopic('unique-events', strings).readValuesToList()
  expect(passed).toEqual(['first', 'other', 'a day and an hour on'])
})

test('example 07 tries again, goes on without what cannot be translated, and keeps an author’s order', async () => {
  let failures = 0
  const driver = new TopologyTestDriver(
    translations(async ({ text, language }) => {
      if (language === 'xx') throw new Error('no such language')
      if (text === 'flaky' && failures++ < 2) throw new Error('service is away')
      return `${text} (${language})`
    }),
  )
  const comments = driver.createInputTopic('comments', { key: string(), value: json<Comment>() })
  comments.pipeInput('ann', { text: 'flaky', language: 'de' })
  comments.pipeInput('ann', { text: 'unreadable', language: 'xx' })
  comments.pipeInput('ann', { text: 'after it', language: 'de' })
  await driver.drain()
  const out = driver.createOutputTopic('translations', strings).readKeyValuesToList()
  expect(out).toEqual([
    ['ann', 'flaky (de)'],
    ['ann', 'after it (de)'],
  ])
  expect([...driver.dropped]).toEqual([[expect.stringContaining('translate/'), 1]])
})

describe('example 08', () => {
  const some: readonly Transfer[] = [
    { from: 'ann', to: 'bob', cents: 100 },
    { from: 'bob', to: 'cat', cents: 30 },
    { from: 'cat', to: 'ann', cents: 10 },
  ]
  const balancesAfter = { ann: -90, bob: 70, cat: 20 }

  for (const crash of ['before-the-log', 'after-the-log'] as const) {
    test(`makes and loses no money when a commit crashes ${crash} takes it`, () => {
      const driver = new TopologyTestDriver(transfers(), { partitions: 2, commits: 'manual' })
      const input = driver.createInputTopic('transfers', { key: string(), value: json<Transfer>() })
      for (const [i, transfer] of some.entries()) {
        input.pipeInput(String(i), transfer)
        driver.commit({ crash })
      }
      driver.commit()
      const balances = [0, 1].flatMap((partition) => [
        ...driver.store<TimestampedKeyValueStore<string, number>>('balances', partition).all(),
      ])
      expect(Object.fromEntries(balances.map(([account, { value }]) => [account, value]))).toEqual(balancesAfter)
    })
  }

  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'example-08-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  test('comes out right when it is killed again and again', { timeout: 60_000 }, async () => {
    const rounds = 200
    const expected = Object.fromEntries(Object.entries(balancesAfter).map(([who, cents]) => [who, cents * rounds]))
    await writeTransfers(Array.from({ length: rounds }, () => some).flat())
    for (const lifeMs of [1, 50, 150, 300]) await run(lifeMs, 'SIGKILL')
    for (let lifeMs = 500; JSON.stringify(await balances()) !== JSON.stringify(expected); lifeMs *= 2) {
      expect(lifeMs, 'life of the last run').toBeLessThan(20_000)
      await run(lifeMs, 'SIGTERM')
    }
  })

  async function writeTransfers(all: readonly Transfer[]): Promise<void> {
    const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
    await broker.admin.createTopics([{ topic: 'transfers', partitions: 2 }])
    const producer = await broker.openProducer()
    for (const [i, transfer] of all.entries()) {
      const key = Buffer.from(String(i))
      producer.append('transfers', partitionForKey(key, 2), key, Buffer.from(JSON.stringify(transfer)), i)
    }
    await producer.flush()
    await broker.close()
  }

  /** Starts the program and ends it some time after it has said that it runs. */
  async function run(lifeMs: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const program = join(import.meta.dirname, '..', 'examples', '08-exactly-once-main.ts')
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await Promise.race([ended, new Promise((resolve) => child.stdout.once('data', resolve))])
    await new Promise((resolve) => setTimeout(resolve, lifeMs))
    child.kill(signal)
    await ended
  }

  /** The latest balance of each account, by account. */
  async function balances(): Promise<{ [account: string]: number }> {
    const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
    const records = await readAll(broker, 'balances')
    await broker.close()
    const latest = new Map(
      records.map(({ key, value }) => [key!, Number(Buffer.from(value!, 'latin1').readBigInt64BE())]),
    )
    return Object.fromEntries(['ann', 'bob', 'cat'].map((account) => [account, latest.get(account) ?? 0]))
  }
})

test('example 09 answers for every word, whichever of two instances is asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'example-09-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'lines', partitions: 2 }])
  await write(broker, 'lines', [{ key: '1', value: 'To be, or not to be', timestampMs: 0 }])
  const ports = [await freePort(), await freePort()]
  const instances = [
    await startCounting(broker, join(folder, 'a'), ports[0]!),
    await startCounting(broker, join(folder, 'b'), ports[1]!),
  ]
  try {
    const count = async (port: number, word: string): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}/stores/counts/keys/${word}`)
      return ((await response.json()) as { readonly value?: number }).value
    }
    for (const port of ports) {
      await eventually('to is counted', async () => (await count(port, 'to')) === 2)
      await eventually('not is counted', async () => (await count(port, 'not')) === 1)
    }
    const owner = instances.find(({ streams }) => streams.metadataForKey('counts', 'to').active?.isLocal)
    expect(owner?.count('to')).toBe(2)
  } finally {
    for (const { streams, server } of instances) {
      server.close()
      server.closeAllConnections()
      await streams.close()
    }
    await broker.close()
    rmSync(folder, { recursive: true })
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
