import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  int64,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  timeWindows,
  type Topology,
  untilWindowCloses,
} from '../../src/index.ts'
import { metricsText } from '../../src/metrics.ts'
import { metricDefinitions } from '../../src/runtime/metrics.ts'
import { eventually } from '../support/log-records.ts'

let folder: string
let broker: Broker
const running = new Set<Streams>()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'metrics-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'in', partitions: 2 },
    { topic: 'out', partitions: 1 },
  ])
})
afterEach(async () => {
  for (const streams of running) await streams.close()
  running.clear()
  await broker.close()
  rmSync(folder, { recursive: true })
})

const int64Bytes = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** Two sub-topologies; the second counts in windows without grace. */
function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .filter((_key, value) => value !== 'skip')
    .groupBy((_key, value) => value, { name: 'by-value', key: string() })
    .windowedBy(timeWindows({ size: 1000, grace: 0 }))
    .count({ name: 'count', store: { name: 'counts' } })
    .toStream()
    .selectKey(() => 'k', { key: string() })
    .mapValues((count) => String(count), { value: string() })
    .to('out')
  return builder.build()
}

async function start(more: Partial<StreamsOptions> = {}, name = 'state'): Promise<Streams> {
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, name),
    commitIntervalMs: 20,
    ...more,
  })
  running.add(streams)
  await streams.start()
  return streams
}

async function write(...records: readonly (readonly [value: string, timestampMs: number])[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const [value, timestampMs] of records)
    producer.append('in', 0, Buffer.from('k'), Buffer.from(value), timestampMs)
  await producer.flush()
  await producer.close()
}

