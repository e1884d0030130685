import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { describeBrokerContract } from '../contracts/broker.contract.ts'

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'embedded-log-test-'))

describeBrokerContract('the embedded log', async () => {
  const folder = newFolder()
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  return {
    broker,
    async cleanup() {
      await broker.close()
      rmSync(folder, { recursive: true })
    },
  }
})

test('a second process that opens the log is told which file is held', async () => {
  const folder = newFolder()
  const path = join(folder, 'log.db')
  const broker = await openEmbeddedLog({ path })
  const embedded = join(import.meta.dirname, '..', '..', 'src', 'embedded.ts')
  const script = `import(${JSON.stringify(embedded)}).then((m) => m.openEmbeddedLog({ path: ${JSON.stringify(path)} })).catch((e) => console.log(e.code, e.message))`
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  expect(stdout).toContain(`LOG_LOCKED the log file ${path} is held by another process`)
  await broker.close()
  rmSync(folder, { recursive: true })
})

test('a transaction that a closed log left open is aborted when the log is opened again', async () => {
  const folder = newFolder()
  const path = join(folder, 'log.db')
  const first = await openEmbeddedLog({ path })
  await first.admin.createTopics([{ topic: 't', partitions: 1 }])
  const left = await first.openProducer({ transactionalId: 'x' })
  left.append('t', 0, null, Buffer.from('left open'), 1)
  await left.flush()
  await first.close()
  const second = await openEmbeddedLog({ path })
  const partition = { topic: 't', partition: 0 }
  expect(await second.admin.listOffsets([partition], 'latest-stable')).toEqual([2])
  const reader = second.openReader()
  reader.assign([{ ...partition, offset: 0 }])
  const [fetched] = await reader.poll(100)
  expect(fetched!.records.next()).toBe(false)
  expect(fetched!.records.position).toBe(2)
  await second.close()
  rmSync(folder, { recursive: true })
})
