/**
 * How far does the voting system scale on this machine? Starts it, votes in it and watches it, and says where the limit lies:
 *
 *   npm run scalability -- [--quick] [--log embedded,kafka] [--tallies 1,2] [--scenarios pace,pages,stalled,viewer-killed,beyond,soak]
 *     [--rates 100,500,1000,…] [--seconds n] [--pages n] [--tick-ms n] [--soak-minutes n] [--json]
 *
 * Everything listens on the loopback address. Prints a table for each scenario, and with --json a line per measurement with
 * commit and machine. Ends with 1 if a ballot was lost or counted twice or a page was left behind, with 2 if it was asked wrongly.
 * --quick proves that the programs work, within a few minutes; its figures say little.
 */
import { parseArgs } from 'node:util'
import { load, machine } from '../harness/machine.ts'
import { beyond, pace, pages, type Row, soak, stalled, viewerKilled } from './scenarios.ts'
import { reportOf } from './report.ts'
import { type Log, startSystem, type SystemOptions, type VotingSystem } from './system.ts'

const names = ['pace', 'pages', 'stalled', 'viewer-killed', 'beyond', 'soak'] as const
type Name = (typeof names)[number]

const say = (text: string): boolean => process.stderr.write(`${text}\n`)

const { values } = readOptions()

const asked = {
  logs: listed('log', values.log, ['embedded', 'kafka']) as readonly Log[],
  tallies: values.tallies.split(',').map((text) => count('tallies', text)),
  scenarios: new Set(listed('scenarios', values.scenarios, names)) as ReadonlySet<Name>,
  rates: (values.rates ?? (values.quick ? '20,50' : '100,500,1000,1500,2000,3000,4000,6000'))
    .split(',')
    .map((text) => count('rates', text)),
  seconds: count('seconds', values.seconds ?? (values.quick ? '2' : '20')),
  pages: count('pages', values.pages ?? (values.quick ? '200' : '10000')),
  soakMinutes: Number(values['soak-minutes'] ?? (values.quick ? '0.1' : '30')),
  tickMs: values['tick-ms'] === undefined ? {} : { tickMs: count('tick-ms', values['tick-ms']) },
}
if (!(asked.soakMinutes > 0)) refuse(`--soak-minutes must be above 0; got ${values['soak-minutes']}`)
const beyondRate = values.quick ? 400 : 8000
const crowd = { pages: asked.pages, joinSeconds: values.quick ? 1 : 10, seconds: asked.seconds }

const rows: Row[] = []
function note(row: Row): void {
  rows.push(row)
  if (!row.valid) process.exitCode = 1
  if (values.json) process.stdout.write(`${JSON.stringify({ ...row, load: load(), ...machine() })}\n`)
}

for (const log of asked.logs) {
  for (const tallies of asked.tallies) {
    if (asked.scenarios.has('pace')) await on({ log, tallies, viewers: 1 }, paces)
  }
  const one = { log, tallies: 1, viewers: 1 } as const
  if (asked.scenarios.has('beyond')) {
    await on(one, async (system) => note(await beyond(system, { rate: beyondRate, seconds: asked.seconds })))
  }
  if (asked.scenarios.has('pages')) await on(one, async (system) => note(await pages(system, crowd)))
  if (asked.scenarios.has('stalled')) {
    // Who does not answer two pings is cut off, within twenty seconds and a half.
    const seconds = values.quick ? asked.seconds : Math.max(25, asked.seconds)
    await on(one, async (system) => note(await stalled(system, { ...crowd, seconds })))
  }
  if (asked.scenarios.has('viewer-killed') && log === 'kafka') {
    await on({ log, tallies: 1, viewers: 2 }, async (system) => note(await viewerKilled(system, crowd)))
  }
  if (asked.scenarios.has('soak')) {
    const options = { rate: values.quick ? 20 : 200, minutes: asked.soakMinutes, pages: Math.min(500, asked.pages) }
    await on(one, async (system) => note(await soak(system, options)))
  }
}
if (!values.json) process.stdout.write(reportOf(rows))

/** Ever more votes, until there are too many. */
async function paces(system: VotingSystem): Promise<void> {
  for (const rate of asked.rates) {
    const row = await pace(system, { rate, seconds: asked.seconds })
    note(row)
    if (!row.isSustained) break
  }
}

/** Each scenario has a system of its own, with nothing in it. One that fails is told of, and the others go on. */
async function on(options: SystemOptions, run: (system: VotingSystem) => Promise<void>): Promise<void> {
  const { log, tallies, viewers } = options
  say(`${log}, tallies: ${tallies}, viewers: ${viewers}: starting`)
  const system = await startSystem({ ...options, ...asked.tickMs })
  try {
    await run(system)
  } catch (error) {
    say(`it failed: ${(error as Error).stack ?? String(error)}`)
    process.exitCode = 1
  } finally {
    await system.stop()
  }
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        log: { type: 'string', default: 'embedded,kafka' },
        tallies: { type: 'string', default: '1,2' },
        scenarios: { type: 'string', default: names.join(',') },
        rates: { type: 'string' },
        seconds: { type: 'string' },
        pages: { type: 'string' },
        'tick-ms': { type: 'string' },
        'soak-minutes': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return refuse((error as Error).message)
  }
}

function listed(option: string, text: string, known: readonly string[]): readonly string[] {
  const found = text.split(',')
  const unknown = found.find((name) => !known.includes(name))
  if (unknown !== undefined) refuse(`--${option}: there is no "${unknown}": ${known.join(', ')}`)
  return found
}

function count(option: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number <= 0) refuse(`--${option} must be whole numbers above 0; got ${text}`)
  return number
}

function refuse(text: string): never {
  say(text)
  process.exit(2)
}
