import { expect, test } from 'vitest'
import { int64, StreamsBuilder, string } from '../../src/index.ts'
import { TopologyTestDriver, type TopologyTestDriverOptions } from '../../src/testing.ts'

const strings = { key: string(), value: string() }
type Handlers = NonNullable<TopologyTestDriverOptions['handlers']>

/** What is thrown for a record on which `boom` fails, two processors below its source. */
function failureOf(handlers: Handlers): Error {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .peek(() => undefined, { name: 'above' })
    .peek(
      () => {
        throw new Error('boom')
      },
      { name: 'fragile' },
    )
  const driver = new TopologyTestDriver(builder.build(), { handlers })
  try {
    driver.createInputTopic('in', strings).pipeInput('k', 'v')
  } catch (error) {
    return error as Error
  }
  return new Error('nothing was thrown')
}

test('a processing handler that throws is named, asked once, and hides the error of the record no more', () => {
  let asked = 0
  const failure = failureOf({
    processing: () => {
      asked++
      throw new TypeError('no such table')
    },
  })
  expect(asked).toBe(1)
  expect(failure.message).toMatch(/the processing handler threw no such table; it was asked about "fragile": .*boom/)
  const { errors } = failure.cause as AggregateError
  expect(errors.map(({ message }: Error) => message)).toEqual([
    expect.stringMatching(/"fragile".*boom/),
    'no such table',
  ])
})

test('a handler that decides nothing is named', () => {
  const failure = failureOf({ processing: (() => undefined) as never })
  expect(failure.message).toMatch(
    /the processing handler must return 'fail', 'continue' or 'dead-letter', and returned undefined/,
  )
})

test('a deserialization handler that throws is named, too', () => {
  const builder = new StreamsBuilder()
  builder.stream('in', { key: string(), value: int64() }).to('out')
  const deserialization = (): never => {
    throw new TypeError('no such table')
  }
  const driver = new TopologyTestDriver(builder.build(), { handlers: { deserialization } })
  expect(() => driver.pipeBytes('in', null, Buffer.from('abc'), 0)).toThrow(
    /the deserialization handler threw no such table; it was asked about "KSTREAM-SOURCE.*is no valid int64/,
  )
})
