import type { LogStore } from '../../src/adapters/embedded/log-store.ts'
import type { PartitionLog } from '../../src/adapters/embedded/partition-log.ts'
import { at, attribute, readInt64 } from '../../src/common/record-batch.ts'
import { RecordBatchBuilder } from '../../src/common/record-batch-builder.ts'
import { noHeaders } from '../../src/common/record.ts'
import type { Broker } from '../../src/index.ts'
import type { Random } from './random.ts'
import { applicationId, inputPartitions } from './sim-topology.ts'

export const inputs = ['events', 'numbers'] as const
const changelogs = ['groups', 'lasts'].map((store) => `${applicationId}-${store}-changelog`)

export const damages = [
  'inputs made anew',
  'inputs cut',
  'changelogs made anew',
  'changelogs cut',
  'changelogs aborted',
] as const
export type Damage = (typeof damages)[number]

/** Done to the state's only source: results before and after do not follow from each other. */
export const costsState = (damage: Damage): boolean => damage.startsWith('changelogs')

/** What is done to topics by those who may, or by brokers that lose what they had; when all is processed, and nothing is open. */
export async function doDamage(damage: Damage, broker: Broker, store: LogStore, random: Random): Promise<void> {
  switch (damage) {
    case 'inputs made anew':
      await broker.admin.deleteTopics(inputs)
      return broker.admin.createTopics(inputs.map((topic) => ({ topic, partitions: inputPartitions })))
    case 'changelogs made anew':
      // Who starts next makes them.
      return broker.admin.deleteTopics(changelogs)
    case 'inputs cut':
      return cut(store, inputs, (log) => log.logStartOffset + random.below(log.nextOffset - log.logStartOffset + 1))
    case 'changelogs aborted':
      return loseEnds(store)
    case 'changelogs cut':
      return cut(store, changelogs, (log) => random.pick(endsOfTransactions(log)))
  }
}

async function cut(store: LogStore, topics: readonly string[], where: (log: PartitionLog) => number): Promise<void> {
  await store.commits.run(() => {
    for (const log of store.partitions) if (topics.includes(log.topic)) log.cut(where(log))
  })
}

/** Offsets between which transactions lie whole. */
function endsOfTransactions(log: PartitionLog): number[] {
  const ends = [log.logStartOffset]
  for (const { bytes, lastOffset } of log.read(log.logStartOffset, log.nextOffset, 1 << 30)) {
    if (isControl(bytes)) ends.push(lastOffset + 1)
  }
  return ends
}

/** The marker of the last transaction is lost with the log's end, and whoever opens the log again aborts what has none. */
async function loseEnds(store: LogStore): Promise<void> {
  const addAborted = store.database.prepare('INSERT INTO aborted_transactions VALUES (?,?,?,?)')
  await store.commits.run(() => {
    for (const log of store.partitions) {
      const batches = changelogs.includes(log.topic) ? log.read(log.logStartOffset, log.nextOffset, 1 << 30) : []
      const marker = batches.findLast(({ bytes }) => isControl(bytes))
      const written = batches.at(batches.indexOf(marker!) - 1)
      // One that lies apart from its records, or has none any more, says nothing of where they begin.
      if (marker === undefined || written === undefined || isControl(written.bytes)) continue
      const producerId = readInt64(marker.bytes, at.producerId)
      if (readInt64(written.bytes, at.producerId) !== producerId) continue
      log.cut(marker.baseOffset)
      const abort = new RecordBatchBuilder(128)
      abort.append(Buffer.from([0, 0, 0, 0]), Buffer.alloc(6), 0, noHeaders)
      const producerEpoch = marker.bytes.readInt16BE(at.producerEpoch)
      log.append(abort.seal({ producerId, producerEpoch, transactional: true, control: true }))
      addAborted.run(log.id, marker.baseOffset, producerId, written.baseOffset)
      log.saveEnds()
      log.highWatermark = log.nextOffset
    }
  })
}

const isControl = (bytes: Buffer): boolean => (bytes.readInt16BE(at.attributes) & attribute.control) !== 0
