import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StateDirectory } from '../../src/runtime/state-directory.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'state-directory-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const codeOf = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    const { code, option, message } = error as { code: string; option?: string; message: string }
    return { code, option, isOfAnother: message.includes('another process') }
  }
  return null
}
const unusable = { code: 'INVALID_CONFIG', option: 'stateDir', isOfAnother: false }

test('a folder is for one at a time', () => {
  const first = new StateDirectory(folder, 'app')
  expect(codeOf(() => new StateDirectory(folder, 'app'))).toMatchObject({ code: 'LOG_LOCKED', isOfAnother: true })
  first.close()
  new StateDirectory(folder, 'app').close()
})

test('a folder in which nothing can be opened or written is not said to be held by another process', () => {
  mkdirSync(join(folder, 'opened', 'lock.db'), { recursive: true })
  expect(codeOf(() => new StateDirectory(folder, 'opened'))).toEqual(unusable)
  mkdirSync(join(folder, 'read'))
  writeFileSync(join(folder, 'read', 'lock.db'), 'no database'.repeat(100))
  expect(codeOf(() => new StateDirectory(folder, 'read'))).toEqual(unusable)
})

test('one that cannot say who it is lets go of its folder', () => {
  mkdirSync(join(folder, 'app', 'process-id.new'), { recursive: true })
  expect(codeOf(() => new StateDirectory(folder, 'app'))).toEqual(unusable)
  rmSync(join(folder, 'app', 'process-id.new'), { recursive: true })
  new StateDirectory(folder, 'app').close()
})
