import { json, sessionWindowed, sessionWindows, StreamsBuilder, string, type Topology } from 'stream-core'

export interface Visit {
  readonly pages: readonly string[]
}

/** Joins clicks of one visitor into visits: a visit ends when nothing has happened for half an hour. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('clicks', { key: string(), value: string() })
    .groupByKey()
    .windowedBy(sessionWindows({ gap: { minutes: 30 }, grace: { minutes: 5 } }))
    .aggregate<Visit>({
      init: () => ({ pages: [] }),
      add: (visit, page) => ({ pages: [...visit.pages, page] }),
      // A click between two visits makes them one.
      merge: (earlier, later) => ({ pages: [...earlier.pages, ...later.pages] }),
      store: { name: 'visits', value: json<Visit>() },
    })
    .toStream()
    .to('visits', { key: sessionWindowed(string()), value: json<Visit>() })
  return builder.build()
}
