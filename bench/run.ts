/**
 * How fast are we, and how fast are others? Each question to several engines, on one Kafka 4.3.1 that the bench starts itself:
 *
 *   npm run bench -- NAME… [--contestants a,b] [--guarantee exactly-once|at-least-once|both] [--records n] [--rounds n]
 *                          [--limit-seconds n] [--json] [--verbose]
 *
 * Prints a table with medians, and how many times Java's figure of the same run each is; with --json a line per run. Ends with
 * 1 if any output was wrong, and with 2 if the question was.
 */
import { parseArgs } from 'node:util'
import { contestants } from './contestants/index.ts'
import { bench } from './harness/bench.ts'
import { guarantees } from './harness/job.ts'
import { load, machine } from './harness/machine.ts'
import type { Row } from './harness/row.ts'
import { table } from './harness/table.ts'
import { workloads } from './workloads/index.ts'

const say = (text: string): boolean => process.stderr.write(`${text}\n`)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    contestants: { type: 'string' },
    guarantee: { type: 'string', default: 'exactly-once' },
    records: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'limit-seconds': { type: 'string', default: '600' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
if (positionals.length === 0) {
  const names = workloads.map(({ name, question }) => `  ${name}: ${question}`)
  say(`usage: npm run bench -- NAME… [options], as bench/run.ts says. Names:\n${names.join('\n')}`)
  process.exit(2)
}
const rows: Row[] = []
await bench({
  workloads: chosen(workloads, positionals, 'workload'),
  contestants: chosen(contestants, values.contestants?.split(',') ?? null, 'contestant'),
  guarantees:
    values.guarantee === 'both'
      ? guarantees
      : chosen(
          guarantees.map((name) => ({ name })),
          [values.guarantee],
          'guarantee',
        ).map(({ name }) => name),
  records: values.records === undefined ? null : count('records', values.records),
  rounds: count('rounds', values.rounds),
  limitMs: count('limit-seconds', values['limit-seconds']) * 1000,
  onRow(row) {
    rows.push(row)
    if (values.json) process.stdout.write(`${JSON.stringify({ ...row, load: load(), ...machine() })}\n`)
  },
  say,
  overhear: (text) => void (values.verbose && say(`  ${text}`)),
})
if (!values.json) {
  for (const [name, own] of Map.groupBy(rows, ({ workload }) => workload)) {
    process.stdout.write(`\n${name}\n\n${table(own)}\n`)
  }
}
if (rows.some(({ valid }) => !valid)) process.exitCode = 1

/** Those with these names, or all; an unknown name ends the program. */
function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | null,
  what: string,
): readonly T[] {
  if (names === null) return all
  return names.map((name) => {
    const found = all.find((one) => one.name === name)
    if (found !== undefined) return found
    say(`there is no ${what} "${name}": ${all.map((one) => one.name).join(', ')}`)
    process.exit(2)
  })
}

function count(option: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  say(`--${option} must be a whole number above 0; got ${text}`)
  process.exit(2)
}
