import { int64, StreamsBuilder, string, type Topology } from 'stream-core'

/** Counts words: the first program of the README. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.toLowerCase().split(/\W+/), { value: string() })
    .filter((_key, word) => word !== '')
    .groupBy((_key, word) => word, { key: string() })
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('word-counts', { value: int64() })
  return builder.build()
}
