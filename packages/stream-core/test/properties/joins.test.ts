import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { int64, joinWindows, json, type KTable, StreamsBuilder, string } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const strings = { key: string(), value: string() }
const key = fc.constantFrom('a', 'b', 'c')

describe('stream-stream joins against all pairs', () => {
  // Not near 0: Java looks up [0, 0] where the window lies before 0 (Math.max(0, timestamp + after) in KStreamKStreamJoin).
  const record = fc.record({ side: fc.constantFrom('left', 'right'), key, time: fc.integer({ min: 50, max: 250 }) })

  for (const kind of ['join', 'leftJoin', 'outerJoin'] as const) {
    test(`${kind}: every pair within the window once, and every unmatched record of an outer side once`, () => {
      fc.assert(
        fc.property(
          fc.array(record, { maxLength: 30 }),
          fc.record({ before: fc.integer({ min: -20, max: 40 }), after: fc.nat({ max: 40 }) }),
          (records, { before, after }) => {
            fc.pre(before + after >= 0)
            // In order: a late record without a match is said to have none at once, as in Java, also within the grace.
            const input = [...records].sort((a, b) => a.time - b.time)
            const windows = joinWindows({ difference: 0, beforeMs: before, afterMs: after, grace: 1000 })
            const builder = new StreamsBuilder()
            const left = builder.stream('left', strings)
            const right = builder.stream('right', strings)
            const joiner = (l: string | null, r: string | null): string => `${l}-${r}`
            left[kind as 'outerJoin'](right, joiner, { windows, ...strings, otherValue: string() }).to('out', strings)
            const driver = new TopologyTestDriver(builder.build())
            for (const [i, { side, key: k, time }] of input.entries()) {
              driver.createInputTopic(side, strings).pipeInput(k, `${side[0]}${i}`, time)
            }
            // Far ahead, twice: what waits is emitted when a record comes whose window does not reach back to it.
            for (const time of [10_000, 20_000]) driver.createInputTopic('left', strings).pipeInput('end', 'end', time)
            const actual = driver
              .createOutputTopic('out', strings)
              .readValuesToList()
              .filter((value) => !value!.includes('end'))
            const named = input.map((item, i) => ({ ...item, name: `${item.side[0]}${i}` }))
            const [lefts, rights] = ['left', 'right'].map((side) => named.filter((item) => item.side === side))
            const pairs = lefts!.flatMap((l) =>
              rights!
                .filter((r) => r.key === l.key && r.time >= l.time - before && r.time <= l.time + after)
                .map((r) => ({ l: l.name, r: r.name })),
            )
            const expected = pairs.map(({ l, r }) => `${l}-${r}`)
            if (kind !== 'join') {
              for (const { name } of lefts!) if (!pairs.some(({ l }) => l === name)) expected.push(`${name}-null`)
            }
            if (kind === 'outerJoin') {
              for (const { name } of rights!) if (!pairs.some(({ r }) => r === name)) expected.push(`null-${name}`)
            }
            expect([...actual].sort((a, b) => byCodePoint(a!, b!))).toEqual(expected.sort(byCodePoint))
            driver.close()
          },
        ),
        { numRuns: 150 },
      )
    })
  }
})