/** Lines by name and labels. */
function read(streams: Streams): ReadonlyMap<string, number> {
  const lines = metricsText(streams)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

const sum = (metrics: ReadonlyMap<string, number>, name: string): number =>
  [...metrics]
    .filter(([key]) => key === name || key.startsWith(`${name}{`))
    .reduce((total, [, value]) => total + value, 0)

const isDone = (streams: Streams) => () => sum(read(streams), 'streams_consumer_lag_records') === 0

test('the numbers are those of a run whose records are known', async () => {
  const streams = await start()
  const nowMs = Date.now()
  const startMs = nowMs - (nowMs % 1000) - 60_000
  // Three are counted, one is filtered, and one comes when its window is closed.
  await write(['a', startMs], ['b', startMs + 10], ['skip', startMs + 20], ['a', startMs + 5000], ['a', startMs + 1])
  await eventually('all is counted', () => sum(read(streams), 'streams_records_processed_total') === 9)
  // What the record cache holds back is written at the commit.
  const written = 'streams_records_produced_total{subtopology="1"}'
  await eventually('all is committed', () => read(streams).get(written)! >= 3)
  await eventually('nothing is left', isDone(streams))
  const metrics = read(streams)
  expect(sum(metrics, 'streams_records_processed_total')).toBe(9) // five, and four of them behind the repartition topic
  expect(metrics.get('streams_records_produced_total{subtopology="0"}')).toBe(4)
  expect(metrics.get(written)).toBe(3)
  expect(sum(metrics, 'streams_records_late_total')).toBe(1)
  expect(sum(metrics, 'streams_dropped_records_total')).toBe(1)
  const dropped = [...metrics].filter(([key]) => key.startsWith('streams_records_dropped_total'))
  expect(dropped).toHaveLength(1)
  expect(dropped[0]![0]).toMatch(/node="count",reason="(late|expired-window)"/)
  expect(metrics.get('streams_tasks{phase="running"}')).toBe(4)
  expect(metrics.get('streams_tasks{phase="restoring"}')).toBe(0)
  expect(metrics.get('streams_state{state="running"}')).toBe(1)
  expect(metrics.get('streams_generation')).toBe(1)
  expect(metrics.get('streams_rebalances_total{reason="started"}')).toBe(1)
  expect(sum(metrics, 'streams_rebalances_total')).toBe(1)
  expect(metrics.get('streams_rebalance_duration_seconds_count')).toBe(1)
  expect(metrics.get('streams_commit_failures_total')).toBe(0)
  const commits = metrics.get('streams_commit_duration_seconds_count{group="main"}')!
  expect(commits).toBeGreaterThan(0)
  expect(metrics.get('streams_commit_duration_seconds_bucket{group="main",le="+Inf"}')).toBe(commits)
  // Records of a minute ago: not below 30 s, and not above five minutes. At least one for each sub-topology.
  for (const subtopology of ['0', '1']) {
    const count = metrics.get(`streams_e2e_latency_seconds_count{subtopology="${subtopology}"}`)!
    expect(count).toBeGreaterThan(0)
    expect(metrics.get(`streams_e2e_latency_seconds_bucket{subtopology="${subtopology}",le="30"}`)).toBe(0)
    expect(metrics.get(`streams_e2e_latency_seconds_bucket{subtopology="${subtopology}",le="300"}`)).toBe(count)
  }
  expect([...metrics.values()].every((value) => Number.isFinite(value) && value >= 0)).toBe(true)
})

test('dead letters are counted by where they came from and what happened, with what a global table drops', async () => {
  await broker.admin.createTopics([
    { topic: 'numbers', partitions: 1 },
    { topic: 'dead', partitions: 1 },
  ])
  const builder = new StreamsBuilder()
  builder.globalTable('numbers', { key: string(), value: int64(), store: { name: 'all' } })
  builder
    .stream('in', { key: string(), value: int64() })
    .mapValues(
      (value) => {
        if (value === 13) throw new RangeError('not thirteen')
        return value === 14 ? ('fourteen' as never) : value
      },
      { value: int64() },
    )
    .to('out')
  const producer = await broker.openProducer()
  producer.append('numbers', 0, Buffer.from('k'), Buffer.from('none'), 1)
  for (const value of [int64Bytes(1), int64Bytes(13), int64Bytes(14), Buffer.from('none'), int64Bytes(13)]) {
    producer.append('in', 0, Buffer.from('k'), value, 1000)
  }
  await producer.flush()
  const streams = await start({ topology: builder.build(), deadLetterTopic: 'dead' })
  await eventually('all is read', isDone(streams))
  const of = (text: string): [string, number][] => [...read(streams)].filter(([key]) => key.includes(text))
  expect(of('dlq_records')).toEqual([
    ['streams_dlq_records_total{task="1_0",topic="in",class="ProcessingError"}', 2],
    ['streams_dlq_records_total{task="1_0",topic="in",class="SerdeError"}', 2],
  ])
  expect(
    of('records_dropped')
      .map(([key, count]) => `${/task="(.*?)".*reason="(.*)"/.exec(key)!.slice(1).join()} ${count}`)
      .sort(),
  ).toEqual([
    '1_0,deserialization-failed 1',
    '1_0,processing-failed 2',
    '1_0,serialization-failed 1',
    'global,deserialization-failed 1',
  ])
})

test('what waits in a suppress buffer is known, and is less when it leaves', async () => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupBy((_key, value) => value, { name: 'by-value', key: string() })
    .windowedBy(timeWindows({ size: 1000, grace: 0 }))
    .count({ store: { name: 'counts' } })
    .suppress(untilWindowCloses({ name: 'final' }))
    .toStream()
    .selectKey(() => 'k', { key: string() })
    .mapValues((count) => String(count), { value: string() })
    .to('out')
  const streams = await start({ topology: builder.build(), cacheMaxBytes: 0 })
  await write(['a', 1000], ['a', 1001])
  const records = (): number => sum(read(streams), 'streams_suppress_buffer_records')
  const size = (): number => sum(read(streams), 'streams_suppress_buffer_bytes')
  await eventually('one window waits', () => records() === 1)
  const ofOne = size()
  expect(ofOne).toBeGreaterThan(0)
  await write(['a', 1002], ['a', 2500], ['a', 5000])
  await eventually(
    'others have left',
    () => records() === 1 && sum(read(streams), 'streams_consumer_lag_records') === 0,
  )
  expect(size()).toBe(ofOne)
  expect([...read(streams).keys()].filter((key) => key.includes('suppress_buffer_records'))[0]).toMatch(
    /store="final-store"/,
  )
})

