/** stream-core with two threads in one process, for one job: see harness/job.ts. */
import { setTimeout as delay } from 'node:timers/promises'
import { StreamThreads } from '../../../packages/stream-core/src/threads.ts'
import type { Job, Mark } from '../../harness/job.ts'

const job = JSON.parse(process.env['BENCH_JOB']!) as Job
const mark = (name: Mark): boolean => process.stdout.write(`@${name} {}\n`)

const streams = new StreamThreads({
  module: new URL('./application.ts', import.meta.url),
  threads: 2,
  stateDir: job.stateDir,
  data: job,
})
const limit = setTimeout(() => process.exit(1), job.limitMs)
void streams.stopped.then((error) => {
  if (error === null) return
  console.error(error)
  process.exit(1)
})
await streams.start()
/** How many records the counting behind the repartition topic has processed, by thread and task: one that has left a thread keeps its number. */
const processed = new Map<string, number>()
let counted = 0
for (const half = Math.floor(job.ticks / 2); counted < job.ticks; await delay(10)) {
  const before = counted
  for (const [thread, { tasks }] of (await streams.describeState()).entries()) {
    for (const { taskId, recordsProcessed } of tasks) {
      if (taskId.startsWith('1_')) processed.set(`${thread}/${taskId}`, recordsProcessed)
    }
  }
  counted = [...processed.values()].reduce((sum, records) => sum + records, 0)
  if (before === 0 && counted > 0) mark('first')
  if (before < half && counted >= half) mark('half')
}
mark('all')
await streams.close()
mark('closed')
clearTimeout(limit)
