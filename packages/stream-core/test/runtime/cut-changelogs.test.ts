import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFaultyLog } from '../../src/adapters/embedded/embedded-log.ts'
import { systemClock } from '../../src/common/clock.ts'
import { int64, type Logger, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

test('a task whose changelog has lost its end while it runs has what the changelog has', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cut-changelogs-'))
  const { broker, store } = openFaultyLog(systemClock, {})
  await broker.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('out', { key: string(), value: int64() })
  const reasons: string[] = []
  const nothing = (): void => undefined
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (fields) => void reasons.push(String((fields as { reason?: string }).reason)),
  }
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
    logger,
  })
  await streams.start()
  const producer = await broker.openProducer()
  const write = async (key: string, times: number): Promise<void> => {
    const before = (await readAll(broker, 'out')).length
    for (let i = 0; i < times; i++) {
      producer.append('in', 0, key, 'v', 1000)
      await producer.flush()
      await eventually('counted', async () => (await readAll(broker, 'out')).length === before + i + 1)
    }
  }
  await write('a', 1)
  const kept = store.partition('app-counts-changelog', 0).nextOffset
  await write('b', 3)
  await store.commits.run(() => store.partition('app-counts-changelog', 0).cut(kept))
  await write('c', 1)
  const rows = (): object =>
    Object.fromEntries(streams.store('counts', { kind: 'keyValue', key: string(), value: int64() }).all())
  await eventually('it is restored', () => {
    try {
      return JSON.stringify(rows()) === JSON.stringify({ a: 1, c: 1 })
    } catch {
      return false
    }
  })
  await write('b', 1)
  expect(rows()).toEqual({ a: 1, b: 1, c: 1 })
  expect(reasons.some((reason) => reason.includes('is beyond the end'))).toBe(true)
  await streams.close()
  await broker.close()
  rmSync(folder, { recursive: true })
})
