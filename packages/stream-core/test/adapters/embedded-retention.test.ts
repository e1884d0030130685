import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Clock, systemClock } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

test('records go when their retention is over, whole batches at a time, and never those of an open transaction', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'retention-'))
  let nowMs = 1_000_000
  const clock: Clock = { nowMs: () => nowMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
  const path = join(folder, 'log.db')
  const broker = await openEmbeddedLog({ path, compactionIntervalMs: 10, clock })
  const topics = {
    short: { 'retention.ms': '1000' },
    'short-and-compacted': { 'cleanup.policy': 'compact,delete', 'retention.ms': '1000' },
    'only-compacted': { 'cleanup.policy': 'compact', 'retention.ms': '1000' },
    kept: {},
  }
  await broker.admin.createTopics(Object.entries(topics).map(([topic, configs]) => ({ topic, partitions: 1, configs })))
  const producer = await broker.openProducer()
  for (const batch of [[0, 900], [100, 2000], [3000]]) {
    for (const topic of Object.keys(topics)) {
      for (const after of batch) producer.append(topic, 0, Buffer.from('k'), Buffer.from(`${after}`), 1_000_000 + after)
    }
    await producer.flush()
  }
  const times = async (topic: string): Promise<number[]> =>
    (await readAll(broker, topic)).map(({ value }) => Number(value))
  expect(await times('short')).toEqual([0, 900, 100, 2000, 3000])

  nowMs += 2500
  await eventually('the first batch is gone', async () => (await times('short')).length === 3)
  // The second has a record that is young enough: the old one stays with it.
  expect(await times('short')).toEqual([100, 2000, 3000])
  await eventually('and in the other topic', async () => (await times('short-and-compacted')).length === 3)
  expect(await times('only-compacted')).toHaveLength(5)
  expect(await times('kept')).toHaveLength(5)
  expect(await broker.admin.listOffsets([{ topic: 'short', partition: 0 }], 'earliest')).toEqual([2])

  const transactional = await broker.openProducer({ transactionalId: 'x' })
  transactional.append('short', 0, Buffer.from('k'), Buffer.from('4000'), 1_004_000)
  await transactional.flush()
  nowMs += 1_000_000
  await eventually('all that is committed is gone', async () => (await times('short')).length === 0)
  await transactional.commit()
  expect(await broker.admin.listOffsets([{ topic: 'short', partition: 0 }], 'latest')).toEqual([7])
  await eventually('the transaction’s, too', async () => {
    const [start] = await broker.admin.listOffsets([{ topic: 'short', partition: 0 }], 'earliest')
    return start === 7 || start === 6
  })
  await broker.close()
  const again = await openEmbeddedLog({ path })
  expect((await readAll(again, 'kept')).length).toBe(5)
  await again.close()
  rmSync(folder, { recursive: true })
})
