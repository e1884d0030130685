import { join } from 'node:path'
import { topics } from '@voting/election/topics'
import type { Broker, TopicPartition } from 'stream-core'
import type { Manifest, PartitionEntry } from './manifest.ts'
import { lineOf } from './record-line.ts'
import { writeSegment } from './segment.ts'

/** What cannot be had again. All other topics are the tally's, which makes them from `ballots`. */
const sourceTopics = [topics.ballots, topics.polls] as const

export interface LogPosition extends TopicPartition {
  readonly firstOffset: number
  readonly nextOffset: number
}

/** Where the topics that are backed up end now. Empty where there are none. */
export async function endOfLog({ admin }: Broker): Promise<readonly LogPosition[]> {
  const described = await admin.describeTopics(sourceTopics)
  const partitions = [...described.values()].flatMap(({ topic, partitionCount }) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
  )
  const firsts = await admin.listOffsets(partitions, 'earliest')
  const ends = await admin.listOffsets(partitions, 'latest-stable')
  return partitions.map((partition, i) => ({ ...partition, firstOffset: firsts[i]!, nextOffset: ends[i]! }))
}

/** Writes every partition up to its end into a file of the folder. */
export async function exportLog(broker: Broker, end: readonly LogPosition[], folder: string): Promise<Manifest['log']> {
  const byTopic = new Map<string, PartitionEntry[]>()
  for (const { topic, partition, firstOffset, nextOffset } of end) {
    const file = `log/${topic}-${partition}.ndjson.gz`
    const lines = linesOf(broker, { topic, partition }, firstOffset, nextOffset)
    const rows = await writeSegment(join(folder, file), lines)
    const entries = byTopic.get(topic) ?? []
    entries.push({ file, rows, firstOffset, nextOffset })
    byTopic.set(topic, entries)
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }))
}

async function* linesOf(
  broker: Broker,
  partition: TopicPartition,
  from: number,
  end: number,
): AsyncGenerator<readonly string[]> {
  const reader = broker.openReader({ isolation: 'read_committed' })
  try {
    reader.assign([{ ...partition, offset: from }])
    for (let position = from; position < end;) {
      for (const { records } of await reader.poll(1000)) {
        const lines: string[] = []
        while (records.next()) {
          const { offset, timestampMs } = records
          if (offset >= end) continue
          lines.push(
            lineOf({ offset, timestampMs, key: records.key(), value: records.value(), headers: records.headers() }),
          )
        }
        position = records.position
        yield lines
      }
      // What compaction has taken from the end is not waited for.
      if (reader.remaining(partition) === 0) break
    }
  } finally {
    await reader.close()
  }
}
