import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  int64,
  json,
  type KTable,
  sessionWindowed,
  sessionWindows,
  slidingWindows,
  StreamsBuilder,
  string,
  timeWindowed,
  timeWindows,
  unlimitedWindows,
  type Windowed,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

interface Event {
  readonly key: string
  readonly time: number
  readonly value: number
}

const event = fc.record({
  key: fc.constantFrom('a', 'b'),
  time: fc.nat({ max: 300 }),
  value: fc.nat({ max: 9 }),
})
const events = fc.array(event, { maxLength: 40 })
const append = (list: readonly number[], value: number): readonly number[] => [...list, value]

type Lists = KTable<Windowed<string>, readonly number[]>

/** The last list of each window that a topology forwards. */
function run(
  build: (builder: StreamsBuilder) => Lists,
  serde: ReturnType<typeof timeWindowed<string>>,
  input: readonly Event[],
) {
  const builder = new StreamsBuilder()
  build(builder).toStream().to('out', { key: serde, value: json<readonly number[]>() })
  const driver = new TopologyTestDriver(builder.build())
  const topic = driver.createInputTopic('in', { key: string(), value: int64() })
  for (const { key, time, value } of input) topic.pipeInput(key, value, time)
  const windows = new Map<string, readonly number[] | null>()
  const out = driver.createOutputTopic('out', { key: serde, value: json<readonly number[]>() })
  for (const { key, value } of out.readRecordsToList()) {
    windows.set(`${key!.key}@${key!.window.start}/${key!.window.end}`, value)
  }
  const late = [...driver.dropped.values()].reduce((sum, count) => sum + count, 0)
  driver.close()
  return { windows: new Map([...windows].filter(([, list]) => list !== null)), late }
}

const source = (builder: StreamsBuilder) => builder.stream('in', { key: string(), value: int64() }).groupByKey()
const lists = { init: (): readonly number[] => [], add: append, store: { value: json<readonly number[]>() } }

describe('windows against what they are said to be', () => {
  test('hopping windows hold every record that was in time, in the order of arrival', () => {
    const shape = fc.record({
      size: fc.integer({ min: 1, max: 60 }),
      part: fc.integer({ min: 1, max: 4 }),
      grace: fc.nat({ max: 80 }),
    })
    fc.assert(
      fc.property(events, shape, (input, { size, part, grace }) => {
        const advance = Math.max(1, Math.floor(size / part))
        const actual = run(
          (builder) => source(builder).windowedBy(timeWindows({ size, advance, grace })).aggregate(lists),
          timeWindowed(string(), size),
          input,
        )
        const expected = new Map<string, number[]>()
        let late = 0
        let streamTime = -1
        for (const { key, time, value } of input) {
          streamTime = Math.max(streamTime, time)
          for (let start = 0; start <= time; start += advance) {
            if (time >= start + size) continue
            const name = `${key}@${start}/${start + size}`
            if (start + size <= streamTime - grace) late++
            else expected.set(name, [...(expected.get(name) ?? []), value])
          }
        }
        expect(Object.fromEntries(actual.windows)).toEqual(Object.fromEntries(expected))
        expect(actual.late).toBe(late)
      }),
      { numRuns: 200 },
    )
  })

  test('sliding windows are those that records begin and end, and hold what lies in them', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 60 }), (input, difference) => {
        const grace = 1000 // nothing is late: lateness is the scenarios' matter
        const actual = run(
          (builder) => source(builder).windowedBy(slidingWindows({ difference, grace })).aggregate(lists),
          timeWindowed(string(), difference),
          input,
        )
        const expected = new Map<string, number[]>()
        for (const key of ['a', 'b']) {
          const mine = input.filter((record) => record.key === key)
          const times = mine.map(({ time }) => time)
          const starts = new Set<number>()
          for (const time of times) {
            starts.add(Math.max(0, time - difference))
            if (times.some((other) => other > time && other <= time + 1 + difference)) starts.add(time + 1)
          }
          for (const start of starts) {
            const inside = mine.filter(({ time }) => time >= start && time <= start + difference)
            if (inside.length > 0)
              expected.set(
                `${key}@${start}/${start + difference}`,
                inside.map(({ value }) => value),
              )
          }
        }
        const sorted = (windows: ReadonlyMap<string, readonly number[] | null>) =>
          Object.fromEntries([...windows].map(([name, list]) => [name, [...list!].sort((a, b) => a - b)]))
        expect(sorted(actual.windows)).toEqual(sorted(expected))
      }),
      { numRuns: 200 },
    )
  })

  test('sessions are the records of a key that lie no further apart than the gap', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 40 }), (input, gap) => {
        const actual = run(
          (builder) =>
            source(builder)
              .windowedBy(sessionWindows({ gap, grace: 1000 }))
              .aggregate({ ...lists, merge: (first, second) => [...first, ...second] }),
          sessionWindowed(string()) as never,
          input,
        )
        const expected = new Map<string, number[]>()
        for (const key of ['a', 'b']) {
          const mine = input.filter((record) => record.key === key).sort((a, b) => a.time - b.time)
          let session: Event[] = []
          const close = (): void => {
            if (session.length === 0) return
            const name = `${key}@${session[0]!.time}/${session[session.length - 1]!.time}`
            expected.set(
              name,
              session.map(({ value }) => value),
            )
            session = []
          }
          for (const record of mine) {
            if (session.length > 0 && record.time - session[session.length - 1]!.time > gap) close()
            session.push(record)
          }
          close()
        }
        const sorted = (windows: ReadonlyMap<string, readonly number[] | null>) =>
          Object.fromEntries([...windows].map(([name, list]) => [name, [...list!].sort((a, b) => a - b)]))
        expect(sorted(actual.windows)).toEqual(sorted(expected))
      }),
      { numRuns: 200 },
    )
  })

  test('an unlimited window holds everything from its start on', () => {
    fc.assert(
      fc.property(events, fc.nat({ max: 200 }), (input, startMs) => {
        const actual = run(
          (builder) => source(builder).windowedBy(unlimitedWindows({ startMs })).aggregate(lists),
          timeWindowed(string(), Number.POSITIVE_INFINITY),
          input,
        )
        const expected: { [window: string]: number[] } = {}
        for (const { key, time, value } of input) {
          if (time >= startMs) (expected[`${key}@${startMs}/Infinity`] ??= []).push(value)
        }
        expect(Object.fromEntries(actual.windows)).toEqual(expected)
      }),
      { numRuns: 50 },
    )
  })
})
