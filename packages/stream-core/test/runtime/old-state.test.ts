import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFaultyLog } from '../../src/adapters/embedded/embedded-log.ts'
import type { LogStore } from '../../src/adapters/embedded/log-store.ts'
import { systemClock } from '../../src/common/clock.ts'
import { type Broker, type Clock, type Logger, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { TaskDatabase } from '../../src/state/task-database.ts'
import { cleanLog } from '../support/clean-log.ts'
import { eventually, readAll } from '../support/log-records.ts'

const hourMs = 3_600_000
const changelog = 'app-table-changelog'
let folder: string
let broker: Broker
let store: LogStore
let shiftMs: number
let wiped: string[]
/** Of stores, how many records were restored. */
let restored: number
const clock: Clock = {
  nowMs: () => Date.now() + shiftMs,
  sleep: (delayMs, signal) => systemClock.sleep(delayMs, signal),
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'old-state-'))
  ;({ broker, store } = openFaultyLog(systemClock, {}))
  shiftMs = restored = 0
  wiped = []
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function open(on: Broker = broker): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .aggregate<string>({
      init: () => '',
      add: (_all, value) => (value === 'delete' ? null : value),
      store: { name: 'table', value: string() },
    })
    .toStream()
    .to('out', { key: string(), value: string() })
  const nothing = (): void => undefined
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (fields) => {
      const { event, reason } = fields as { event?: string; reason?: string }
      if (event === 'state.wiped') wiped.push(reason!)
    },
  }
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker: on,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
    clock,
    logger,
    onRestoreProgress: ({ restoredRecords }) => (restored = restoredRecords),
  })
}

const rows = (streams: Streams): object =>
  Object.fromEntries(streams.store('table', { kind: 'keyValue', key: string(), value: string() }).all())

async function write(...records: readonly (readonly [key: string, value: string])[]): Promise<void> {
  const producer = await broker.openProducer()
  const before = (await readAll(broker, 'out')).length
  for (const [key, value] of records) {
    producer.append('in', 0, key, value, 1000)
    await producer.flush()
  }
  await producer.close()
  await eventually('processed', async () => (await readAll(broker, 'out')).length === before + records.length)
}

beforeEach(() => broker.admin.createTopics([{ topic: 'out', partitions: 1 }]))

test('the state of an application that was idle for days is used as it is', async () => {
  const first = open()
  await first.start()
  await write(['a', '1'])
  await write(['b', '2'])
  await first.close()
  shiftMs = 72 * hourMs
  const second = open()
  await second.start()
  expect(rows(second)).toEqual({ a: '1', b: '2' })
  await second.close()
  expect(wiped).toEqual([])
  expect(restored).toBe(0)
})

test('old state goes on from where it is when nothing is missing behind it', async () => {
  const first = open()
  await first.start()
  await write(['a', '1'])
  await first.close()
  // What another instance, whose disk is gone, has done meanwhile.
  const producer = await broker.openProducer()
  producer.append(changelog, 0, 'a', null, 1000)
  producer.append(changelog, 0, 'c', 'three', 1000)
  await producer.flush()
  shiftMs = 72 * hourMs
  const second = open()
  await second.start()
  expect(rows(second)).toEqual({ c: 'three' })
  await second.close()
  expect(wiped).toEqual([])
})

test('old state is restored from the beginning when a deletion may be missing behind it', async () => {
  const first = open()
  await first.start()
  await write(['a', '1'], ['b', '2'])
  await first.close()
  const producer = await broker.openProducer()
  producer.append(changelog, 0, 'a', null, 1000)
  await producer.flush()
  producer.append(changelog, 0, 'd', 'four', 1000)
  await producer.flush()
  await cleanLog(store, changelog, () => true)
  shiftMs = 72 * hourMs
  const second = open()
  await second.start()
  expect(rows(second)).toEqual({ b: '2', d: 'four' })
  await second.close()
  expect(wiped).toEqual(['deletions may be missing that it never saw'])
})

test('an aborted transaction at the end of a changelog is no reason to restore, however often the application starts', async () => {
  const first = open()
  await first.start()
  await write(['a', '1'])
  await first.close()
  const crashed = await broker.openProducer({ transactionalId: 'crashed' })
  crashed.append(changelog, 0, 'a', 'never', 1000)
  await crashed.flush()
  await crashed.abort()
  for (let start = 1; start <= 3; start++) {
    const next = open()
    await next.start()
    expect(rows(next)).toEqual({ a: '1' })
    await next.close()
  }
  expect(wiped).toEqual([])
  expect(restored).toBe(0)
})

test('state is as old as its commit was begun, however late a suspended process hears of its end', async () => {
  let isSuspended = false
  const late: Broker = {
    admin: broker.admin,
    openReader: (options) => broker.openReader(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    async openProducer(options) {
      const producer = await broker.openProducer(options)
      const commit = producer.commit.bind(producer)
      producer.commit = async () => {
        await commit()
        if (isSuspended) return
        isSuspended = true
        shiftMs = 72 * hourMs
      }
      return producer
    },
  }
  const streams = open(late)
  await streams.start()
  await write(['a', '1'])
  await streams.close()
  const task = join(folder, 'state', 'app', '0_0')
  const file = TaskDatabase.open(task)
  const { savedAtMs } = file.positions().get('table')!
  file.close()
  expect(isSuspended).toBe(true)
  expect(savedAtMs).toBeLessThan(Date.now() + hourMs)
})
