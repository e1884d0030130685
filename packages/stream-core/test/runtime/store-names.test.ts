import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, int64, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually } from '../support/log-records.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'store-names-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

/** Counts into each of the stores. */
function counting(...names: readonly string[]): Streams {
  const builder = new StreamsBuilder()
  const words = builder.stream('in', { key: string(), value: string() }).groupByKey()
  for (const name of names) words.count({ store: { name } })
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
  })
}

test.each(['numbers', 'Numbers'])(
  'a store may be named %s, as a table of ours is, and is there again',
  async (name) => {
    const producer = await broker.openProducer()
    producer.append('in', 0, Buffer.from('a'), Buffer.from('x'), 1)
    await producer.flush()
    await producer.close()
    const query = { kind: 'keyValue', key: string(), value: int64() } as const
    for (let start = 0; start < 2; start++) {
      const streams = counting(name)
      await streams.start()
      await eventually('it is counted', () => streams.store(name, query).get('a') === 1)
      await streams.close()
    }
  },
)

test('stores of one sub-topology whose names differ in capitals only would be one table: they are refused', () => {
  expect(() => counting('counts', 'Counts')).toThrow(
    'the stores "counts" and "Counts" of one sub-topology differ in capitals only: give one of them another name',
  )
})
