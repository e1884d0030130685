import type { Broker } from '../broker/broker.ts'
import { StreamsError } from '../common/errors.ts'
import type { Headers, TopicPartition } from '../common/record.ts'
import { type Command, exitCode, noPositionals, readArguments, required, wholeNumber } from './command.ts'
import { logHelp, logOptions, withLog } from './open-log.ts'
import { printable, printableBytes } from '../common/printable.ts'

const help = `stream-core dead-letters --topic <name> <log> [options]

Lists what is in a dead-letter topic, oldest first: what happened, to which record, and the record.

  --topic <name>   the topic
  --limit <count>  the newest so many. Default 100
  --stacktrace     with the stack of each failure
  --json           one JSON object a line instead; bytes in base64

${logHelp}`

interface DeadLetter extends TopicPartition {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

const prefix = '__streams.errors.'
/** An answer to a poll is waited for so long, and a topic that brings nothing so often. */
const pollWaitMs = 1000
const emptyPollsMax = 30

export const deadLetters: Command = {
  help,
  async run(args, { out, err }) {
    const { values, positionals } = readArguments('dead-letters', args, {
      topic: { type: 'string' },
      limit: { type: 'string' },
      stacktrace: { type: 'boolean' },
      json: { type: 'boolean' },
      ...logOptions,
    })
    noPositionals('dead-letters', positionals)
    const topic = required('topic', values.topic, 'the name of the dead-letter topic')
    const limit = wholeNumber('limit', values.limit, 100)
    await withLog(values, async (broker) => {
      const { letters, total } = await readNewest(broker, topic, limit)
      for (const letter of letters) out(values.json ? jsonOf(letter) : textOf(letter, values.stacktrace ?? false))
      err(`${letters.length} of ${total} shown`)
    })
    return exitCode.done
  },
}

async function readNewest(
  broker: Broker,
  topic: string,
  limit: number,
): Promise<{ readonly letters: readonly DeadLetter[]; readonly total: number }> {
  const { admin } = broker
  const description = (await admin.describeTopics([topic])).get(topic)
  if (description === undefined) {
    const names = (await admin.listTopics()).join(', ')
    throw new StreamsError(
      'INVALID_ARGUMENT',
      `there is no topic ${JSON.stringify(topic)}; there are ${printable(names)}`,
    )
  }
  const partitions = Array.from({ length: description.partitionCount }, (_, partition) => ({ topic, partition }))
  const starts = await admin.listOffsets(partitions, 'earliest')
  const ends = await admin.listOffsets(partitions, 'latest-stable')
  const newest = partitions.map((): DeadLetter[] => [])
  const left = new Set(partitions.filter((_, i) => starts[i]! < ends[i]!).map(({ partition }) => partition))
  const reader = broker.openReader()
  let total = 0
  try {
    reader.assign([...left].map((partition) => ({ topic, partition, offset: starts[partition]! })))
    for (let emptyPolls = 0; left.size > 0;) {
      const fetched = await reader.poll(pollWaitMs)
      emptyPolls = fetched.length > 0 ? 0 : emptyPolls + 1
      if (emptyPolls > emptyPollsMax) {
        const what = `the log does not bring what it says is in ${topic} partition ${[...left].join(', ')}`
        throw new StreamsError('BROKER_UNAVAILABLE', what)
      }
      for (const { partition, records } of fetched) {
        const letters = newest[partition]!
        while (records.next()) {
          // What came after the start of this command is for the next one.
          if (records.offset >= ends[partition]!) continue
          total++
          const { offset, timestampMs } = records
          const [key, value] = [copy(records.key()), copy(records.value())]
          letters.push({ topic, partition, offset, timestampMs, key, value, headers: records.headers() })
          if (letters.length >= limit * 2) letters.splice(0, letters.length - limit)
        }
        if (records.position >= ends[partition]!) left.delete(partition)
      }
    }
  } finally {
    await reader.close()
  }
  const letters = newest.flatMap((list) => list.slice(-limit))
  letters.sort((a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || a.offset - b.offset)
  return { letters: letters.slice(-limit), total }
}

/** A view would keep the whole fetched buffer alive. */
const copy = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))

function errorsOf({ headers }: DeadLetter): ReadonlyMap<string, string> {
  return new Map(
    headers
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value?.toString() ?? '']),
  )
}

function textOf(letter: DeadLetter, withStack: boolean): string {
  const { topic, partition, offset, timestampMs, key, value, headers } = letter
  const errors = errorsOf(letter)
  const told = (name: string): string => printable(errors.get(name) ?? '?')
  const time = timestampMs >= 0 && timestampMs <= 8.64e15 ? new Date(timestampMs).toISOString() : String(timestampMs)
  const lines = [
    `${topic}-${partition}@${offset}  ${time}  from ${told('topic')}-${told('partition')}@${told('offset')}`,
    `  ${told('exception')}: ${told('message')}`,
    `  key    ${printableBytes(key)}`,
    `  value  ${printableBytes(value)}`,
  ]
  for (const [name, bytes] of headers) {
    if (!name.startsWith(prefix)) lines.push(`  header ${printable(name)}  ${printableBytes(bytes)}`)
  }
  const stack = withStack ? (errors.get('stacktrace') ?? '') : ''
  for (const line of stack === '' ? [] : stack.split('\n')) lines.push(`    ${printable(line.trim())}`)
  return lines.join('\n')
}

function jsonOf(letter: DeadLetter): string {
  const { topic, partition, offset, timestampMs, key, value, headers } = letter
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestampMs,
    errors: Object.fromEntries(errorsOf(letter)),
    key: key?.toString('base64') ?? null,
    value: value?.toString('base64') ?? null,
    headers: headers
      .filter(([name]) => !name.startsWith(prefix))
      .map(([name, bytes]) => [name, bytes?.toString('base64') ?? null]),
  })
}