test('a restore says how long it has still to go', async () => {
  const first = await start()
  const many = Array.from({ length: 400 }, (_, i) => [`${i} ${'x'.repeat(10_000)}`, 1000] as const)
  await write(...many)
  await eventually('all is counted', () => sum(read(first), 'streams_records_processed_total') === 800)
  await eventually('all is committed', isDone(first))
  await first.close()
  // The second answer of the log is waited for.
  const gate = Promise.withResolvers<void>()
  let fetches = 0
  const slow: Broker = {
    admin: broker.admin,
    openProducer: (options) => broker.openProducer(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    openReader(options) {
      const reader = broker.openReader({ ...options, maxBytes: 300_000, partitionMaxBytes: 300_000 })
      const poll = reader.poll.bind(reader)
      reader.poll = async (waitMs) => {
        const fetched = await poll(waitMs)
        if (fetched.some(({ topic }) => topic.endsWith('-changelog')) && fetches++ > 0) await gate.promise
        return fetched
      }
      return reader
    },
  }
  const second = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker: slow,
    stateDir: join(folder, 'other'),
  })
  running.add(second)
  const started = second.start()
  await eventually('a part is restored', () => sum(read(second), 'streams_restore_records_total') > 0)
  const metrics = read(second)
  const left = sum(metrics, 'streams_restore_remaining_records')
  expect(left).toBeGreaterThan(0)
  expect(sum(metrics, 'streams_restore_eta_seconds')).toBeGreaterThan(0)
  gate.resolve()
  await started
  expect(sum(read(second), 'streams_restore_eta_seconds')).toBe(0)
  expect([...read(second).keys()].some((key) => key.startsWith('streams_restore_eta'))).toBe(false)
})

test('lag is what is written and not processed, and the age of the next record', async () => {
  const streams = await start()
  await write(['a', 1000])
  await eventually('it is counted', isDone(streams))
  streams.pause()
  await write(['a', 2000], ['a', 3000], ['a', 4000])
  await eventually(
    'the lag is known',
    () => read(streams).get('streams_consumer_lag_records{topic="in",partition="0"}') === 3,
  )
  await eventually(
    'the next record is known',
    () => (read(streams).get('streams_consumer_lag_seconds{topic="in",partition="0"}') ?? 0) > 1_000_000,
  )
  streams.resume()
  await eventually('nothing is left', isDone(streams))
  expect(read(streams).get('streams_consumer_lag_seconds{topic="in",partition="0"}')).toBe(0)
})

test('before the start there is a state and nothing that is not known; a phase of the loop takes its share', async () => {
  const streams = new Streams({ topology: topology(), applicationId: 'app', broker, stateDir: folder })
  const before = read(streams)
  expect(before.get('streams_state{state="created"}')).toBe(1)
  expect([...before.keys()].some((key) => key.startsWith('streams_consumer_lag'))).toBe(false)
  running.add(streams)
  await streams.start()
  await eventually('it has waited', () => (read(streams).get('streams_busy_seconds_total{phase="poll"}') ?? 0) > 0.2)
})

test('a restore counts its records, and the files of the state have a size', async () => {
  const first = await start()
  await write(['a', 1000], ['b', 1001], ['c', 1002])
  await eventually('all is counted', () => sum(read(first), 'streams_records_processed_total') === 6)
  await eventually('all is committed', isDone(first))
  expect(sum(read(first), 'streams_restore_records_total')).toBe(0)
  await first.close()
  const told: string[] = []
  const second = await start(
    {
      restoreListener: {
        onStart: ({ taskId, store, startOffset, endOffset }) =>
          void (startOffset < endOffset && told.push(`start ${taskId} ${store}`)),
        onProgress: ({ taskId, remaining }) => void told.push(`progress ${taskId} ${remaining}`),
        onEnd: ({ taskId, restoredRecords }) =>
          void (restoredRecords > 0 && told.push(`end ${taskId} ${restoredRecords}`)),
        onSuspended: () => void told.push('suspended'),
      },
    },
    'other-state',
  )
  const metrics = read(second)
  expect(metrics.get('streams_restore_records_total')).toBe(3)
  expect(sum(metrics, 'streams_restore_remaining_records')).toBe(0)
  expect(sum(metrics, 'streams_state_bytes')).toBeGreaterThan(0)
  const ends = told.filter((text) => text.startsWith('end')).map((text) => Number(text.split(' ')[2]))
  expect(ends.reduce((total, count) => total + count, 0)).toBe(3)
  expect(told[0]).toMatch(/^start 1_\d counts$/)
  expect(told.at(-1)).toMatch(/^end 1_\d/)
  expect(told).not.toContain('suspended')
})

