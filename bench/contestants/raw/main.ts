/**
 * What the bytes alone cost: stream-core's own client fetches a job's input and, where the job writes, appends what it read
 * to a topic, in transactions of 100 ms under exactly-once; where there is a repartition topic it reads that, too. No
 * record is decoded, nothing is counted.
 */
import { type FetchedPartition, type LogProducer, type LogReader } from '../../../packages/stream-core/src/index.ts'
import { kafkaBroker } from '../../../packages/stream-core/src/kafka.ts'
import type { Job, Mark } from '../../harness/job.ts'
import { partitions } from '../../workloads/workload.ts'

const commitIntervalMs = 100
const job = JSON.parse(process.env['BENCH_JOB']!) as Job
const mark = (name: Mark): boolean => process.stdout.write(`@${name} {}\n`)
const limit = setTimeout(() => process.exit(1), job.limitMs)
const half = Math.floor(job.ticks / 2)
let ticks = 0
function tick(): void {
  ticks++
  if (ticks === 1) mark('first')
  if (ticks === half) mark('half')
  if (ticks === job.ticks) mark('all')
}

const broker = kafkaBroker({ bootstrapServers: job.bootstrapServers })
const isRepartitioned = job.workload === 'vote-count-repartition'
const writes = isRepartitioned || job.workload === 'join' || job.workload === 'new-keys'
const target = isRepartitioned ? job.repartition : job.output

const input = readerOf(job.input)
const producer = writes
  ? await broker.openProducer(job.guarantee === 'exactly-once' ? { transactionalId: job.applicationId } : {})
  : null
const behind = isRepartitioned ? readBack(readerOf(job.repartition)) : null
await copy(input, producer)
await behind
await producer?.close()
await broker.close()
mark('closed')
clearTimeout(limit)

function readerOf(topic: string): LogReader {
  const reader = broker.openReader()
  reader.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
  return reader
}

async function copy(from: LogReader, to: LogProducer | null): Promise<void> {
  let read = 0
  let committedMs = performance.now()
  while (read < job.ticks) {
    for (const fetched of await from.poll(500)) read += copyOf(fetched, to)
    if (to === null) continue
    if (job.guarantee === 'at-least-once') await to.flush()
    else if (performance.now() - committedMs >= commitIntervalMs) {
      await to.commit()
      committedMs = performance.now()
    }
  }
  if (to !== null && job.guarantee === 'exactly-once') await to.commit()
  await from.close()
}

function copyOf({ partition, records }: FetchedPartition, to: LogProducer | null): number {
  let read = 0
  while (records.next()) {
    read++
    to?.append(target, partition, records.key(), records.value(), records.timestampMs)
    if (!isRepartitioned) tick()
  }
  return read
}

async function readBack(reader: LogReader): Promise<void> {
  while (ticks < job.ticks) {
    for (const { records } of await reader.poll(500)) while (records.next()) tick()
  }
  await reader.close()
}
