/**
 * A word count that kills itself: `node crash-program.ts <folder> <step> <phase> <commit>`. Counts until every line is
 * counted, then exits 0; before or after the given step of the given commit it sends itself SIGKILL instead.
 */
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { int64, Streams, StreamsBuilder, string } from '../../src/index.ts'

const [folder, step, phase, commit] = process.argv.slice(2) as [string, string, string, string]
const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
const builder = new StreamsBuilder()
builder
  .stream('lines', { key: string(), value: string() })
  .flatMapValues((line) => line.split(' '), { value: string() })
  .groupBy((_key, word) => word, { key: string() })
  .count({ store: { name: 'counts' } })
  .toStream()
  .to('counts', { value: int64() })

let commits = 0
const streams = new Streams({
  topology: builder.build(),
  applicationId: 'words',
  broker,
  stateDir: join(folder, 'state'),
  commitIntervalMs: 1,
  persistIntervalMs: 3,
  onCommitStep(name, at) {
    if (name === 'stop intake' && at === 'before') commits++
    if (commits === Number(commit) && name === step && at === phase) process.kill(process.pid, 'SIGKILL')
  },
})
await streams.start()
const lines = Array.from({ length: 2 }, (_, partition) => ({ topic: 'lines', partition }))
const effects = Array.from({ length: 2 }, (_, partition) => ({ topic: 'words-counts-repartition', partition }))
// In this order: only when no line is left do no more effects come.
await committedUpToEnd(lines)
await committedUpToEnd(effects)
await streams.close()
await broker.close()

async function committedUpToEnd(partitions: readonly { topic: string; partition: number }[]): Promise<void> {
  const ends = await broker.admin.listOffsets(partitions, 'latest-stable')
  for (;;) {
    const committed = await broker.admin.committedOffsets('words', partitions, { requireStable: true })
    if (committed.every(({ offset }, i) => offset >= ends[i]!)) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
