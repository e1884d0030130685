/**
 * Counts by key until it is done, then says so; with `die` it kills itself after so many records more:
 * `node key-count.ts <folder> <records to come> [die]`. Prints what it restored, and how long until it ran.
 */
import { join } from 'node:path'
import { Streams, StreamsBuilder, string } from '../../packages/stream-core/src/index.ts'
import { openEmbeddedLog } from '../../packages/stream-core/src/embedded.ts'

const [folder, records, die] = process.argv.slice(2) as [string, string, string?]
const builder = new StreamsBuilder()
builder
  .stream('keys', { key: string(), value: string() })
  .groupByKey()
  .count({ store: { name: 'counts', caching: false } })
const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
const restored = new Map<string, { records: number; bytes: number }>()
const startedMs = performance.now()
const streams = new Streams({
  topology: builder.build(),
  applicationId: 'count',
  broker,
  stateDir: join(folder, 'state'),
  onRestoreProgress: ({ taskId, restoredRecords, restoredBytes }) =>
    restored.set(taskId, { records: restoredRecords, bytes: restoredBytes }),
})
void streams.stopped.then((error) => error && process.exit(1))
await streams.start()
const sum = { records: 0, bytes: 0 }
for (const { records: count, bytes } of restored.values()) {
  sum.records += count
  sum.bytes += bytes
}
console.log(JSON.stringify({ startMs: Math.round(performance.now() - startedMs), ...sum }))
const processed = (): number => streams.describeState().tasks.reduce((all, task) => all + task.recordsProcessed, 0)
while (processed() < Number(records)) await new Promise((resolve) => setTimeout(resolve, 20))
if (die === 'die') process.kill(process.pid, 'SIGKILL')
await streams.close()
await broker.close()
