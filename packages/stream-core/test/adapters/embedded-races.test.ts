import { expect, test } from 'vitest'
import { openFaultyLog } from '../../src/adapters/embedded/embedded-log.ts'
import { systemClock } from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'

test('a transaction that is committed and fenced at once is one or the other, in all its partitions and with its offsets', async () => {
  const { broker } = openFaultyLog(systemClock, {})
  await broker.admin.createTopics([{ topic: 't', partitions: 2 }])
  const producer = await broker.openProducer({ transactionalId: 'x' })
  for (const partition of [0, 1]) producer.append('t', partition, Buffer.from('k'), Buffer.from('v'), 1)
  await producer.sendOffsets('group', [{ topic: 't', partition: 0, offset: 7, metadata: '' }])
  await producer.flush()
  const [committed] = await Promise.allSettled([producer.commit(), broker.admin.abortTransactions(() => true)])
  const [offset] = await broker.admin.committedOffsets('group', [{ topic: 't', partition: 0 }], { requireStable: true })
  const records = await readAll(broker, 't')
  expect(records).toHaveLength(committed.status === 'fulfilled' ? 2 : 0)
  expect(offset!.offset).toBe(committed.status === 'fulfilled' ? 7 : -1)
  await broker.close()
})

test('markers that are held back hold back readers of their partitions only, and stable offsets if they are theirs', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const { broker } = openFaultyLog(systemClock, {
    delayMarker: (topic, partition) => (topic === 't' && partition === 1 ? held : null),
  })
  await broker.admin.createTopics([{ topic: 't', partitions: 2 }])
  const producer = await broker.openProducer({ transactionalId: 'x' })
  for (const partition of [0, 1]) producer.append('t', partition, Buffer.from('k'), Buffer.from('v'), 1)
  await producer.sendOffsets('group', [{ topic: 't', partition: 0, offset: 7, metadata: '' }])
  await producer.commit()
  expect((await readAll(broker, 't')).map(({ partition }) => partition)).toEqual([0])
  const [offset] = await broker.admin.committedOffsets('group', [{ topic: 't', partition: 0 }], { requireStable: true })
  expect(offset!.offset).toBe(7)
  expect(await broker.admin.listOffsets([{ topic: 't', partition: 1 }], 'latest')).toEqual([1])
  expect(await broker.admin.listOffsets([{ topic: 't', partition: 1 }], 'latest-stable')).toEqual([0])
  release()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await readAll(broker, 't')).toHaveLength(2)
  await broker.close()
})
