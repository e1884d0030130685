/** stream-core on a Kafka, for one job: see harness/job.ts. */
import { int64, Streams, string } from '../../../packages/stream-core/src/index.ts'
import { kafkaBroker } from '../../../packages/stream-core/src/kafka.ts'
import { type Job, type Mark, sessionTimeoutMs } from '../../harness/job.ts'
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

/** Looks how many records the counting behind a repartition topic has processed: nothing is put into its way for that. */
function watchCounting(): void {
  const timer = setInterval(() => {
    const counting = streams.describeState().tasks.filter(({ taskId }) => taskId.startsWith('1_'))
    const processed = counting.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0)
    if (ticks === 0 && processed > 0) mark('first')
    if (ticks < half && processed >= half) mark('half')
    ticks = processed
    if (processed < job.ticks) return
    clearInterval(timer)
    mark('all')
    all.resolve()
  }, 10)
}

const broker = kafkaBroker({ bootstrapServers: job.bootstrapServers })
const streams = new Streams({
  topology: topologies[job.workload](job, tick),
  applicationId: job.applicationId,
  broker,
  stateDir: job.stateDir,
  processingGuarantee: job.guarantee,
  ...(job.workload === 'failover' ? { sessionTimeoutMs, standbyReplicas: job.standbys } : {}),
  // As Java has it there: a key that never comes again has nothing from a cache.
  ...(job.workload === 'new-keys' ? { cacheMaxBytes: 0 } : {}),
})
const limit = setTimeout(() => process.exit(1), job.limitMs)
void streams.stopped.then((error) => {
  if (error === null) return
  console.error(error)
  process.exit(1)
})
await streams.start()
if (job.workload === 'vote-count-repartition' || job.workload === 'word-count') watchCounting()
switch (job.workload) {
  case 'restore': {
    mark('all')
    let [keys, sum] = [0, 0]
    for (const [, count] of streams.store('counts', { kind: 'keyValue', key: string(), value: int64() }).all()) {
      keys++
      sum += count
    }
    mark('check', { keys, sum })
    break
  }
  case 'restart':
    mark('all')
    break
  case 'latency':
  case 'failover':
    await new Promise((resolve) => process.once('SIGTERM', resolve))
    mark('all')
    break
  default:
    await all.promise
}
await streams.close()
await broker.close()
mark('closed')
clearTimeout(limit)
