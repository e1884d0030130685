import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'async-streams-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(
    ['slow-in', 'fast-in', 'slow-out', 'fast-out'].map((topic) => ({ topic, partitions: 1 })),
  )
})

afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function write(topic: string, values: readonly string[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const value of values) producer.append(topic, 0, Buffer.from('k'), Buffer.from(value), 1000)
  await producer.flush()
  await producer.close()
}

const values = async (topic: string): Promise<readonly (string | null)[]> =>
  (await readAll(broker, topic)).map(({ value }) => value)

test('a call that takes its time holds nobody else’s commit, and its own offset waits for it', async () => {
  const calls: ((value: string) => void)[] = []
  const builder = new StreamsBuilder()
  const serdes = { key: string(), value: string() }
  builder
    .stream('slow-in', serdes)
    .mapValuesAsync(() => new Promise<string>((resolve) => calls.push(resolve)), { value: string() })
    .to('slow-out')
  builder
    .stream('fast-in', serdes)
    .mapValues((value) => value.toUpperCase(), { value: string() })
    .to('fast-out')
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'two-speeds',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
  })
  await streams.start()
  await write('slow-in', ['one'])
  await eventually('the call is made', () => calls.length === 1)
  await write('fast-in', ['a', 'b'])
  await eventually('the fast stream is committed', async () => (await values('fast-out')).length === 2)
  const offset = async (): Promise<number> => {
    const at = [{ topic: 'slow-in', partition: 0 }]
    return (await broker.admin.committedOffsets('two-speeds', at, { requireStable: false }))[0]!.offset
  }
  expect(await offset()).toBe(-1)
  expect(await values('slow-out')).toEqual([])
  calls[0]!('done')
  await eventually('the slow stream is committed', async () => (await values('slow-out')).length === 1)
  await eventually('and so is its offset', async () => (await offset()) === 1)
  await streams.close()
  expect(streams.state).toBe('closed')
})

test('a close waits for the calls under way and commits what they gave', async () => {
  let begun = 0
  const builder = new StreamsBuilder()
  builder
    .stream('slow-in', { key: string(), value: string() })
    .mapValuesAsync(
      async (value) => {
        begun++
        await new Promise((resolve) => setTimeout(resolve, 30))
        return `${value} done`
      },
      { value: string(), order: 'partition' },
    )
    .to('slow-out')
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'closing',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 60_000,
  })
  await streams.start()
  await write('slow-in', ['a', 'b', 'c'])
  await eventually('the calls are made', () => begun === 3)
  await streams.close()
  expect(await values('slow-out')).toEqual(['a done', 'b done', 'c done'])
})
