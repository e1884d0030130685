import { int64, json, StreamsBuilder, string, type Topology } from '../../src/index.ts'

export const applicationId = 'simulated'
export const inputPartitions = 2
export const keys = ['a', 'b', 'c', 'd', 'e', 'f']
/** For how long the changelogs keep deletions: state is old after half of it. */
export const keepsDeletionsMs = 200
export const groupOf = (key: string): string => `group-${keys.indexOf(key) % 2}`

const logging = { 'delete.retention.ms': String(keepsDeletionsMs) }

/**
 * A record is a number of its own. Behind `events`:
 *
 *   echo    every record once, through an asynchronous operator: another commit group
 *   groups  by group, behind a repartition topic and a record cache: the list of all numbers
 *   lasts   by key, without a cache: the last number, and nothing after every third, so that there are deletions
 */
export function simTopology(sleep: (ms: number) => Promise<void>): Topology {
  const builder = new StreamsBuilder()
  const events = builder.stream('events', { key: string(), value: int64() })
  events
    .mapValuesAsync(
      async (number) => {
        await sleep(number % 7)
        return number
      },
      { value: int64(), concurrency: 3, name: 'call' },
    )
    .to('echo')
  const input = builder.stream('numbers', { key: string(), value: int64() })
  input
    .groupBy(groupOf, { key: string(), name: 'by-group' })
    .aggregate<readonly number[]>({
      init: () => [],
      add: (list, number) => [...list, number],
      store: { name: 'groups', value: json(), caching: true, logging },
    })
    .toStream()
    .to('groups')
  input
    .groupByKey()
    .aggregate<number>({
      init: () => -1,
      add: (_last, number) => (number % 3 === 2 ? null : number),
      store: { name: 'lasts', value: int64(), caching: false, logging },
    })
    .toStream()
    .to('lasts')
  return builder.build()
}
