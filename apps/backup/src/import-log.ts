import { join } from 'node:path'
import { topicSpecs } from '@voting/election/topics'
import type { Broker } from 'stream-core'
import { BackupError } from './backup-error.ts'
import type { Manifest, PartitionEntry } from './manifest.ts'
import { type LoggedRecord, recordOf } from './record-line.ts'
import { readSegment } from './segment.ts'

const pendingBytesMax = 1 << 20

/** A record of a partition, and the offset that it has now. */
export type OnRecord = (topic: string, partition: number, record: LoggedRecord, offset: number) => Promise<void> | void

/** Makes the topics, as wide as they were, and writes their records in their order. They must be empty. */
export async function importLog(broker: Broker, { log }: Manifest, folder: string, onRecord: OnRecord): Promise<void> {
  const ballotPartitions = log.find(({ topic }) => topic === 'ballots')?.partitions.length
  if (ballotPartitions === undefined) return
  await broker.admin.createTopics(topicSpecs(ballotPartitions))
  for (const { topic, partitions } of log) {
    for (const [partition, entry] of partitions.entries()) {
      await importPartition(broker, { topic, partition, entry }, folder, onRecord)
    }
  }
}

async function importPartition(
  broker: Broker,
  { topic, partition, entry }: { readonly topic: string; readonly partition: number; readonly entry: PartitionEntry },
  folder: string,
  onRecord: OnRecord,
): Promise<void> {
  const producer = await broker.openProducer()
  let written = 0
  try {
    for await (const lines of readSegment(join(folder, entry.file))) {
      for (const line of lines) {
        const record = recordOf(line)
        producer.append(topic, partition, record.key, record.value, record.timestampMs, record.headers)
        await onRecord(topic, partition, record, written++)
        if (producer.pendingBytes > pendingBytesMax) await producer.flush()
      }
    }
    await producer.flush()
    const next = producer.nextOffset(topic, partition)
    if (written > 0 && next !== -1 && next !== written) {
      throw new BackupError(
        'in-use',
        `somebody else has written to ${topic} partition ${partition} meanwhile: stop all apps, and begin again with an empty log`,
      )
    }
  } finally {
    await producer.close()
  }
  if (written !== entry.rows) {
    throw new BackupError('damaged', `${entry.file} has ${written} records, by the manifest ${entry.rows}`)
  }
}
