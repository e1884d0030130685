import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the bench of a record runs every workload, and each gives the output that it should', { timeout: 60_000 }, () => {
  const bench = join(import.meta.dirname, 'cost-per-record.ts')
  const printed = execFileSync(process.execPath, [bench, '--records', '20000', '--rounds', '1', '--json'], {
    encoding: 'utf8',
  })
  const rows = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly workload: string; readonly recordsPerCpuSecond: number })
  expect(rows).toHaveLength(6)
  for (const { workload, recordsPerCpuSecond } of rows) expect(recordsPerCpuSecond, workload).toBeGreaterThan(0)
})

test('each lever is measured with it and without it, over the same output', { timeout: 60_000 }, () => {
  const bench = join(import.meta.dirname, 'levers.ts')
  const printed = execFileSync(process.execPath, [bench, '--records', '5000', '--rounds', '1', '--json'], {
    encoding: 'utf8',
  })
  const rows = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly lever: string; readonly timesAsFast: number })
  expect(rows).toHaveLength(4)
  for (const { lever, timesAsFast } of rows) expect(timesAsFast, lever).toBeGreaterThan(0)
})