test('listeners hear of assignments, of standbys and of their promotion; one that throws is only logged', async () => {
  const told: string[] = []
  const warnings: string[] = []
  const log = () => undefined
  const rebalanceListener: StreamsOptions['rebalanceListener'] = {
    onAssigned({ active, added, removed }) {
      told.push(`active ${active.length} added ${added.length} removed ${removed.length}`)
      throw new Error('of the listener')
    },
  }
  const logger = { debug: log, info: log, error: log, warn: (_: object, text: string) => void warnings.push(text) }
  const first = await start({ standbyReplicas: 1, rebalanceListener, logger, heartbeatIntervalMs: 100 }, 'first')
  expect(told).toEqual(['active 4 added 4 removed 0'])
  expect(warnings).toContain('a listener has thrown')
  await write(['a', 1000], ['b', 1001])
  await eventually('all is counted', () => sum(read(first), 'streams_records_processed_total') === 4)

  const standby: string[] = []
  const second = await start(
    {
      standbyReplicas: 1,
      heartbeatIntervalMs: 100,
      standbyListener: {
        onStart: ({ taskId }) => void standby.push(`start ${taskId}`),
        onProgress: ({ taskId, loadedRecords }) => void standby.push(`progress ${taskId} ${loadedRecords}`),
        onSuspended: ({ taskId, reason }) => void standby.push(`${reason} ${taskId}`),
      },
    },
    'second',
  )
  await eventually('the second has copies that are complete', () => {
    const metrics = read(second)
    return metrics.get('streams_tasks{phase="standby"}')! > 0 && sum(metrics, 'streams_standby_lag_records') === 0
  })
  await eventually('it has joined again for its copies', () => sum(read(first), 'streams_rebalances_total') > 1)
  await eventually('work is shared', () => told.some((text) => / removed [1-9]/.test(text)))
  await first.close()
  await eventually('the second has all', () => read(second).get('streams_tasks{phase="running"}') === 4)
  expect(standby.some((text) => text.startsWith('start 1_'))).toBe(true)
  expect(standby.some((text) => text.startsWith('promoted 1_'))).toBe(true)
  // Of each copy a beginning, and then one end.
  const open = new Set<string>()
  for (const text of standby) {
    const [what, taskId] = text.split(' ') as [string, string]
    if (what === 'start') open.add(taskId)
    else expect(open, `${what} of ${taskId}`).toContain(taskId)
    if (what === 'promoted' || what === 'migrated') open.delete(taskId)
  }
})

test('options that are no listeners are named', () => {
  const options = { topology: topology(), applicationId: 'app', broker, stateDir: folder }
  const wrong = { onBegin: () => undefined } as never
  expect(() => new Streams({ ...options, restoreListener: wrong })).toThrow(
    /restoreListener must be an object with onStart/,
  )
  expect(() => new Streams({ ...options, rebalanceListener: (() => undefined) as never })).toThrow(/rebalanceListener/)
})

test('every metric is in the guide, and every metric of the guide exists', () => {
  const guide = readFileSync(
    join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'guide', 'operations.md'),
    'utf8',
  )
  const documented = [...guide.matchAll(/^\| `streams_([a-z0-9_]+)/gm)].map((match) => match[1]!)
  expect(documented.sort()).toEqual(metricDefinitions.map(({ name }) => name).sort())
})
