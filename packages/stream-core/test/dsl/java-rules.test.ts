import { describe, expect, test } from 'vitest'
import { javaRules } from '../../src/common/java-rules.ts'
import * as entry from '../../src/index.ts'
import {
  type StreamsBuilderOptions,
  string,
  StreamsBuilder,
  timeWindowed,
  sessionWindowed,
  timeWindows,
  TopologyBuilder,
  unlimitedWindows,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

/** What only the conformance runner asks for; the scenarios say in full what follows from it. */
describe('javaRules', () => {
  const options: StreamsBuilderOptions = { [javaRules]: true } as never

  test('is nobody’s option by accident', () => {
    expect(Object.values(entry)).not.toContain(javaRules)
  })

  test('a global table whose store has no name is refused at build', () => {
    const builder = new StreamsBuilder(options)
    builder.globalTable('global', { ...strings, store: { caching: false } })
    expect(() => builder.build()).toThrow(/exactly one store but got 0/)
  })

  test('any name will do for a node, and a topology may be empty', () => {
    const builder = new TopologyBuilder({ [javaRules]: true })
    builder.addSource({ name: 'a b', topics: ['in'], ...strings })
    expect(builder.build().nodes.map(({ name }) => name)).toEqual(['a b'])
    expect(new TopologyBuilder({ [javaRules]: true }).build().nodes).toEqual([])
    expect(() => new TopologyBuilder().addSource({ name: 'a b', topics: ['in'], ...strings })).toThrow(/illegal/)
  })
})

describe('windows at their edges', () => {
  test('a windowed key that is shorter than its window does not decode', () => {
    const context = { topic: 't', part: 'key', headers: [] } as const
    const bytes = Buffer.from('before1234567')
    expect(() => timeWindowed(string(), 10).read(bytes, 6, 13, context)).toThrow(/there are 7/)
    expect(() => sessionWindowed(string()).read(bytes, 6, 13, context)).toThrow(/ends with 16 bytes/)
  })

  test('windows without an end are held back for ever', () => {
    const builder = new StreamsBuilder()
    const counts: number[] = []
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(unlimitedWindows())
      .count()
      .suppress(untilWindowCloses())
      .toStream()
      .forEach((_key, count) => void counts.push(count))
    const driver = new TopologyTestDriver(builder.build())
    const input = driver.createInputTopic('in', strings)
    for (const time of [0, 1_000_000_000]) input.pipeInput('k', 'v', time)
    driver.commit()
    expect(counts).toEqual([])
  })

  test('final windows of one time leave in the order of their keys, also of one that begins like another', () => {
    const builder = new StreamsBuilder()
    const keys: string[] = []
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(timeWindows({ size: 10 }))
      .emitStrategy('on-window-close')
      .count()
      .toStream()
      .forEach(({ key }) => void keys.push(key))
    const input = new TopologyTestDriver(builder.build()).createInputTopic('in', strings)
    for (const key of ['a\0', 'a', 'a\0\0']) input.pipeInput(key, 'v', 256 * 256)
    input.pipeInput('z', 'v', 256 * 256 + 5)
    expect(keys).toEqual(['a', 'a\0', 'a\0\0'])
  })
})
