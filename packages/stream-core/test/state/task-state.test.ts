import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stores, string, type TimestampedKeyValueStore } from '../../src/index.ts'
import { TaskState } from '../../src/state/task-state.ts'
import { plainHost } from '../support/plain-host.ts'

test('an idle loop that would tidy the file while rows are being put waits with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'task-state-'))
  const spec = stores.keyValue({ name: 'names', key: string(), value: string() })
  const state = new TaskState({
    directory,
    stores: [spec],
    host: plainHost,
  })
  try {
    const put = (name: string, keys: number): void => {
      const store = state.stores.get('names') as unknown as TimestampedKeyValueStore<string, string>
      for (let i = 0; i < keys; i++) store.put(`${i}`, name, i)
      state.freeze(new Map())
    }
    put('first', 10)
    await state.persist(() => Promise.resolve())
    put('second', 5000)
    let pauses = 0
    await state.persist(() => {
      pauses++
      state.checkpointIfDue()
      return Promise.resolve()
    })
    expect(pauses).toBe(2)
    const before = state.fileBytes
    state.checkpointIfDue()
    expect(state.fileBytes).toBeGreaterThan(before)
  } finally {
    state.close()
    rmSync(directory, { recursive: true })
  }
})
