/** The whole system in one process: `npm start`. */
import { explain, onStopRequest, say } from '@voting/election/app-process'
import { readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { type DemoEnvironment, type DemoOptions, demoVariables, help, parseOptions, UsageError } from './options.ts'
import { type RunningSystem, startSystem } from './system.ts'

const startedMs = Date.now()

let options: DemoOptions | null
try {
  options = parseOptions(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  say(`error: ${error.message}\n\n${help}`)
  process.exit(2)
}
if (options === null) {
  process.stdout.write(`${help}\n`)
} else {
  await run(options, environmentOrExit())
}

function environmentOrExit(): DemoEnvironment {
  try {
    return readEnvironment(demoVariables)
  } catch (error) {
    say(`error: ${explain(error)}`)
    process.exit(78)
  }
}

async function run(given: DemoOptions, environment: DemoEnvironment): Promise<void> {
  const stop = Promise.withResolvers<string>()
  const starting = new AbortController()
  onStopRequest((reason) => {
    stop.resolve(reason)
    starting.abort(new Error(reason))
  })
  let system: RunningSystem
  try {
    system = await startSystem({
      options: given,
      environment,
      openLogger: (app) => openLogger(app, environment.LOG_LEVEL),
      signal: starting.signal,
    })
  } catch (error) {
    if (starting.signal.aborted) {
      say('Stopped before everything had started')
      process.exit(0)
    }
    say(`error: ${explain(error)}`)
    process.exit(1)
  }
  report(system, given)
  const reason = await Promise.race([stop.promise, system.failed])
  if (reason instanceof Error) {
    say(`error: ${explain(reason)}`)
    process.exitCode = 1
  } else {
    say('Stopping: recording what is under way')
  }
  await system.close()
  process.exit()
}

function report(system: RunningSystem, given: DemoOptions): void {
  if (given.isJson) {
    const { ingestUrl: ingest, viewerUrl: viewer, organiserToken, ops } = system
    process.stdout.write(`${JSON.stringify({ ready: true, ingest, viewer, organiserToken, ops })}\n`)
    return
  }
  const { election, codes } = system
  say(`
Ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s.

  Results     ${election.resultsUrl}
  Ballot      ${election.ballotUrl}
              voter codes to try: ${codes.join('\n                                  ')}
  Organiser   ${system.ingestUrl}/organiser
              token: ${system.organiserToken}
  Health      ${system.ops.ingest}/readyz  ${system.ops.tally}/readyz  ${system.ops.viewer}/readyz

${given.isSimulating ? `Simulated voters cast about ${given.rate} ballots a second. ` : ''}Everything is kept in ${given.dataDir}. Ctrl-C stops.`)
}
