import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import {
  type Broker,
  bytes,
  int64,
  type Headers,
  Streams,
  StreamsBuilder,
  string,
  type Topology,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { eventually } from '../support/log-records.ts'

/** Numbers come in; one that is 13 throws; a schedule may throw, too. */
function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: int64() })
    .mapValues(
      (value) => {
        if (value === 13) throw new RangeError('not thirteen')
        return value + 1
      },
      { name: 'next', value: int64() },
    )
    .to('out')
  return builder.build()
}

const textOf = (headers: Headers): { [name: string]: string } =>
  Object.fromEntries(headers.map(([name, value]) => [name.replace('__streams.errors.', ''), String(value)]))

test('what fails is kept as it was read, with Kafka Streams’ headers, and the rest goes on', () => {
  const driver = new TopologyTestDriver(topology(), { deadLetterTopic: 'dead' })
  const input = driver.createInputTopic('in', { key: string(), value: int64() })
  const raw = driver.createInputTopic('in', { key: string(), value: bytes() })
  const output = driver.createOutputTopic('out', { key: string(), value: int64() })
  const dead = driver.createOutputTopic('dead', { key: string(), value: bytes() })
  input.pipeInput('a', 1, { timestampMs: 10 })
  raw.pipeInput('b', Buffer.from('no number'), { timestampMs: 20, headers: [['trace', Buffer.from('t-1')]] })
  input.pipeInput('c', 13, { timestampMs: 30 })
  input.pipeInput('d', 2, { timestampMs: 40 })
  expect(output.readValuesToList()).toEqual([2, 3])

  const [undecodable, failed] = dead.readRecordsToList()
  expect(undecodable).toMatchObject({ key: 'b', timestampMs: 20 })
  expect(Buffer.from(undecodable!.value!).toString()).toBe('no number')
  expect(textOf(undecodable!.headers)).toMatchObject({
    trace: 't-1',
    exception: 'SerdeError',
    message: expect.stringContaining('is no valid int64'),
    stacktrace: expect.stringContaining('at '),
    topic: 'in',
    partition: '0',
    offset: '1',
  })
  expect(failed).toMatchObject({ key: 'c', timestampMs: 30 })
  expect(Buffer.from(failed!.value!).readBigInt64BE()).toBe(13n)
  expect(textOf(failed!.headers)).toMatchObject({
    exception: 'ProcessingError',
    message: expect.stringContaining('not thirteen'),
    topic: 'in',
    offset: '2',
  })
  driver.close()
})

test('a handler chooses for each record, and a topic that is not there is an error that names the option', () => {
  const decisions: string[] = []
  const driver = new TopologyTestDriver(topology(), {
    deadLetterTopic: 'dead',
    handlers: {
      processing(error, { nodeName, offset }) {
        decisions.push(`${nodeName} ${offset} ${error.message.includes('thirteen')}`)
        return offset === 0 ? 'continue' : 'dead-letter'
      },
    },
  })
  const input = driver.createInputTopic('in', { key: string(), value: int64() })
  const dead = driver.createOutputTopic('dead', { key: string(), value: int64() })
  input.pipeInput('a', 13)
  input.pipeInput('b', 13)
  expect(dead.readKeyValuesToList()).toEqual([['b', 13]])
  expect(decisions).toEqual(['next 0 true', 'next 1 true'])
  driver.close()

  const without = new TopologyTestDriver(topology(), { handlers: { processing: () => 'dead-letter' } })
  const other = without.createInputTopic('in', { key: string(), value: int64() })
  expect(() => other.pipeInput('a', 13)).toThrow(/there is no deadLetterTopic: name one/)
})

