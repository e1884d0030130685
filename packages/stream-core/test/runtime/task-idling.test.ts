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
  folder = mkdtempSync(join(tmpdir(), 'idling-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['orders', 'customers', 'out'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function open(maxTaskIdleMs: number): Streams {
  const builder = new StreamsBuilder()
  const customers = builder.table('customers', { key: string(), value: string() })
  builder
    .stream('orders', { key: string(), value: string() })
    .leftJoin(customers, (order, customer) => `${order} of ${customer ?? 'nobody'}`)
    .to('out', { value: string() })
  const stateDir = join(folder, 'state')
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir,
    maxTaskIdleMs,
    commitIntervalMs: 5,
  })
}

async function write(topic: string, value: string, timestampMs: number): Promise<void> {
  const producer = await broker.openProducer()
  producer.append(topic, 0, Buffer.from('k'), Buffer.from(value), timestampMs)
  await producer.flush()
  await producer.close()
}
const out = async (): Promise<(string | null)[]> => (await readAll(broker, 'out')).map(({ value }) => value)

test('a task takes what there is when the other partition has no more, or waits for it as long as it is told', async () => {
  const eager = open(0)
  await eager.start()
  await write('orders', 'tea', 2000)
  await eventually('the order', async () => (await out()).length === 1)
  await write('customers', 'Ann', 1000)
  await eager.close()
  expect(await out()).toEqual(['tea of nobody'])

  const patient = open(60_000)
  await patient.start()
  await write('orders', 'rice', 4000)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await out()).toHaveLength(1)
  // Earlier in event time, later on the clock.
  await write('customers', 'Bea', 3000)
  // The order waits again, for what may come behind this one, until something later is there.
  await write('customers', 'Cid', 5000)
  await eventually('the second order', async () => (await out()).length === 2)
  await patient.close()
  expect(await out()).toEqual(['tea of nobody', 'rice of Bea'])
})

test('the wait ends by itself', async () => {
  const streams = open(200)
  await streams.start()
  const startedMs = performance.now()
  await write('orders', 'tea', 2000)
  await eventually('the order', async () => (await out()).length === 1)
  expect(performance.now() - startedMs).toBeGreaterThan(190)
  await streams.close()
})
