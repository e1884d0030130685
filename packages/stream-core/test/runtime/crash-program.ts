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
const ends = await broker.admin.listOffsets(lines, 'latest')
for (;;) {
  const effects = Array.from({ length: 2 }, (_, partition) => ({ topic: 'words-counts-repartition', partition }))
  const effectEnds = await broker.admin.listOffsets(effects, 'latest-stable')
  const committed = await broker.admin.committedOffsets('words', [...lines, ...effects], { requireStable: true })
  const targets = [...ends, ...effectEnds]
  if (committed.every(({ offset }, i) => offset >= targets[i]!)) break
  await new Promise((resolve) => setTimeout(resolve, 2))
}
await streams.close()
await broker.close()
