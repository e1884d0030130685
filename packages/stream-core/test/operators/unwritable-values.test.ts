import { expect, test } from 'vitest'
import { type Serde, StreamsBuilder, string } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

/** A text serde that reads everything and does not write "bad". */
const picky: Serde<string> = {
  ...string(),
  write(value, out, context) {
    if (value === 'bad') throw new TypeError('bad is not written')
    string().write(value, out, context)
  },
}

const driverOf = (builder: StreamsBuilder): TopologyTestDriver =>
  new TopologyTestDriver(builder.build(), { handlers: { processing: () => 'continue' } })

test('a record that cannot be written into the buffer of a join with grace does not make later ones late', () => {
  const builder = new StreamsBuilder()
  const store = { name: 't', versioned: { historyRetentionMs: 3_600_000 } }
  const table = builder.table('table', { ...strings, store })
  builder
    .stream('in', { key: string(), value: picky })
    .leftJoin(table, (left, right) => `${left}-${right}`, { grace: 10, name: 'join' })
    .to('out', strings)
  const driver = driverOf(builder)
  const input = driver.createInputTopic('in', strings)
  input.pipeInput('k', 'bad', 100)
  input.pipeInput('k', 'good', 50)
  driver.createInputTopic('table', strings).pipeInput('k', 'found', 45)
  input.pipeInput('k', 'next', 60)
  expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['good-found'])
})

test('a row whose foreign key is null asks for no bytes of its value', () => {
  const builder = new StreamsBuilder()
  const left = builder.table('left', { ...strings, store: { name: 'l' } }).mapValues((value) => value, { value: picky })
  const right = builder.table('right', { ...strings, store: { name: 'r' } })
  left
    .join(right, (a, b) => `${a}-${b}`, { foreignKey: (_key, value) => (value === 'bad' ? null : value), name: 'join' })
    .toStream()
    .to('out', strings)
  const driver = driverOf(builder)
  driver.createInputTopic('right', strings).pipeInput('x', 'right', 0)
  const input = driver.createInputTopic('left', strings)
  input.pipeInput('k', 'bad', 0)
  input.pipeInput('k', 'x', 1)
  expect(driver.createOutputTopic('out', strings).readValuesToList()).toEqual(['x-right'])
  expect([...driver.dropped.values()]).toEqual([1])
})
