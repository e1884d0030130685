import { expect, test } from 'vitest'
import {
  int64,
  joinWindows,
  type KTable,
  sessionWindows,
  slidingWindows,
  StreamsBuilder,
  string,
  timeWindows,
  type TimeWindowedKStream,
  type Topology,
  untilWindowCloses,
  type Windowed,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
const counts = { key: string(), value: int64() }

const windowed: { readonly [shape: string]: (builder: StreamsBuilder) => KTable<Windowed<string>, number> } = {
  'time windows': (builder) => tumbling(builder).count(),
  'windows that are emitted when they close': (builder) => tumbling(builder).emitStrategy('on-window-close').count(),
  'suppressed windows': (builder) => tumbling(builder).count().suppress(untilWindowCloses()),
  'sliding windows': (builder) =>
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(slidingWindows({ difference: 10 }))
      .count(),
  sessions: (builder) =>
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(sessionWindows({ gap: 10 }))
      .count(),
}

const tumbling = (builder: StreamsBuilder): TimeWindowedKStream<string, string> =>
  builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(timeWindows({ size: 10 }))

function topologyOf(make: (builder: StreamsBuilder) => KTable<Windowed<string>, number>): Topology {
  const builder = new StreamsBuilder()
  make(builder)
    .toStream((key) => key.key, { key: string() })
    .to('out')
  return builder.build()
}

test.each(Object.entries(windowed))('%s: a record that is late is late after a restart, too', (_shape, make) => {
  const results = (restarts: boolean): unknown => {
    const driver = new TopologyTestDriver(topologyOf(make))
    const input = driver.createInputTopic('in', strings)
    for (const timestampMs of [1, 2, 100]) input.pipeInput('k', 'v', timestampMs)
    if (restarts) driver.crash()
    input.pipeInput('k', 'late', 3)
    input.pipeInput('k', 'v', 200)
    const late = [...driver.dropped].filter(([reason]) => reason.endsWith('/late')).map(([, count]) => count)
    return [driver.createOutputTopic('out', counts).readKeyValuesToList(), late]
  }
  expect(results(true)).toEqual(results(false))
  expect((results(true) as [unknown, number[]])[1][0]).toBeGreaterThan(0)
})

function leftJoin(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('left', strings)
    .leftJoin(builder.stream('right', strings), (left, right) => `${left}-${right}`, {
      windows: joinWindows({ difference: 10, grace: 50 }),
      ...strings,
      otherValue: string(),
    })
    .to('out', strings)
  return builder.build()
}

test('two drivers of one topology with an outer join know nothing of each other’s time', () => {
  const topology = leftJoin()
  const first = new TopologyTestDriver(topology)
  first.createInputTopic('left', strings).pipeInput('k', 'v', 1000)
  const second = new TopologyTestDriver(topology)
  second.createInputTopic('left', strings).pipeInput('k', 'l', 0)
  second.createInputTopic('right', strings).pipeInput('k', 'r', 5)
  expect(second.createOutputTopic('out', strings).readValuesToList()).toEqual(['l-r'])
})

test('an outer join answers a late record without a match at once, also after a restart', () => {
  const driver = new TopologyTestDriver(leftJoin())
  const left = driver.createInputTopic('left', strings)
  left.pipeInput('k', 'newest', 1000)
  driver.crash()
  left.pipeInput('k', 'late', 0)
  expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['late-null'])
})
