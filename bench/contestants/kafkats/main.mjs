// @kafkats/flow, for one job. Run from the folder in which its packages are installed.
import { json, string } from '@kafkats/client'
import { flow, inMemory, TimeWindows, topic } from '@kafkats/flow'

const job = JSON.parse(process.env.BENCH_JOB)
const mark = (name, facts = {}) => process.stdout.write(`@${name} ${JSON.stringify(facts)}\n`)
const limit = setTimeout(() => process.exit(1), job.limitMs)
const half = Math.floor(job.ticks / 2)
const all = Promise.withResolvers()
let ticks = 0
function tick() {
  ticks++
  if (ticks === 1) mark('first')
  if (ticks === half) mark('half')
  if (ticks !== job.ticks) return
  mark('all')
  all.resolve()
}

process.on('unhandledRejection', (error) => {
  console.error(error)
  process.exit(1)
})

const app = flow({
  applicationId: job.applicationId,
  client: { brokers: [job.bootstrapServers], clientId: job.applicationId },
  processingGuarantee: job.guarantee === 'exactly-once' ? 'exactly_once' : 'at_least_once',
  stateStoreProvider: inMemory(),
})
const texts = { key: string(), value: string() }
const votes = { key: string(), value: json() }
const read = (serdes) => app.stream(topic(job.input, serdes), { offsetReset: 'earliest' })
const countVotes = (stream) =>
  stream
    .peek(tick)
    .groupByKey(votes)
    .windowedBy(TimeWindows.of('10s'))
    .count({ storeName: 'counts' })
    .toStream()
    .map((windowed, count) => [`${windowed.key}@${windowed.window.start}`, String(count)])
    .to(job.output, texts)

switch (job.workload) {
  case 'vote-count':
    countVotes(read(votes))
    break
  case 'vote-count-repartition':
    countVotes(
      read(votes)
        .selectKey((vote) => `${vote.poll}|${vote.option}`)
        .through(job.repartition, votes),
    )
    break
  case 'word-count':
    read(texts)
      .flatMapValues((line) => line.split(' '))
      .selectKey((word) => word)
      .through(job.repartition, texts)
      .peek(tick)
      .groupByKey(texts)
      .count({ storeName: 'counts', key: string() })
      .toStream()
      .mapValues((count) => String(count))
      .to(job.output, texts)
    break
  default:
    throw new Error(`no such workload: ${job.workload}`)
}
await app.start()
await all.promise
await app.close()
mark('closed')
clearTimeout(limit)
process.exit(0)
