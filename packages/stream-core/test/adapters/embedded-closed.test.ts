import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, Streams, StreamsBuilder, string } from '../../src/index.ts'

let folder: string
let broker: Broker
const closed = { code: 'BROKER_UNAVAILABLE', retryable: false }
const at = [{ topic: 'in', partition: 0 }]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-closed-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

test('whatever is asked of a log that is closed is refused, and not answered by nothing', async () => {
  const reader = broker.openReader()
  reader.assign([{ ...at[0]!, offset: 0 }])
  const producer = await broker.openProducer()
  const transactional = await broker.openProducer({ transactionalId: 'id' })
  transactional.append('in', 0, null, null, 0)
  const waiting = reader.poll(10_000)
  waiting.catch(() => undefined)
  await broker.close()
  await expect(waiting).rejects.toMatchObject(closed)
  await expect(reader.poll(0)).rejects.toMatchObject(closed)
  producer.append('in', 0, null, null, 0)
  await expect(producer.flush()).rejects.toMatchObject(closed)
  await expect(producer.commitOffsets('g', [])).rejects.toMatchObject(closed)
  await expect(transactional.commit()).rejects.toMatchObject(closed)
  const { admin } = broker
  const asked: (() => Promise<unknown>)[] = [
    () => admin.clusterId(),
    () => admin.listTopics(),
    () => admin.describeTopics(['in']),
    () => admin.createTopics([{ topic: 'more', partitions: 1 }]),
    () => admin.deleteTopics(['in']),
    () => admin.listOffsets(at, 'latest'),
    () => admin.committedOffsets('g', at, { requireStable: true }),
    () => admin.listGroups(),
    () => admin.groupMembers('g'),
    () => admin.groupOffsets('g'),
    () => admin.deleteGroupOffsets('g', at),
    () => admin.abortTransactions(() => true),
    () => admin.deleteRecords([{ ...at[0]!, offset: 0 }]),
    () => broker.openProducer(),
  ]
  for (const ask of asked) await expect(ask()).rejects.toMatchObject(closed)
  // What lets go of things is no question.
  await reader.close()
  await producer.close()
  await transactional.close()
  await broker.close()
})

test('an application whose log is closed under it stops, and says why', async () => {
  const builder = new StreamsBuilder()
  builder.table('in', { key: string(), value: string(), store: { name: 'table' } })
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    heartbeatIntervalMs: 20,
  })
  await streams.start()
  await broker.close()
  expect(await streams.stopped).toMatchObject(closed)
  expect(streams.state).toBe('failed')
  expect(await streams.close()).toBe(true)
})
