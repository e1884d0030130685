import { describe, expect, test } from 'vitest'
import {
  bytes,
  type FixedKeyProcessorSupplier,
  json,
  type KStream,
  type Record,
  schema,
  StreamsBuilder,
  string,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'

interface Vote {
  readonly option: string
  weight?: number
}
type Votes = KStream<string, Vote>

/** As somebody else writes it: not in the bytes of ours. */
const foreign = '{ "weight" : 1e0, "option":"a" }'
const own = '{"weight":1,"option":"a"}'
const value = json<Vote>()
const mapped = (votes: Votes): Votes => votes.mapValues((vote) => vote, { value })
const forwarding: FixedKeyProcessorSupplier<string, Vote> = () => {
  let forward: (record: Record<string, Vote>) => void
  return {
    init: (context) => void (forward = (record) => context.forward(record)),
    process: (record) => forward(record),
  }
}

/** What is in the repartition topic behind some operators. */
function repartitioned(operators: (votes: Votes) => Votes): string {
  const builder = new StreamsBuilder()
  const votes = builder.stream('votes', { key: string(), value })
  operators(votes).repartition({ name: 'again' }).to('out', { value })
  // As bytes, to see them.
  const serdes = { key: string(), value: bytes() }
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' })
  driver.createInputTopic('votes', serdes).pipeInput('k', Buffer.from(foreign))
  const written = driver.createOutputTopic('app-again-repartition', serdes).readValue()
  driver.close()
  return String(written)
}

describe('a value that nobody made anew goes into a repartition topic as the bytes it was read from', () => {
  test.each<[string, (votes: Votes) => Votes]>([
    ['nothing', (votes) => votes],
    ['filter', (votes) => votes.filter((_key, { option }) => option === 'a')],
    ['filterNot', (votes) => votes.filterNot((_key, { option }) => option === 'b')],
    ['selectKey', (votes) => votes.selectKey((_key, { option }) => option, { key: string() })],
    ['split', (votes) => votes.split({ a: (_key, { option }) => option === 'a' }).a],
    ['merge', (votes) => votes.filter(() => true).merge(votes.filter(() => false))],
    ['another repartition topic', (votes) => votes.repartition({ name: 'before' }).filter(() => true)],
  ])('behind %s', (_name, operators) => {
    expect(repartitioned(operators)).toBe(foreign)
  })

  test.each<[string, (votes: Votes) => Votes]>([
    ['mapValues, also one that returns what it got', mapped],
    ['peek', (votes) => votes.peek(() => undefined)],
    ['a filter behind mapValues', (votes) => mapped(votes).filter(() => true)],
    ['a merge of which one side was mapped', (votes) => votes.filter(() => false).merge(mapped(votes))],
    ['processValues', (votes) => votes.processValues(forwarding, { value })],
  ])('but is written by its serde behind %s', (_name, operators) => {
    expect(repartitioned(operators)).toBe(own)
  })

  test('so that a schema may make of it what nobody could write', () => {
    const standard = {
      version: 1,
      vendor: 'mine',
      validate: (given: unknown) => ({ value: BigInt(given as string) }),
    } as const
    const builder = new StreamsBuilder()
    builder
      .stream('numbers', { key: string(), value: schema({ '~standard': standard }) })
      .repartition({ name: 'again' })
      .mapValues(String, { value: string() })
      .to('out')
    const driver = new TopologyTestDriver(builder.build())
    driver.createInputTopic('numbers', { key: string(), value: json<string>() }).pipeInput('k', '12')
    expect(driver.createOutputTopic('out', { key: string(), value: string() }).readValue()).toBe('12')
    driver.close()
  })

  test('and one that a predicate changed in place is refused by the test driver, with what to do', () => {
    const careless = (votes: Votes): Votes =>
      votes.filter((_key, vote) => {
        vote.weight = 2
        return true
      })
    expect(() => repartitioned(careless)).toThrow(/on its way to ".*again-repartition" was changed in place.*mapValues/)
  })
})

describe('values that are only counted behind a repartition topic', () => {
  const counted = (operators: (votes: Votes) => KStream<string, number>): readonly unknown[] => {
    const builder = new StreamsBuilder()
    // Three to begin with, and three of the test driver's, which looks whether one was changed in place.
    let reads = -6
    const counting = { ...value, read: (...given: Parameters<typeof value.read>) => (reads++, value.read(...given)) }
    const votes = builder.stream('votes', { key: string(), value: counting })
    operators(votes.selectKey((_key, { option }) => option, { key: string() })).to('out', { value: json() })
    const driver = new TopologyTestDriver(builder.build())
    const votesIn = driver.createInputTopic('votes', { key: string(), value })
    for (const option of ['a', 'b', 'a']) votesIn.pipeInput('k', { option })
    const out = driver.createOutputTopic('out', { key: string(), value: json<number>() })
    const counts = out.readKeyValuesToMap()
    driver.close()
    return [counts.get('a'), counts.get('b'), reads]
  }

  test('are not read again', () => {
    expect(counted((votes) => votes.groupByKey().count().toStream())).toEqual([2, 1, 0])
  })

  test('are, where anything else behind it wants them', () => {
    const both = (votes: Votes): KStream<string, number> => {
      const again = votes.repartition({ name: 'again' })
      again.filter((_key, { option }) => option !== '').to('others', { value })
      return again.groupByKey().count().toStream()
    }
    expect(counted(both)).toEqual([2, 1, 3])
  })
})
