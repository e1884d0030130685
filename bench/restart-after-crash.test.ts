import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a crash restores a tail of the changelog, a lost disk all of it', { timeout: 120_000 }, () => {
  const program = join(import.meta.dirname, 'restart-after-crash.ts')
  const output = execFileSync(process.execPath, [program, '--keys', '4000', '--json'], { encoding: 'utf8' })
  const [crash, empty] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { records: number; bytes: number })
  expect(empty!.records).toBe(4200)
  // At most what was committed since the state went to disk: all was there when the first run ended.
  expect(crash!.records).toBeLessThanOrEqual(200)
  expect(crash!.bytes).toBeLessThan(empty!.bytes)
})