test('a call that fails when other records have been read is about its own', async () => {
  const strings = { key: string(), value: string() }
  const builder = new StreamsBuilder()
  const ask = async (value: string): Promise<string> => {
    if (value === 'bad') throw new RangeError('refused')
    return value
  }
  builder.stream('in', strings).mapValuesAsync(ask, { name: 'ask', value: string() }).to('out')
  const asked: (number | undefined)[] = []
  const driver = new TopologyTestDriver(builder.build(), {
    deadLetterTopic: 'dead',
    handlers: { processing: (_error, { offset }) => (asked.push(offset), 'dead-letter') },
  })
  const input = driver.createInputTopic('in', strings)
  for (const [key, value] of [
    ['a', 'bad'],
    ['b', 'good'],
    ['c', 'bad'],
    ['d', 'good'],
  ] as const) {
    input.pipeInput(key, value, 0)
  }
  await driver.drain()
  expect(driver.createOutputTopic('out', strings).readKeyValuesToList()).toEqual([
    ['b', 'good'],
    ['d', 'good'],
  ])
  expect(asked).toEqual([0, 2])
  const dead = driver.createOutputTopic('dead', strings).readRecordsToList()
  expect(dead.map(({ key, value, headers }) => [key, value, textOf(headers)['offset']])).toEqual([
    ['a', 'bad', '0'],
    ['c', 'bad', '2'],
  ])
  driver.close()
})

let folder: string
let broker: Broker
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['in', 'out', 'dead'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function valuesOf(topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<number[]> {
  const reader = broker.openReader({ isolation })
  reader.assign([{ topic, partition: 0, offset: 0 }])
  const values: number[] = []
  for (const { records } of await reader.poll(0)) {
    while (records.next()) values.push(Number(records.value()!.readBigInt64BE()))
  }
  await reader.close()
  return values
}

test('the log says how many records were sent aside, by where they came from and why, and says it once', async () => {
  const producer = await broker.openProducer()
  const write = (...values: number[]): Promise<void> => {
    for (const value of values) {
      const bytesOf = Buffer.alloc(8)
      bytesOf.writeBigInt64BE(BigInt(value))
      producer.append('in', 0, Buffer.from('k'), bytesOf, 1000)
    }
    producer.append('in', 0, Buffer.from('k'), Buffer.from('no number'), 1000)
    return producer.flush()
  }
  const said: object[] = []
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    deadLetterTopic: 'dead',
    logger: {
      ...silentLogger,
      warn: (fields) => void ((fields as { event: string }).event === 'records.dead-letter' && said.push(fields)),
    },
  })
  await streams.start()
  await write(13, 1, 13)
  await eventually('the result', async () => (await valuesOf('out', 'read_committed')).length === 1)
  await streams.close()
  const counts = said.map((fields) => (fields as { deadLetters: { [topicAndClass: string]: number } }).deadLetters)
  const sum = (name: string): number => counts.reduce((total, one) => total + (one[name] ?? 0), 0)
  expect([sum('in/ProcessingError'), sum('in/SerdeError')]).toEqual([2, 1])
})

test('a dead letter is written with the transaction: once, also when the transaction is lost and its records are read again', async () => {
  const producer = await broker.openProducer()
  for (const value of [1, 13, 2]) {
    const bytesOf = Buffer.alloc(8)
    bytesOf.writeBigInt64BE(BigInt(value))
    producer.append('in', 0, Buffer.from('k'), bytesOf, 1000)
  }
  await producer.flush()
  let failures = 2
  const faulty: Broker = {
    admin: broker.admin,
    openReader: (options) => broker.openReader(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    async openProducer(options) {
      const inner = await broker.openProducer(options)
      const sendOffsets = inner.sendOffsets.bind(inner)
      inner.sendOffsets = async (group, offsets) => {
        // What was appended is in the log, and then given up.
        await inner.flush()
        if (failures-- > 0) {
          const { TransactionAbortableError } = await import('../../src/index.ts')
          throw new TransactionAbortableError('lost')
        }
        await sendOffsets(group, offsets)
      }
      return inner
    },
  }
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker: faulty,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
    deadLetterTopic: 'dead',
  })
  await streams.start()
  await eventually('the results', async () => (await valuesOf('out', 'read_committed')).length === 2)
  await streams.close()
  expect(await valuesOf('out', 'read_committed')).toEqual([2, 3])
  expect(await valuesOf('dead', 'read_committed')).toEqual([13])
  expect((await valuesOf('dead', 'read_uncommitted')).length).toBe(3)
})

test('a dead-letter topic that does not exist is named at the start', async () => {
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    deadLetterTopic: 'nowhere',
  })
  await expect(streams.start()).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: /nowhere/ })
})
