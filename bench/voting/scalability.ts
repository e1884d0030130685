/**
 * How far does the voting system scale on this machine? Starts it, votes in it and watches it, and says where the limit lies:
 * `npm run scalability -- --help`, docs/scalability.md. Everything listens on the loopback address.
 */
import { load, machine } from '../harness/machine.ts'
import { help, readOptions, type ScalabilityOptions, UsageError } from './options.ts'
import { reportOf } from './report.ts'
import { beyond, pace, pages, type Row, soak, stalled, viewerKilled } from './scenarios.ts'
import { startSystem, type SystemOptions, type VotingSystem } from './system.ts'

const say = (text: string): boolean => process.stderr.write(`${text}\n`)

const asked = options()
const crowd = { pages: asked.pages, joinSeconds: asked.isQuick ? 1 : 10, seconds: asked.seconds }

/** What runs now: it does not outlive this process. */
let running: VotingSystem | null = null
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say('stopping')
    void (running?.stop() ?? Promise.resolve()).finally(() => process.exit(130))
  })
}

const rows: Row[] = []
function note(row: Row): void {
  rows.push(row)
  if (!row.valid) process.exitCode = 1
  if (asked.isJson) process.stdout.write(`${JSON.stringify({ ...row, load: load(), ...machine() })}\n`)
}

for (const log of asked.logs) {
  for (const tallies of asked.tallies) {
    if (asked.scenarios.has('pace')) await on({ log, tallies, viewers: 1 }, paces)
  }
  const one = { log, tallies: 1, viewers: 1 } as const
  if (asked.scenarios.has('beyond')) {
    await on(one, async (system) =>
      note(await beyond(system, { rate: asked.isQuick ? 400 : 8000, seconds: asked.seconds })),
    )
  }
  if (asked.scenarios.has('pages')) await on(one, async (system) => note(await pages(system, crowd)))
  if (asked.scenarios.has('stalled')) {
    // Who does not answer two pings is cut off, within twenty seconds and a half.
    const seconds = asked.isQuick ? asked.seconds : Math.max(25, asked.seconds)
    await on(one, async (system) => note(await stalled(system, { ...crowd, seconds })))
  }
  if (asked.scenarios.has('viewer-killed') && log === 'kafka') {
    await on({ log, tallies: 1, viewers: 2 }, async (system) => note(await viewerKilled(system, crowd)))
  }
  if (asked.scenarios.has('soak')) {
    const options = { rate: asked.isQuick ? 20 : 200, minutes: asked.soakMinutes, pages: Math.min(500, asked.pages) }
    await on(one, async (system) => note(await soak(system, options)))
  }
}
if (!asked.isJson) process.stdout.write(reportOf(rows))

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
  const system = await startSystem({ ...options, ...(asked.tickMs !== null && { tickMs: asked.tickMs }) })
  running = system
  try {
    await run(system)
  } catch (error) {
    say(`it failed: ${(error as Error).stack ?? String(error)}`)
    process.exitCode = 1
  } finally {
    await system.stop()
    running = null
  }
}

function options(): ScalabilityOptions {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${help}\n`)
    process.exit(0)
  }
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    say(`error: ${error.message}\n\n${help}`)
    process.exit(2)
  }
}
