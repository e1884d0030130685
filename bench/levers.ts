/**
 * What each lever of design §7 brings, inside the engine and without a broker: the same records with it and without it, by
 * turns, so that a busy neighbour takes from both.
 *
 *   node scripts/bootstrap.mjs bench/levers.ts [--records n] [--rounds n] [--json]
 *
 * CPU is user and system time of this process, all threads. Both runs must give the same output. The median of the rounds' ratios
 * is printed, with the smallest and the largest.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EngineRun } from './support/engine-run.ts'
import { type Lever, levers, type Variant } from './support/levers.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const records = Number(values.records)
const rounds = Number(values.rounds)

async function measure(lever: Lever, variant: Variant): Promise<{ readonly run: EngineRun; readonly cpuUs: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'stream-core-bench-'))
  const undo = variant.prepare?.()
  try {
    const run = new EngineRun(variant.topology(), directory, variant.options)
    const input = lever.input(records)
    const before = process.cpuUsage()
    await run.process('in', input)
    await run.finish()
    const { user, system } = process.cpuUsage(before)
    run.close()
    return { run, cpuUs: user + system }
  } finally {
    undo?.()
    rmSync(directory, { recursive: true, force: true })
  }
}

const rows: { readonly [column: string]: string | number }[] = []
for (const lever of levers) {
  const ratios: number[] = []
  const perRecord: [number, number] = [Infinity, Infinity]
  let [changelogs, reads] = ['', '']
  for (let round = 0; round < rounds; round++) {
    const a = await measure(lever, lever.with)
    const b = await measure(lever, lever.without)
    lever.check(a.run, b.run, records)
    ratios.push(b.cpuUs / a.cpuUs)
    perRecord[0] = Math.min(perRecord[0], a.cpuUs / records)
    perRecord[1] = Math.min(perRecord[1], b.cpuUs / records)
    changelogs = `${a.run.changelogRecords} / ${b.run.changelogRecords}`
    reads = `${a.run.reads} / ${b.run.reads}`
  }
  ratios.sort((a, b) => a - b)
  const row = {
    lever: lever.name,
    records,
    timesAsFast: Number(ratios[Math.floor(ratios.length / 2)]!.toFixed(2)),
    from: Number(ratios[0]!.toFixed(2)),
    to: Number(ratios.at(-1)!.toFixed(2)),
    microsecondsWith: Number(perRecord[0].toFixed(3)),
    microsecondsWithout: Number(perRecord[1].toFixed(3)),
    changelogRecords: changelogs,
    readsOfSqlite: reads,
  }
  rows.push(row)
  if (values.json) console.log(JSON.stringify(row))
}
if (!values.json) console.table(rows)
