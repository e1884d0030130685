import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  int32,
  int64,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  timeWindows,
} from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'

const partitions = 4
const votes = 100_000
/** One vote each: in partition i mod 4, a millisecond apart. */
const startMs = 1_700_000_000_000

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'alignment-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'votes', partitions },
    { topic: 'counts', partitions: 2 },
  ])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

/** Votes of a past election, as they lie in the log; `weights`: how many bytes a vote of each partition has. */
async function write(count: number, weights: readonly number[]): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < count; i++) {
    const partition = i % partitions
    const value = `${i % 7}${'.'.repeat(weights[partition]!)}`
    producer.append('votes', partition, Buffer.from(`voter-${i}`), Buffer.from(value), startMs + i)
    if (i % 10_000 === 9999) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

/** Counted by option and second, grace 0, behind a repartition topic. */
function electionCount() {
  const builder = new StreamsBuilder()
  builder
    .stream('votes', { key: string(), value: string() })
    .groupBy((_key, value) => Number(value[0]), { key: int32(), name: 'by-option' })
    .windowedBy(timeWindows({ size: 1000, grace: 0 }))
    .count({ store: { name: 'per-second' } })
    .toStream()
    .map(({ key, window }, count) => [`${key}@${window.start}`, count], { key: string(), value: int64() })
    .to('counts')
  return builder.build()
}

async function counted(): Promise<number> {
  const last = new Map<string, number>()
  for (const { key, value } of await readAll(broker, 'counts')) {
    last.set(key!, Number(Buffer.from(value!, 'latin1').readBigInt64BE()))
  }
  return [...last.values()].reduce((sum, count) => sum + count, 0)
}

const lateOf = (streams: readonly Streams[]): number =>
  streams.flatMap((each) => each.describeState().tasks).reduce((sum, { late }) => sum + late, 0)

/** Runs until all is read; how many votes were counted, and how many came late. */
async function replay(count: number, instances: number, options: Partial<StreamsOptions>) {
  const all = Array.from(
    { length: instances },
    (_, i) =>
      new Streams({
        topology: electionCount(),
        applicationId: 'election',
        broker,
        stateDir: join(folder, `state-${i}`),
        heartbeatIntervalMs: 20,
        ...options,
      }),
  )
  // All there before the first record is taken.
  for (const streams of all) streams.pause()
  await Promise.all(all.map((streams) => streams.start()))
  const isShared = (): boolean =>
    all.every((streams) => streams.state === 'running' && streams.describeState().tasks.length === 8 / instances)
  while (!isShared()) await new Promise((resolve) => setTimeout(resolve, 10))
  for (const streams of all) streams.resume()
  const inputs = ['votes', 'election-by-option-repartition'].map((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  for (let processed = false; !processed;) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    processed = true
    for (const input of inputs) {
      const ends = await broker.admin.listOffsets(input, 'latest-stable')
      const committed = await broker.admin.committedOffsets('election', input, { requireStable: true })
      processed &&= committed.every(({ offset }, i) => Math.max(offset, 0) >= ends[i]!)
    }
  }
  const late = lateOf(all)
  await Promise.all(all.map((streams) => streams.close()))
  expect((await counted()) + late).toBe(count)
  return { counted: await counted(), late }
}

// The second partition's votes are a hundred times as large, so that a fetch brings a hundredth of them.
const uneven = [1, 100, 1, 300]

describe('a past election that is counted again, with grace 0', () => {
  test('counts every vote in one instance, however unevenly partitions are read', async () => {
    await write(votes, uneven)
    expect(await replay(votes, 1, { maxTimeSkewMs: 0 })).toEqual({ counted: votes, late: 0 })
  })

  test('loses many without alignment, and says how many: the reason for it', async () => {
    await write(votes, uneven)
    const { late } = await replay(votes, 1, { maxTimeSkewMs: Infinity })
    expect(late).toBeGreaterThan(votes / 100)
  })

  test('counts every vote with a skew below the grace there is', async () => {
    await write(votes / 4, uneven)
    // The windows are a second long: what is at most a tenth of it ahead closes few of them too early.
    const { late } = await replay(votes / 4, 1, { maxTimeSkewMs: 100 })
    expect(late).toBeLessThan(votes / 4 / 10)
  })

  test('in two instances counts a vote, or says that it was late', async () => {
    await write(votes / 4, uneven)
    const two = await replay(votes / 4, 2, { maxTimeSkewMs: 0 })
    expect(two.counted + two.late).toBe(votes / 4)
  })
})
