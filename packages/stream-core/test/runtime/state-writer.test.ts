import { expect, test } from 'vitest'
import { silentLogger } from '../../src/common/logger.ts'
import { StateWriter } from '../../src/runtime/state-writer.ts'
import { ThreadMetrics } from '../../src/runtime/thread-metrics.ts'

/** A writer of one task, of which `waiting` entries wait; a write takes until `disk` answers. */
function openWriter() {
  const task = { waiting: 0, writes: 0, checkpoints: 0, disk: (): Promise<void> => Promise.resolve() }
  const state = {
    get frozenEntries() {
      return task.waiting
    },
    restoredRows: 0,
    async persist() {
      task.writes++
      await task.disk()
      task.waiting = 0
    },
    checkpointIfDue: () => void task.checkpoints++,
  }
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() }
  const writer = new StateWriter({
    config: { persistIntervalMs: 10_000, clock, logger: silentLogger } as never,
    tasks: () => [{ state }] as never,
    metrics: new ThreadMetrics({ metricsLevel: 'info', clock }),
  })
  return { task, writer }
}

test('state is written each interval, and before that when much waits', async () => {
  const { task, writer } = openWriter()
  writer.afterRound(10_000, false)
  await writer.settled
  expect(task.writes).toBe(1)
  task.waiting = 100_000
  writer.afterRound(10_100, false)
  await writer.settled
  expect(task.writes).toBe(1)
  task.waiting = 100_001
  writer.afterRound(10_200, false)
  await writer.settled
  expect([task.writes, task.waiting]).toEqual([2, 0])
  writer.afterRound(20_199, true)
  expect([task.writes, task.checkpoints]).toEqual([2, 1])
  writer.afterRound(20_200, true)
  expect(task.writes).toBe(3)
})

test('what is being written is not written a second time, and a disk that refuses is asked again after the interval only', async () => {
  const { task, writer } = openWriter()
  task.disk = () => Promise.reject(new Error('disk full'))
  task.waiting = 1_000_000
  writer.afterRound(1, false)
  writer.afterRound(2, false)
  expect(task.writes).toBe(1)
  await writer.settled
  writer.afterRound(3, false)
  await writer.settled
  expect(task.writes).toBe(1)
  task.disk = () => Promise.resolve()
  writer.afterRound(10_001, false)
  await writer.settled
  expect([task.writes, task.waiting]).toEqual([2, 0])
})
