import type { Broker, CommittedOffset } from '../broker/broker.ts'
import { decodeOffsetMetadata } from '../runtime/offset-metadata.ts'
import { type Command, exitCode, noPositionals, readArguments, required } from './command.ts'
import { findApplication } from './application.ts'
import { logHelp, logOptions, withLog } from './open-log.ts'
import { table } from '../common/printable.ts'

const help = `stream-core lag --application-id <name> <log> [options]

Prints how far an application is behind, partition by partition: the position it has committed, the end of what can be
read, the offsets between (markers of transactions have some, too), and the latest event time it had seen there.

  --application-id <name>  which application
  --json                   as JSON instead

${logHelp}`

interface PartitionLag {
  readonly topic: string
  readonly partition: number
  readonly committed: number
  /** null: there is no such partition any more. */
  readonly end: number | null
  readonly lag: number | null
  /** −1: not known. */
  readonly eventTimeMs: number
}

export const lag: Command = {
  help,
  async run(args, { out, err }) {
    const { values, positionals } = readArguments('lag', args, {
      'application-id': { type: 'string' },
      json: { type: 'boolean' },
      ...logOptions,
    })
    noPositionals('lag', positionals)
    const id = required('application-id', values['application-id'], 'the name of the application')
    await withLog(values, async (broker) => {
      const { offsets } = await findApplication(broker, id)
      const rows = await lagOf(broker, offsets)
      const members = await broker.admin.groupMembers(id)
      const sum = rows.reduce((total, row) => total + (row.lag ?? 0), 0)
      if (values.json) {
        out(JSON.stringify({ applicationId: id, members: members.length, lag: sum, partitions: rows }, null, 2))
        return
      }
      out(
        table(
          ['topic', 'partition', 'committed', 'end', 'lag', 'event time'],
          rows.map(({ topic, partition, committed, end, lag: left, eventTimeMs }) => [
            topic,
            partition,
            committed,
            end ?? 'gone',
            left ?? '?',
            timeText(eventTimeMs),
          ]),
        ),
      )
      err(`${sum} offsets behind; ${members.length} instance${members.length === 1 ? '' : 's'}`)
    })
    return exitCode.done
  },
}

async function lagOf(broker: Broker, offsets: readonly CommittedOffset[]): Promise<PartitionLag[]> {
  const known = await broker.admin.describeTopics([...new Set(offsets.map(({ topic }) => topic))])
  const isThere = ({ topic, partition }: CommittedOffset): boolean =>
    partition < (known.get(topic)?.partitionCount ?? 0)
  const there = offsets.filter(isThere)
  const ends = await broker.admin.listOffsets(there, 'latest-stable')
  const endOf = new Map(there.map((offset, i) => [offset, ends[i]!]))
  return [...offsets]
    .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition))
    .map((offset) => {
      const { topic, partition, offset: committed, metadata } = offset
      const end = endOf.get(offset) ?? null
      const left = end === null ? null : Math.max(0, end - committed)
      return {
        topic,
        partition,
        committed,
        end,
        lag: left,
        eventTimeMs: decodeOffsetMetadata(metadata).partitionTimeMs,
      }
    })
}

function timeText(timeMs: number): string {
  const isTime = timeMs >= 0 && timeMs <= 8.64e15
  return isTime ? new Date(timeMs).toISOString() : '?'
}
