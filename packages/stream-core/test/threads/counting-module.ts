import { int64, StreamsBuilder, string } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import type { ThreadContext } from '../../src/threads.ts'

export interface CountingData {
  readonly bootstrapServers: string
  readonly applicationId: string
  /** The thread that cannot be made, if any. */
  readonly broken?: number
}

/** Counts words; the word `boom` fails. */
export default ({ index, data }: ThreadContext) => {
  const { bootstrapServers, applicationId, broken } = data as CountingData
  if (index === broken) throw new Error('no such thing')
  const builder = new StreamsBuilder()
  builder
    .stream('words', { key: string(), value: string() })
    .mapValues(
      (word) => {
        if (word === 'boom') throw new Error('boom')
        return word
      },
      { value: string() },
    )
    .groupBy((_key, word) => word, { name: 'by-word', key: string() })
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('word-counts', { value: int64() })
  return {
    topology: builder.build(),
    applicationId,
    broker: kafkaBroker({ bootstrapServers, clientId: `thread-${index}` }),
    commitIntervalMs: 50,
    heartbeatIntervalMs: 200,
  }
}
