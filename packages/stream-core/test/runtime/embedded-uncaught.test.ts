import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { describeUncaught } from '../contracts/uncaught.contract.ts'

describeUncaught('the embedded log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uncaught-log-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  return {
    broker,
    async cleanup() {
      await broker.close()
      rmSync(folder, { recursive: true })
    },
  }
})
