import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { Streams, StreamsBuilder, string } from '../../src/index.ts'
import { systemClock } from '../../src/common/clock.ts'
import { Punctuations } from '../../src/runtime/punctuations.ts'
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

test('a schedule of the wall clock goes on when the clock is set back, at the same boundaries, and never before its start', () => {
  const punctuations = new Punctuations()
  const calls: string[] = []
  const add = (name: string, intervalMs: number, startMs: number | null, nowMs: number): void =>
    void punctuations.add({
      intervalMs,
      type: 'wall-clock-time',
      startMs,
      nowMs,
      run: (timeMs) => void calls.push(`${name}@${timeMs}`),
    })
  add('every', 100, null, 10_000)
  add('later', 100, 9900, 9000)
  const at = (nowMs: number): boolean => punctuations.punctuate('wall-clock-time', nowMs)
  at(10_100)
  expect(calls).toEqual(['later@10100', 'every@10100'])
  calls.length = 0
  // An hour's worth of seconds back: `every` is due within an interval, `later` not before 9900.
  at(5050)
  expect(punctuations.nextWallClockMs()).toBe(5100)
  at(5100)
  expect(calls).toEqual(['every@5100'])
  at(9850)
  expect(calls).toEqual(['every@5100', 'every@9850'])
  at(9900)
  expect(calls).toEqual(['every@5100', 'every@9850', 'later@9900', 'every@9900'])
})
