import { int64, StreamsBuilder, string, timeWindows, type Topology } from '../../src/index.ts'

/** What TakeOver.java builds: the same names, so the same topics, changelogs and positions. */
export function takeOverTopology(prefix: string): Topology {
  const builder = new StreamsBuilder()
  const words = builder
    .stream(`${prefix}-lines`, { key: string(), value: string() })
    .groupBy((_key, word) => word, { name: 'by-word', key: string() })
  words
    .count({ store: { name: 'counts' } })
    .toStream()
    .to(`${prefix}-counts`, { value: int64() })
  words
    .windowedBy(timeWindows({ size: { seconds: 10 }, grace: { days: 1 } }))
    .count({ store: { name: 'windows', retentionMs: 2 * 86_400_000 } })
    .toStream()
    .map(({ key, window }, count) => [`${key}@${window.start}`, count], { key: string(), value: int64() })
    .to(`${prefix}-windows`)
  const left = builder.table(`${prefix}-left`, { key: string(), value: string(), store: { name: 'left' } })
  const right = builder.table(`${prefix}-right`, { key: string(), value: string(), store: { name: 'right' } })
  left
    .join(right, (one, other) => `${one}+${other}`, { store: { name: 'joined', key: string(), value: string() } })
    .toStream()
    .to(`${prefix}-joined`)
  return builder.build()
}
