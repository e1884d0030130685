import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../../src/common/logger.ts'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, stores, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { StateUpdater } from '../../src/runtime/state-updater.ts'
import { TaskDatabase } from '../../src/state/task-database.ts'
import { TaskState } from '../../src/state/task-state.ts'
import { eventually, readAll } from '../support/log-records.ts'
import { plainHost } from '../support/plain-host.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'restore-end-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
})

afterEach(async () => {
  vi.restoreAllMocks()
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function write(topic: string, records: number): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < records; i++) producer.append(topic, 0, Buffer.from(`key-${i}`), Buffer.from('value'), 1000)
  await producer.flush()
  await producer.close()
}

function openCounts(stateDir: string): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts' } })
    .toStream()
    .mapValues((count) => `${count}`, { value: string() })
    .to('out')
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, stateDir),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
    logger: silentLogger,
  })
}

test('on a full disk an application goes on with what it has restored', { timeout: 60_000 }, async () => {
  const rows = 3000
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic: 'out', partitions: 1 },
  ])
  await write('in', rows)
  const first = openCounts('first')
  await first.start()
  await eventually('all is counted', async () => (await readAll(broker, 'out')).length === rows)
  await first.close()
  vi.spyOn(TaskDatabase.prototype, 'savePositions').mockImplementation(() => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  })
  const second = openCounts('second')
  let failure: unknown = null
  void second.stopped.then((error) => (failure = error))
  await second.start()
  await write('in', 1)
  await eventually('one more is counted', async () => {
    return failure !== null || (await readAll(broker, 'out')).length === rows + 1
  })
  expect(failure).toBe(null)
  expect((await readAll(broker, 'out')).at(-1)?.value?.toString()).toBe('2')
  vi.restoreAllMocks()
  await second.close()
})

test('a standby that becomes active has little left to write', { timeout: 60_000 }, async () => {
  const [topic, rows] = ['app-names-changelog', 20_000]
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic, partitions: 1 },
  ])
  await write(topic, rows)
  const spec = stores.keyValue({ name: 'names', key: string(), value: string() })
  const state = new TaskState({
    directory: join(folder, 'state'),
    stores: [spec],
    host: plainHost,
  })
  const restored = Promise.withResolvers<void>()
  const updater = new StateUpdater({
    broker,
    applicationId: 'app',
    topology: {
      sourceChangelogs: new Map(),
      repartitionTopics: [],
      stores: [spec],
      nodes: [],
      subtopologies: [],
    } as never,
    clusterId: 'cluster',
    inputsOf: () => [{ topic: 'in', partition: 0 }],
    clock: {
      nowMs: () => Date.now(),
      sleep: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    } as never,
    seams: {},
    listeners: { restore: {}, standby: {} } as never,
    metrics: { timeline: new Proxy({}, { get: () => () => undefined }) } as never,
    logger: silentLogger,
    onRestored: () => restored.resolve(),
    onFailure: restored.reject,
  })
  const task = { taskId: '0_0', partition: 0, state } as never
  updater.addStandby([task])
  await eventually('it has caught up', () => Promise.resolve(state.position('names')?.offset === rows))
  expect(state.frozenEntries).toBe(rows)
  updater.addActive([task])
  await restored.promise
  expect(state.frozenEntries).toBe(0)
  await updater.close()
  state.close()
})
