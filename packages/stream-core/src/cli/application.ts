import type { Broker, CommittedOffset } from '../broker/broker.ts'
import { StreamsError } from '../common/errors.ts'
import { printable } from '../common/printable.ts'

export interface Application {
  readonly offsets: readonly CommittedOffset[]
  /** Changelogs and repartition topics, by their names. */
  readonly internalTopics: readonly string[]
  /** Topics that have this application's prefix, and belong to another whose id begins with the same. */
  readonly othersTopics: readonly { readonly topic: string; readonly applicationId: string }[]
}

/** What comes behind the application's id in the names of the topics that Kafka Streams and this library make. */
const internalEnd =
  /-changelog$|-repartition$|-subscription-(?:registration|response)-topic$|KTABLE-FK-JOIN-SUBSCRIPTION-(?:REGISTRATION|RESPONSE)-\d{10}-topic$/

/** What a log has of an application. Throws when it has nothing: the id is misspelt, or the log is another one. */
export async function findApplication({ admin }: Broker, applicationId: string): Promise<Application> {
  const offsets = await admin.groupOffsets(applicationId)
  const groups = await admin.listGroups()
  const others = groups.filter((group) => group.startsWith(`${applicationId}-`))
  const mine: string[] = []
  const othersTopics: { topic: string; applicationId: string }[] = []
  for (const topic of [...(await admin.listTopics())].sort()) {
    if (!topic.startsWith(`${applicationId}-`) || !internalEnd.test(topic)) continue
    const other = others.find((group) => topic.startsWith(`${group}-`))
    if (other === undefined) mine.push(topic)
    else othersTopics.push({ topic, applicationId: other })
  }
  if (offsets.length === 0 && mine.length === 0 && !groups.includes(applicationId)) {
    throw new StreamsError(
      'INVALID_ARGUMENT',
      `there is no application "${applicationId}" in this log: no group, no committed position, no internal topic. ` +
        `Its groups are ${groups.length === 0 ? 'none' : printable(groups.join(', '))}`,
    )
  }
  return { offsets, internalTopics: mine, othersTopics }
}
