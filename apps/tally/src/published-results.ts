import type { ResultDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import type { Broker } from 'stream-core'
import { CountingProgress, partitionsOf } from './counting-progress.ts'

/** What is published, and what of the log is in it. */
export interface PublishedResults {
  readonly documents: ReadonlyMap<string, ResultDocument>
  /** Of each partition of `ballots`: what lies before is in the documents, unless `uncounted` is above 0. */
  readonly ends: readonly number[]
  /** Records before `ends` that the tally has not read, though it was waited for. */
  readonly uncounted: number
}

/**
 * The newest result of every poll, at a known position: the ends of `ballots` are noted, the tally is waited for until it
 * has counted up to there, then the results are read. More may be in them; each says what (`positions`). null: there are no
 * topics yet.
 */
export async function readPublished(
  broker: Broker,
  applicationId: string,
  patienceMs: number,
): Promise<PublishedResults | null> {
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)
  if (!ballots) return null
  const ends = await broker.admin.listOffsets(partitionsOf(topics.ballots, ballots.partitionCount), 'latest-stable')
  const progress = new CountingProgress(broker, applicationId, ballots.partitionCount)
  const isCounted = await progress.untilCounted(ends, patienceMs)
  return {
    documents: await newestResults(broker, topics.results),
    ends,
    // It may have read all and not have counted what it has read.
    uncounted: isCounted ? 0 : Math.max(1, await progress.unread(ends)),
  }
}

/** The newest document of every poll in a topic of results, up to this end of it. */
export async function newestResults(
  broker: Broker,
  topic: string,
  end: 'latest' | 'latest-stable' = 'latest-stable',
): Promise<Map<string, ResultDocument>> {
  const found = new Map<string, ResultDocument>()
  const description = (await broker.admin.describeTopics([topic])).get(topic)
  if (!description) return found
  const partitions = partitionsOf(topic, description.partitionCount)
  const starts = await broker.admin.listOffsets(partitions, 'earliest')
  const ends = await broker.admin.listOffsets(partitions, end)
  const left = new Set(partitions.filter((_, i) => starts[i]! < ends[i]!).map(({ partition }) => partition))
  const reader = broker.openReader()
  try {
    reader.assign(partitions.map((partition, i) => ({ ...partition, offset: starts[i]! })))
    while (left.size > 0) {
      for (const { partition, records } of await reader.poll(1000)) {
        while (records.next()) {
          const value = records.value()
          if (value !== null) found.set(records.key()!.toString(), JSON.parse(value.toString()) as ResultDocument)
        }
        if (records.position >= ends[partition]!) left.delete(partition)
      }
    }
  } finally {
    await reader.close()
  }
  return found
}
