import { type Broker, partitionForKey } from 'stream-core'

export interface Line {
  readonly key: string
  readonly value: string
  readonly timestampMs: number
}

/** Puts records into a topic: equal keys into one partition, as every Kafka client does it. */
export async function write(broker: Broker, topic: string, lines: Iterable<Line>): Promise<void> {
  const { partitionCount } = (await broker.admin.describeTopics([topic])).get(topic)!
  const producer = await broker.openProducer()
  for (const { key, value, timestampMs } of lines) {
    const keyBytes = Buffer.from(key)
    producer.append(topic, partitionForKey(keyBytes, partitionCount), keyBytes, Buffer.from(value), timestampMs)
  }
  await producer.flush()
  await producer.close()
}

/** Reads what is in a topic now, as far as it is committed. */
export async function read(broker: Broker, topic: string): Promise<Line[]> {
  const { partitionCount } = (await broker.admin.describeTopics([topic])).get(topic)!
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
  const starts = await broker.admin.listOffsets(partitions, 'earliest')
  const ends = await broker.admin.listOffsets(partitions, 'latest-stable')
  const reader = broker.openReader()
  reader.assign(partitions.map((partition, i) => ({ ...partition, offset: starts[i]! })))
  const left = new Set(partitions.map(({ partition }) => partition).filter((i) => starts[i]! < ends[i]!))
  const lines: Line[] = []
  while (left.size > 0) {
    for (const { partition, records } of await reader.poll(1000)) {
      // A cursor over bytes: nothing is decoded that nobody asks for.
      while (records.next()) {
        lines.push({ key: String(records.key()), value: String(records.value()), timestampMs: records.timestampMs })
      }
      if (records.position >= ends[partition]!) left.delete(partition)
    }
  }
  await reader.close()
  return lines
}
