/**
 * How fast are we, and how fast are others? Each question to several engines, on one Kafka 4.3.1 that the bench starts itself:
 *
 *   npm run bench -- NAME… [--contestants a,b] [--guarantee exactly-once|at-least-once|both] [--rounds n] [--json] [--verbose]
 *
 *   throughput: [--records n] [--limit-seconds n];  latency and failover: [--seconds n] [--warm-up-seconds n] [--votes-per-second n], and
 *   [--voters n] of failover;  stateful-large: [--records n] [--limit-seconds n]
 *
 * Prints a table with medians, and how many times Java's figure of the same run each is; with --json a line per run. Ends with
 * 1 if any output was wrong, and with 2 if the question was.
 */
import { parseArgs } from 'node:util'
import { contestants } from './contestants/index.ts'
import { bench } from './harness/bench.ts'
import { failover, type FailoverRow } from './harness/failover.ts'
import { guarantees } from './harness/job.ts'
import { latency, type LatencyRow } from './harness/latency.ts'
import { load, machine } from './harness/machine.ts'
import { provide } from './harness/provide.ts'
import type { Row } from './harness/row.ts'
import { failoverColumns, largeColumns, latencyColumns, throughputColumns } from './harness/shown-columns.ts'
import { type LargeRow, statefulLarge } from './harness/stateful-large.ts'
import { type AnyRow, table } from './harness/table.ts'
import { workloads } from './workloads/index.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    contestants: { type: 'string' },
    guarantee: { type: 'string', default: 'exactly-once' },
    records: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'limit-seconds': { type: 'string', default: '600' },
    seconds: { type: 'string' },
    'warm-up-seconds': { type: 'string', default: '10' },
    'votes-per-second': { type: 'string' },
    voters: { type: 'string', default: '200000' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const say = (text: string): boolean => process.stderr.write(`${text}\n`)
const overhear = (text: string): void => void (values.verbose && say(`  ${text}`))

const live = [
  { name: 'latency', question: 'from a vote to its result, at shares of what is sustained' },
  { name: 'failover', question: 'how long results stay away when an instance is killed' },
  { name: 'stateful-large', question: 'ten million keys: rate, disk, memory, and how long a start on them lasts' },
]
const questions = [...workloads, ...live]
if (positionals.length === 0) {
  const names = questions.map(({ name, question }) => `  ${name}: ${question}`)
  say(`usage: npm run bench -- NAME… [options], as bench/run.ts says. Names:\n${names.join('\n')}`)
  process.exit(2)
}
const asked = chosen(questions, positionals, 'question').map(({ name }) => name)
const common = {
  contestants: chosen(contestants, values.contestants?.split(',') ?? null, 'contestant'),
  guarantees:
    values.guarantee === 'both'
      ? guarantees
      : chosen(
          guarantees.map((name) => ({ name })),
          [values.guarantee],
          'guarantee',
        ).map(({ name }) => name),
  rounds: count('rounds', values.rounds),
  say,
  overhear,
}

const limitMs = count('limit-seconds', values['limit-seconds']) * 1000
const throughput = workloads.filter(({ name }) => asked.includes(name))
if (throughput.length > 0) {
  const records = values.records === undefined ? null : count('records', values.records)
  const rows = await collected<Row>((onRow) => bench({ ...common, workloads: throughput, records, limitMs, onRow }))
  for (const [name, own] of Map.groupBy(rows, ({ workload }) => workload)) print(name, table(own, throughputColumns))
}
if (live.some(({ name }) => asked.includes(name))) {
  const votesPerSecond =
    values['votes-per-second'] === undefined ? null : count('votes-per-second', values['votes-per-second'])
  const present = await provide(common.contestants, say)
  const warmUpSeconds = count('warm-up-seconds', values['warm-up-seconds'])
  const options = { ...common, present, votesPerSecond, warmUpSeconds }
  if (asked.includes('latency')) {
    const seconds = count('seconds', values.seconds ?? '15')
    const rows = await collected<LatencyRow>((onRow) => latency({ ...options, seconds, onRow }))
    print('latency', table(rows, latencyColumns))
  }
  if (asked.includes('failover')) {
    const seconds = count('seconds', values.seconds ?? '40')
    const voters = count('voters', values.voters)
    const rows = await collected<FailoverRow>((onRow) => failover({ ...options, seconds, voters, onRow }))
    print('failover', table(rows, failoverColumns))
  }
  if (asked.includes('stateful-large')) {
    const keys = count('records', values.records ?? '10000000')
    const rows = await collected<LargeRow>((onRow) => statefulLarge({ ...options, keys, limitMs, onRow }))
    print('stateful-large', table(rows, largeColumns))
  }
}

/** The rows of a bench, printed as they come where that was asked for. */
async function collected<Row extends AnyRow>(
  run: (onRow: (row: Row) => void) => Promise<void>,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  await run((row) => {
    rows.push(row)
    if (values.json) process.stdout.write(`${JSON.stringify({ ...row, load: load(), ...machine() })}\n`)
    if (!row.valid) process.exitCode = 1
  })
  return rows
}

function print(name: string, text: string): void {
  if (!values.json) process.stdout.write(`\n${name}\n\n${text}\n`)
}

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
