import { createServer, type Server } from 'node:http'
import { type Broker, int64, Streams, StreamsBuilder, string, type Topology } from 'stream-core'
import { queryRouter } from 'stream-core/queries'

/** Counts words, and keeps the counts where they can be read. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.toLowerCase().split(/\W+/), { value: string() })
    .filter((_key, word) => word !== '')
    .groupBy((_key, word) => word, { key: string() })
    .count({ store: { name: 'counts' } })
  return builder.build()
}

/** One of several instances: any of them answers for all words. */
export async function start(broker: Broker, stateDir: string, port: number): Promise<Instance> {
  const streams = new Streams({
    topology: topology(),
    applicationId: 'words',
    broker,
    stateDir,
    endpoint: `127.0.0.1:${port}`, // where the others reach this one
  })
  const counts = streams.store('counts', { kind: 'keyValue', key: string(), value: int64() })
  const server = createServer(queryRouter(streams, { stores: { counts: { scans: true } } }))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await streams.start()
  return { streams, server, count: (word) => counts.get(word) ?? 0 }
}

export interface Instance {
  readonly streams: Streams
  readonly server: Server
  /** Throws a StoreNotAvailableError for a word that another instance counts. */
  readonly count: (word: string) => number
}
