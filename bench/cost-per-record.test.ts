import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The rows that a bench of this folder prints for so many records, in one round. */
function rowsOf(name: string, records: number): readonly { readonly [column: string]: unknown }[] {
  const given = [join(import.meta.dirname, name), '--records', String(records), '--rounds', '1', '--json']
  const printed = execFileSync(process.execPath, given, { encoding: 'utf8' })
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly [column: string]: unknown })
}

test('the bench of a record runs every workload, and each gives the output that it should', { timeout: 60_000 }, () => {
  const rows = rowsOf('cost-per-record.ts', 20_000)
  expect(rows).toHaveLength(6)
  for (const { workload, recordsPerCpuSecond } of rows) expect(recordsPerCpuSecond, String(workload)).toBeGreaterThan(0)
})

test('each lever is measured with it and without it, over the same output', { timeout: 60_000 }, () => {
  const rows = rowsOf('levers.ts', 5000)
  expect(rows).toHaveLength(5)
  for (const { lever, timesAsFast } of rows) expect(timesAsFast, String(lever)).toBeGreaterThan(0)
})
