import { int32, int64, json, StreamsBuilder, string, timeWindows, type Topology } from '../../src/index.ts'

export const inputPartitions = 4
export const groupCount = 50
export const windowMs = 1000

export interface Total {
  readonly count: number
  readonly sum: number
}

/**
 * Each record carries a number of its own. It is passed on once (`echo`); counted and summed by group behind a repartition
 * topic (`totals`); counted by group and window (`windows`). Whatever is lost or doubled shows in one of them.
 */
export function chaosTopology(prefix: string): Topology {
  const builder = new StreamsBuilder()
  const events = builder.stream(`${prefix}-events`, { key: string(), value: int64() })
  events.to(`${prefix}-echo`)
  const groups = events.groupBy((key) => Number(key) % groupCount, { name: 'by-group', key: int32() })
  groups
    .aggregate<Total>({
      init: () => ({ count: 0, sum: 0 }),
      add: ({ count, sum }, number) => ({ count: count + 1, sum: sum + number }),
      store: { name: 'totals', value: json<Total>() },
    })
    .toStream()
    .to(`${prefix}-totals`)
  groups
    // Nothing is late, so that windows sum up to the totals whoever was away.
    .windowedBy(timeWindows({ size: windowMs, grace: { hours: 1 } }))
    .count({ store: { name: 'windows' } })
    .toStream()
    .map(({ key, window }, count) => [`${key}@${window.start}`, count], { key: string(), value: int64() })
    .to(`${prefix}-windows`)
  return builder.build()
}
