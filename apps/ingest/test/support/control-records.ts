import type { ControlEvent } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import type { TestIngest } from './running-ingest.ts'

/** What the log has of a poll but its ballots, partition by partition. */
export async function controlRecords(system: TestIngest, pollId: string): Promise<readonly ControlEvent[][]> {
  const { partitionCount } = (await system.log.admin.describeTopics([topics.ballots])).get(topics.ballots)!
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic: topics.ballots, partition }))
  const ends = await system.log.admin.listOffsets(partitions, 'latest-stable')
  const found = partitions.map((): ControlEvent[] => [])
  const reader = system.log.openReader()
  reader.assign(partitions.map((partition) => ({ ...partition, offset: 0 })))
  const left = new Set(partitions.map(({ partition }) => partition).filter((partition) => ends[partition]! > 0))
  while (left.size > 0) {
    for (const { partition, records } of await reader.poll(1000)) {
      while (records.next()) {
        if (records.key()!.toString() === pollId) {
          found[partition]!.push(JSON.parse(records.value()!.toString()) as ControlEvent)
        }
      }
      if (records.position >= ends[partition]!) left.delete(partition)
    }
  }
  await reader.close()
  return found
}
