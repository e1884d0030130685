import type { Broker } from '../../packages/stream-core/src/index.ts'
import { partitions } from './workload.ts'

const flushedRecords = 20_000

/** Event time begins an hour ago, at the start of a window: a broker deletes what is older than its retention, while it is read. */
export const eventTimeStartMs = (): number => Math.floor((Date.now() - 3_600_000) / 10_000) * 10_000

export type Append = (
  partition: number,
  key: Buffer | string | null,
  value: Buffer | string,
  timestampMs: number,
) => void

/** Makes a topic and fills it: `record` is called `count` times. Strings are latin1. */
export async function fill(
  broker: Broker,
  topic: string,
  options: { readonly count: number; readonly configs?: { readonly [name: string]: string } },
  record: (i: number, append: Append) => void,
): Promise<void> {
  const configs = { 'retention.ms': '-1', ...options.configs }
  await broker.admin.createTopics([{ topic, partitions, configs }])
  const producer = await broker.openProducer()
  const append: Append = (partition, key, value, timestampMs) =>
    producer.append(topic, partition, key, value, timestampMs)
  for (let i = 0; i < options.count; i++) {
    record(i, append)
    if (i % flushedRecords === flushedRecords - 1) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

/** Calls back for each committed record of a topic, by partition in order. Returns how many there were. */
export async function readAll(
  broker: Broker,
  topic: string,
  onRecord: (key: Buffer | null, value: Buffer | null) => void,
): Promise<number> {
  const description = (await broker.admin.describeTopics([topic])).get(topic)
  if (description === undefined) throw new Error(`there is no topic "${topic}"`)
  const all = Array.from({ length: description.partitionCount }, (_, partition) => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    broker.admin.listOffsets(all, 'earliest'),
    broker.admin.listOffsets(all, 'latest-stable'),
  ])
  const reader = broker.openReader({ partitionMaxBytes: 4 << 20 })
  reader.assign(all.map((at, i) => ({ ...at, offset: starts[i]! })))
  const left = new Set(all.filter((_, i) => starts[i]! < ends[i]!).map(({ partition }) => partition))
  let count = 0
  while (left.size > 0) {
    for (const { partition, records } of await reader.poll(1000)) {
      while (records.next()) {
        count++
        onRecord(records.key(), records.value())
      }
      if (records.position >= ends[partition]!) left.delete(partition)
    }
  }
  await reader.close()
  return count
}
