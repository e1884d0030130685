import { expect, test } from 'vitest'
import { StreamsBuilder, string, type ProcessorContext, type Record, type Topology } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

type Forwards = (record: Record<string, string>) => Record<string, string>

function forwarding(change: Forwards): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', strings)
    .processValues(
      () => {
        let context: ProcessorContext<string, string>
        return {
          init: (given) => void (context = given),
          process: (record: Record<string, string>) => context.forward(change(record)),
        }
      },
      { name: 'shout', value: string() },
    )
    .groupByKey()
    .count()
    .toStream()
    .to('out')
  return builder.build()
}

test('processValues forwards other values under the key it was given, and nothing is repartitioned', () => {
  const driver = new TopologyTestDriver(forwarding((record) => ({ ...record, value: `${record.value}!` })))
  driver.createInputTopic('in', strings).pipeInput('k', 'v')
  expect(driver.producedTopics.filter((topic) => topic.includes('repartition'))).toEqual([])
  expect(driver.producedRecords('out').map(({ key }) => String(key))).toEqual(['k'])
})

test('a processor of processValues that forwards another key is stopped, and told of process()', () => {
  const driver = new TopologyTestDriver(forwarding((record) => ({ ...record, key: 'other' })))
  const input = driver.createInputTopic('in', strings)
  expect(() => input.pipeInput('k', 'v')).toThrow(/"shout" forwarded another key .* use process\(\)/)
})
