import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { describeAdmin } from '../contracts/admin.contract.ts'

describeAdmin('the embedded log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-log-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  return {
    broker,
    async cleanup() {
      await broker.close()
      rmSync(folder, { recursive: true })
    },
  }
})

test('a position that was forgotten is so after the log was opened again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-log-'))
  const path = join(folder, 'log.db')
  const at = { topic: 't', partition: 0, offset: 3, metadata: '' }
  const first = await openEmbeddedLog({ path })
  await first.admin.createTopics([{ topic: 't', partitions: 1 }])
  const producer = await first.openProducer()
  await producer.commitOffsets('g', [at])
  await first.admin.deleteGroupOffsets('g', [at])
  await first.close()
  const second = await openEmbeddedLog({ path })
  expect(await second.admin.groupOffsets('g')).toEqual([])
  await second.close()
  rmSync(folder, { recursive: true })
})
