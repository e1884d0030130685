import { describe, expect, test } from 'vitest'
import { joinWindows, StreamsBuilder, string, type Topology } from '../../src/index.ts'
import { computePartitionCounts } from '../../src/runtime/partition-counts.ts'

const strings = { key: string(), value: string() }
const counts = (topology: Topology, known: { readonly [topic: string]: number }): object => {
  const found = new Map(Object.entries(known))
  computePartitionCounts(topology, (name) => name, found)
  return Object.fromEntries(found)
}

describe('a repartition topic', () => {
  test('is as wide as the widest topic its writers read, also behind another', () => {
    const builder = new StreamsBuilder()
    const merged = builder.stream('a', strings).merge(builder.stream('b', strings))
    const first = merged.repartition({ name: 'first', ...strings })
    first.repartition({ name: 'second', ...strings }).to('out')
    expect(counts(builder.build(), { a: 2, b: 5 })).toMatchObject({ 'first-repartition': 5, 'second-repartition': 5 })
  })

  test('takes the width of what it is joined with', () => {
    const builder = new StreamsBuilder()
    const narrow = builder.stream('narrow', strings).selectKey((_key, value) => value, { key: string() })
    const windows = joinWindows({ difference: 10 })
    narrow
      .join(builder.stream('wide', strings), (a, b) => a + b, {
        windows,
        name: 'meet',
        ...strings,
        otherValue: string(),
      })
      .to('out', strings)
    expect(counts(builder.build(), { narrow: 2, wide: 7 })).toMatchObject({ 'meet-left-repartition': 7 })
  })

  test('of a foreign-key join: one leads to the right table, one back to the left', () => {
    const builder = new StreamsBuilder()
    const left = builder.table('left', strings)
    const right = builder.table('right', strings)
    left
      .join(right, (a, b) => a + b, { foreignKey: (_key, value) => value, name: 'fk' })
      .toStream()
      .to('out', strings)
    expect(counts(builder.build(), { left: 3, right: 4 })).toMatchObject({
      'fk-subscription-registration-topic': 4,
      'fk-subscription-response-topic': 3,
    })
  })
})

test('topics of the user’s that are joined and differ in width are refused, by name and number', () => {
  const builder = new StreamsBuilder()
  const table = builder.table('rows', strings)
  builder
    .stream('events', strings)
    .join(table, (a, b) => a + b)
    .to('out', strings)
  expect(() => counts(builder.build(), { rows: 3, events: 4 })).toThrow(/events \(4\), rows \(3\).*repartition\(\)/)
})
