import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TaskDatabase } from '../packages/stream-core/src/state/task-database.ts'
import { EngineRun } from './support/engine-run.ts'
import { workloads } from './support/engine-workloads.ts'

/** What work costs, in things that can be counted: the same on every machine. */
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counts-'))
  // The write-ahead log, which is what is counted here, would begin anew.
  vi.spyOn(TaskDatabase.prototype, 'checkpoint').mockImplementation(() => undefined)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true, force: true })
})

const workload = (name: string) => workloads.find((it) => it.name.startsWith(name))!

/** Pages in the write-ahead log: each has a header of 24 bytes. */
function pagesWritten(): number {
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('-wal'))
  expect(logs).toHaveLength(1)
  return Math.round((statSync(join(directory, logs[0]!)).size - 32) / (4096 + 24))
}

test('what a thousand hot keys change goes to disk once, however many records changed them', async () => {
  const count = workload('keyed count')
  const run = new EngineRun(count.topology(), directory)
  await run.process(count.topic, count.input(2000))
  await run.finish()
  const after = [pagesWritten()]
  await run.process(count.topic, count.input(40_000))
  await run.finish()
  after.push(pagesWritten())
  run.close()
  // 1,000 rows of some 40 bytes are 10 pages full, and up to twice that as a tree grows.
  expect(after[0]).toBeLessThan(25)
  expect(after[1]! - after[0]!).toBeLessThan(15)
  expect(run.changelogRecords).toBeLessThanOrEqual(12_000)
})

test('a new key is not looked for on disk, and each costs its share of a page', async () => {
  const dedup = workload('dedup')
  const run = new EngineRun(dedup.topology(), directory)
  const batches = dedup.input(8000)
  for (const some of [batches.slice(0, 4), batches.slice(4)]) {
    await run.process(dedup.topic, some)
    await run.finish()
  }
  const pages = pagesWritten()
  expect(run.outputRecords).toBe(8000)
  // The filter of existing keys errs about few of those that came after the first write to disk.
  expect(run.reads).toBeLessThan(80)
  run.close()
  // 8,000 rows of some 45 bytes are 90 pages full. Keys in no order fill pages by two thirds, and inner pages come on top.
  expect(pages).toBeLessThan(180)
})
