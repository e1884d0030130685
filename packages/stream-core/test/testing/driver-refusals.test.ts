import { expect, test } from 'vitest'
import { StreamsBuilder, string } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

function open() {
  const builder = new StreamsBuilder()
  builder.stream('in', strings).to('out')
  const driver = new TopologyTestDriver(builder.build(), { partitions: 2 })
  return { driver, input: driver.createInputTopic('in', strings), output: driver.createOutputTopic('out', strings) }
}

test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, '5', null])(
  'a record cannot have the time %j, and is not sent',
  (time) => {
    const { driver, input, output } = open()
    const message = /timestampMs of a record for "in" must be a whole number of milliseconds; got/
    expect(() => input.pipeInput('k', 'v', { timestampMs: time as number })).toThrow(message)
    if (typeof time === 'number') expect(() => input.pipeInput('k', 'v', time)).toThrow(message)
    expect(() => driver.pipeBytes('in', null, null, time as number)).toThrow(message)
    expect(output.isEmpty).toBe(true)
  },
)

test('a topic that nobody writes is refused: a test that found nothing in it would say nothing', () => {
  const { driver } = open()
  expect(() => driver.createOutputTopic('uot', strings)).toThrow(/neither reads nor writes the topic "uot"/)
  expect(() => driver.createOutputTopic('app-s-changelog', strings)).not.toThrow()
})

test('what is said of a record and means nothing is refused', () => {
  const { input, output } = open()
  const refused = (options: unknown, message: RegExp): void =>
    expect(() => input.pipeInput('k', 'v', options as number)).toThrow(message)
  refused('5', /the options of pipeInput are a time in milliseconds or .*; got "5"/)
  refused(null, /the options of pipeInput .*; got null/)
  refused({ timestamp: 5 }, /pipeInput knows no option "timestamp"; it knows timestampMs, headers, partition/)
  refused({ partition: 2 }, /partition of a record for "in" must be a whole number below 2; got 2/)
  refused({ partition: '0' }, /partition of a record for "in" must be a whole number below 2; got "0"/)
  expect(() => input.pipeInput(5 as never, 'v')).toThrow(/the key of a record for "in" cannot be written as string/)
  expect(() => input.pipeInput('k', undefined as never)).toThrow(/the value of a record for "in" cannot be written/)
  expect(output.isEmpty).toBe(true)
})

test('clocks take whole milliseconds, and go forward', async () => {
  const { driver, input } = open()
  expect(() => driver.advanceWallClockTime(Number.NaN)).toThrow(/byMs must be a whole number, 0 or more; got NaN/)
  expect(() => driver.advanceWallClockTime(-1)).toThrow(/byMs must be .* got -1/)
  expect(() => input.advanceTime('5' as never)).toThrow(/byMs must be .* got "5"/)
  expect(() => driver.createInputTopic('in', strings, { startMs: 1.5 })).toThrow(/startMs must be .* got 1.5/)
  expect(() => driver.createInputTopic('in', strings, { autoAdvanceMs: -1 })).toThrow(/autoAdvanceMs must be/)
  expect(() => driver.createInputTopic('in', strings, { start: 1 } as never)).toThrow(/knows no option "start"/)
  await expect(driver.drain({ patienceMs: Number.NaN })).rejects.toThrow(/patienceMs must be a number above 0; got NaN/)
  await expect(driver.drain({ patienceMs: '5' as never })).rejects.toThrow(
    /patienceMs must be a number above 0; got "5"/,
  )
  await expect(driver.drain({ patience: 5 } as never)).rejects.toThrow(/drain knows no option "patience"/)
  expect(() => driver.commit({ crashes: 'before-the-log' } as never)).toThrow(/commit knows no option "crashes"/)
})

test('a topic needs its serdes', () => {
  const { driver } = open()
  expect(() => driver.createInputTopic('in', undefined as never)).toThrow(
    /"in" needs serdes: \{ key: string\(\), value:/,
  )
  expect(() => driver.createInputTopic('in', { key: string() } as never)).toThrow(/"in" needs serdes/)
  expect(() => driver.createOutputTopic('out', { key: string, value: string } as never)).toThrow(/"out" needs serdes/)
})

test('a driver that is closed does nothing any more, but shows what it did', async () => {
  const { driver, input, output } = open()
  input.pipeInput('k', 'v')
  driver.close()
  driver.close()
  const closed = /the test driver is closed/
  expect(() => input.pipeInput('k', 'w')).toThrow(closed)
  expect(() => driver.pipeBytes('in', null, null, 0)).toThrow(closed)
  expect(() => driver.advanceWallClockTime(1)).toThrow(closed)
  expect(() => driver.commit()).toThrow(closed)
  expect(() => driver.crash()).toThrow(closed)
  expect(() => driver.store('s')).toThrow(closed)
  expect(() => driver.stores).toThrow(closed)
  expect(() => driver.createInputTopic('in', strings)).toThrow(closed)
  await expect(driver.drain()).rejects.toThrow(closed)
  expect(output.readKeyValuesToList()).toEqual([['k', 'v']])
})