describe('tables against maps', () => {
  const change = fc.record({
    table: fc.constantFrom('left', 'right'),
    key,
    value: fc.option(fc.constantFrom('x', 'y', 'a|1', 'b|2', 'c|3'), { nil: null, freq: 3 }),
  })
  const changes = fc.array(change, { maxLength: 40 })
  const foreignKey = (value: string): string | null => (value.includes('|') ? value[0]! : null)

  /** The table that a stream of changes amounts to, and the two maps that went in. */
  function run(
    build: (left: KTable<string, string>, right: KTable<string, string>) => KTable<string, string>,
    input: readonly { readonly table: string; readonly key: string; readonly value: string | null }[],
    options: { readonly partitions?: number; readonly cacheMaxBytes?: number } = {},
  ) {
    const builder = new StreamsBuilder()
    const left = builder.table('left', { ...strings, store: { name: 'left' } })
    const right = builder.table('right', { ...strings, store: { name: 'right' } })
    build(left, right).toStream().to('out', strings)
    const driver = new TopologyTestDriver(builder.build(), options)
    const maps = { left: new Map<string, string>(), right: new Map<string, string>() }
    for (const [i, { table, key: k, value }] of input.entries()) {
      driver.createInputTopic(table, strings).pipeInput(k, value, i)
      const map = maps[table as 'left' | 'right']
      if (value === null) map.delete(k)
      else map.set(k, value)
    }
    const table = new Map(
      [...driver.createOutputTopic('out', strings).readKeyValuesToMap()].filter(([, value]) => value !== null),
    )
    driver.close()
    return { table: Object.fromEntries(table), ...maps }
  }

  const store = { value: string() }
  for (const partitions of [1, 3]) {
    test(`joins by key hold what the two tables hold (${partitions} partitions)`, () => {
      fc.assert(
        fc.property(changes, fc.constantFrom('join', 'leftJoin', 'outerJoin'), fc.boolean(), (input, kind, cached) => {
          const options = { partitions, cacheMaxBytes: cached ? 1 << 20 : 0 }
          const { table, left, right } = run(
            (l, r) =>
              l[kind as 'outerJoin'](r, (a: string | null, b: string | null) => `${a}-${b}`, {
                store: { ...store, name: 'joined' },
              }),
            input,
            options,
          )
          const expected: { [k: string]: string } = {}
          for (const k of new Set([...left.keys(), ...right.keys()])) {
            const [a, b] = [left.get(k) ?? null, right.get(k) ?? null]
            const has = kind === 'join' ? a !== null && b !== null : kind === 'leftJoin' ? a !== null : true
            if (has) expected[k] = `${a}-${b}`
          }
          expect(table).toEqual(expected)
        }),
        { numRuns: 100 },
      )
    })

    test(`joins by a foreign key hold what the two tables hold (${partitions} partitions)`, () => {
      fc.assert(
        fc.property(changes, fc.boolean(), (input, isLeft) => {
          const { table, left, right } = run(
            (l, r) =>
              l[isLeft ? 'leftJoin' : ('join' as 'leftJoin')](r, (a: string, b: string | null) => `${a}-${b}`, {
                foreignKey: (_k: string, value: string) => foreignKey(value),
                store: { ...store, name: 'joined' },
              }),
            input,
            { partitions },
          )
          const expected: { [k: string]: string } = {}
          for (const [k, a] of left) {
            const fk = foreignKey(a)
            const b = fk === null ? null : (right.get(fk) ?? null)
            if (isLeft || b !== null) expected[k] = `${a}-${b}`
          }
          expect(table).toEqual(expected)
        }),
        { numRuns: 150 },
      )
    })

    test(`a grouped table counts and sums the rows it has (${partitions} partitions)`, () => {
      fc.assert(
        fc.property(changes, (input) => {
          const rows = run(
            (l) =>
              l
                .groupBy((k, value) => [value[0]!, k], strings)
                .aggregate({
                  init: () => [] as readonly string[],
                  add: (list, k) => [...list, k].sort(),
                  subtract: (list, k) => list.filter((other) => other !== k),
                  store: { value: json<readonly string[]>() },
                })
                .mapValues((list) => list.join(','), { value: string() }),
            input,
            { partitions },
          )
          const expected: { [group: string]: string } = {}
          for (const [k, value] of [...rows.left].sort(([a], [b]) => byCodePoint(a, b))) {
            expected[value[0]!] = expected[value[0]!] === undefined ? k : `${expected[value[0]!]},${k}`
          }
          const filled = Object.fromEntries(Object.entries(rows.table).filter(([, list]) => list !== ''))
          expect(filled).toEqual(expected)
        }),
        { numRuns: 150 },
      )
    })
  }

  test('a stream meets what the table holds at that moment', () => {
    const step = fc.oneof(change, fc.record({ stream: key }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const builder = new StreamsBuilder()
        const table = builder.table('left', strings)
        builder
          .stream('in', { key: string(), value: int64() })
          .leftJoin(table, (i, row) => `${i}:${row}`)
          .to('out', strings)
        const driver = new TopologyTestDriver(builder.build())
        const map = new Map<string, string>()
        const expected: string[] = []
        for (const [i, item] of steps.entries()) {
          if ('stream' in item) {
            driver.createInputTopic('in', { key: string(), value: int64() }).pipeInput(item.stream, i, i)
            expected.push(`${i}:${map.get(item.stream) ?? null}`)
          } else {
            driver.createInputTopic('left', strings).pipeInput(item.key, item.value, i)
            if (item.value === null) map.delete(item.key)
            else map.set(item.key, item.value)
          }
        }
        expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})
