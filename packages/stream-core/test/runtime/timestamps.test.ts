import { expect, test } from 'vitest'
import {
  skipInvalidTimestamp,
  StreamsBuilder,
  string,
  type TimestampExtractor,
  usePartitionTimeOnInvalidTimestamp,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

const strings = { key: string(), value: string() }

function copying(timestampExtractor?: TimestampExtractor): TopologyTestDriver {
  const builder = new StreamsBuilder()
  builder.stream('in', { ...strings, ...(timestampExtractor && { timestampExtractor }) }).to('out')
  return new TopologyTestDriver(builder.build())
}

const pipe = (driver: TopologyTestDriver, value: string, timestampMs: number): void =>
  driver.pipeBytes('in', Buffer.from('k'), Buffer.from(value), timestampMs)

const copied = (driver: TopologyTestDriver): readonly (readonly [unknown, number])[] =>
  driver
    .createOutputTopic('out', strings)
    .readRecordsToList()
    .map(({ value, timestampMs }) => [value, timestampMs])

test('a negative timestamp stops the application, and the error names the record and the ways out', () => {
  expect(() => pipe(copying(), 'v', -1)).toThrow(/in partition 0 offset 0.*timestamp -1.*skipInvalidTimestamp/)
})

test('skipInvalidTimestamp leaves such records out, and counts them', () => {
  const driver = copying(skipInvalidTimestamp)
  pipe(driver, 'out of time', -1)
  pipe(driver, 'in time', 5)
  expect(copied(driver)).toEqual([['in time', 5]])
  expect([...driver.dropped]).toEqual([['KSTREAM-SOURCE-0000000000/negative-timestamp', 1]])
})

test('usePartitionTimeOnInvalidTimestamp takes the largest time so far, and fails when there is none', () => {
  const driver = copying(usePartitionTimeOnInvalidTimestamp)
  expect(() => pipe(copying(usePartitionTimeOnInvalidTimestamp), 'v', -1)).toThrow(/timestamp -1/)
  pipe(driver, 'a', 70)
  pipe(driver, 'b', 30)
  pipe(driver, 'c', -1)
  expect(copied(driver)).toEqual([
    ['a', 70],
    ['b', 30],
    ['c', 70],
  ])
})

test('what an extractor throws is told with the record that it was about', () => {
  const driver = copying(() => {
    throw new Error('no clock in it')
  })
  expect(() => pipe(driver, 'v', 1)).toThrow(/no timestamp for in partition 0 offset 0: no clock in it/)
})

test.each([Number.NaN, 1.5, 2 ** 60, '5', undefined])('an extractor that returns %s is refused', (returned) => {
  expect(() =>
    pipe(
      copying(() => returned as never),
      'v',
      1,
    ),
  ).toThrow(/extractor returned .* not a whole number/)
})

test('a pattern reads every topic whose whole name matches, also those that come later and those it writes itself', () => {
  const builder = new StreamsBuilder()
  const seen: string[] = []
  builder
    .stream(/orders-[a-z]+/, strings)
    .peek((_key, value) => void seen.push(value))
    .filter((_key, value) => value === 'copy me')
    .mapValues(() => 'a copy', { value: string() })
    .to('orders-copies')
  const driver = new TopologyTestDriver(builder.build())
  driver.createInputTopic('orders-north', strings).pipeInput('k', 'first')
  driver.createInputTopic('orders-south', strings).pipeInput('k', 'copy me')
  expect(() => driver.createInputTopic('my-orders-south', strings)).toThrow(/does not read "my-orders-south"/)
  expect(seen).toEqual(['first', 'copy me', 'a copy'])
})
