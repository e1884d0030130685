import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { Streams, StreamsBuilder, string } from '../../src/index.ts'
import { systemClock } from '../../src/common/clock.ts'
import { eventually, readAll } from '../support/log-records.ts'

test('a clock that is set back does not hold up commits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clock-test-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const builder = new StreamsBuilder()
  builder.stream('in', { key: string(), value: string() }).to('out')
  let aheadMs = 3_600_000
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs },
  })
  await streams.start()
  const producer = await broker.openProducer()
  const write = (): Promise<void> => {
    producer.append('in', 0, null, Buffer.from('v'), 1000)
    return producer.flush()
  }
  await write()
  await eventually('the first is there', async () => (await readAll(broker, 'out')).length === 1)
  aheadMs = 0
  await write()
  await eventually('the second is there', async () => (await readAll(broker, 'out')).length === 2, 5000)
  await streams.close()
  await broker.close()
  rmSync(folder, { recursive: true })
})
