/** stream-core on a Kafka, for one job: see harness/job.ts. */
import { int64, Streams, string } from '../../../packages/stream-core/src/index.ts'
import { kafkaBroker } from '../../../packages/stream-core/src/kafka.ts'
import type { Job, Mark } from '../../harness/job.ts'
import { topologies } from './topologies.ts'

const job = JSON.parse(process.env['BENCH_JOB']!) as Job
const mark = (name: Mark, facts?: object): boolean => process.stdout.write(`@${name} ${JSON.stringify(facts ?? {})}\n`)

const half = Math.floor(job.ticks / 2)
const all = Promise.withResolvers<void>()
let ticks = 0
function tick(): void {
  ticks++
  if (ticks === 1) mark('first')
  if (ticks === half) mark('half')
  if (ticks !== job.ticks) return
  mark('all')
  all.resolve()
}

const broker = kafkaBroker({ bootstrapServers: job.bootstrapServers })
const streams = new Streams({
  topology: topologies[job.workload](job, tick),
  applicationId: job.applicationId,
  broker,
  stateDir: job.stateDir,
  processingGuarantee: job.guarantee,
})
const limit = setTimeout(() => process.exit(1), job.limitMs)
void streams.stopped.then((error) => {
  if (error === null) return
  console.error(error)
  process.exit(1)
})
await streams.start()
if (job.workload === 'restore') {
  mark('all')
  let [keys, sum] = [0, 0]
  for (const [, count] of streams.store('counts', { kind: 'keyValue', key: string(), value: int64() }).all()) {
    keys++
    sum += count
  }
  mark('check', { keys, sum })
} else await all.promise
await streams.close()
await broker.close()
mark('closed')
clearTimeout(limit)
