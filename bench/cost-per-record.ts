/**
 * What one record costs inside the engine, without a broker: from sealed record batches in to sealed record batches out,
 * through the same tasks, stores and commits as in production.
 *
 *   node scripts/bootstrap.mjs bench/cost-per-record.ts [--records n] [--only name] [--rounds n] [--json]
 *
 * A commit every 4,000 records flushes the caches, seals output and changelogs and freezes the layers; state goes to SQLite
 * in a temporary folder every 250,000 records and at the end. CPU is user and system time of this process, all threads. Each
 * workload's output is checked before its figure counts. The best of the rounds is printed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EngineRun } from './support/engine-run.ts'
import { workloads } from './support/engine-workloads.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const records = Number(values.records)
const rounds = Number(values.rounds)

const rows: { readonly [column: string]: string | number }[] = []
for (const workload of workloads) {
  if (values.only !== undefined && workload.name !== values.only) continue
  let best = 0
  let output = 0
  for (let round = 0; round < rounds; round++) {
    const directory = mkdtempSync(join(tmpdir(), 'stream-core-bench-'))
    try {
      const run = new EngineRun(workload.topology(), directory)
      const input = workload.input(records)
      for (const { topic, batches } of workload.before?.(records) ?? []) await run.process(topic, batches)
      const before = process.cpuUsage()
      await run.process(workload.topic, input)
      await run.finish()
      const { user, system } = process.cpuUsage(before)
      workload.check(run, records)
      output = run.outputRecords
      best = Math.max(best, records / ((user + system) / 1e6))
      run.close()
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  const row = {
    workload: workload.name,
    records,
    recordsPerCpuSecond: Math.round(best),
    microsecondsPerRecord: Number((1e6 / best).toFixed(3)),
    outputRecords: output,
  }
  rows.push(row)
  if (values.json) console.log(JSON.stringify(row))
}
if (!values.json) console.table(rows)
