/**
 * A past election counted again (D17): votes over four partitions, read unevenly, counted by option and second behind a
 * repartition topic, with grace 0. How many are counted, and how many come late, with event time kept together and without.
 *
 *   node scripts/bootstrap.mjs bench/replay.ts [--votes n] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Broker, int32, Streams, StreamsBuilder, string, timeWindows } from '../packages/stream-core/src/index.ts'
import { openEmbeddedLog } from '../packages/stream-core/src/embedded.ts'

const { values } = parseArgs({
  options: { votes: { type: 'string', default: '2000000' }, json: { type: 'boolean', default: false } },
})
const votes = Number(values.votes)
const partitions = 4
const inputs = ['votes', 'by-option-repartition'] as const

const folder = mkdtempSync(join(tmpdir(), 'replay-bench-'))
const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
const rows: object[] = []
try {
  await broker.admin.createTopics([{ topic: 'votes', partitions }])
  await write(broker)
  for (const maxTimeSkewMs of [0, 1000, Infinity]) {
    const cpu = process.cpuUsage()
    const startedMs = performance.now()
    const late = await replay(`skew-${maxTimeSkewMs}`, maxTimeSkewMs)
    const { user, system } = process.cpuUsage(cpu)
    rows.push({
      maxTimeSkewMs,
      votes,
      counted: votes - late,
      late,
      seconds: Number(((performance.now() - startedMs) / 1000).toFixed(1)),
      recordsPerCpuSecond: Math.round(votes / ((user + system) / 1e6)),
    })
  }
  if (values.json) for (const row of rows) console.log(JSON.stringify(row))
  else console.table(rows)
} finally {
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
}

/** A millisecond apart; those of two partitions are large, so that a fetch brings few of them. */
async function write(log: Broker): Promise<void> {
  const producer = await log.openProducer()
  const padding = [1, 60, 1, 180].map((size) => '.'.repeat(size))
  for (let i = 0; i < votes; i++) {
    const partition = i % partitions
    const value = Buffer.from(`${i % 7}${padding[partition]}`)
    producer.append('votes', partition, Buffer.from(`voter-${i}`), value, 1_700_000_000_000 + i)
    if (i % 20_000 === 19_999) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

/** How many votes came too late. */
async function replay(applicationId: string, maxTimeSkewMs: number): Promise<number> {
  const builder = new StreamsBuilder()
  builder
    .stream('votes', { key: string(), value: string() })
    .groupBy((_key, value) => Number(value[0]), { key: int32(), name: 'by-option' })
    .windowedBy(timeWindows({ size: 1000, grace: 0 }))
    .count({ store: { name: 'per-second' } })
  const stateDir = join(folder, 'state')
  const streams = new Streams({ topology: builder.build(), applicationId, broker, stateDir, maxTimeSkewMs })
  await streams.start()
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (await isDone(applicationId)) break
  }
  const late = streams.describeState().tasks.reduce((sum, task) => sum + task.late, 0)
  await streams.close()
  return late
}

async function isDone(applicationId: string): Promise<boolean> {
  for (const topic of inputs) {
    const name = topic === 'votes' ? topic : `${applicationId}-${topic}`
    const at = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
    const ends = await broker.admin.listOffsets(at, 'latest-stable')
    const committed = await broker.admin.committedOffsets(applicationId, at, { requireStable: true })
    if (committed.some(({ offset }, i) => Math.max(offset, 0) < ends[i]!)) return false
  }
  return true
}
