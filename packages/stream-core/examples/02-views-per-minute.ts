import {
  int64,
  json,
  StreamsBuilder,
  string,
  timeWindowed,
  timeWindows,
  type Topology,
  untilWindowCloses,
} from 'stream-core'

export interface View {
  readonly page: string
}

/** Counts views of each page per minute, and says each count once: when the minute and 10 s for late views are over. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('views', { key: string(), value: json<View>() })
    .groupBy((_user, view) => view.page, { key: string(), name: 'by-page' })
    .windowedBy(timeWindows({ size: { minutes: 1 }, grace: { seconds: 10 } }))
    .count({ store: { name: 'views-per-minute' } })
    .suppress(untilWindowCloses({ name: 'final' }))
    .toStream()
    .to('views-per-minute', { key: timeWindowed(string(), 60_000), value: int64() })
  return builder.build()
}
