import { BrokerError, ConfigError } from 'stream-core'
import { EnvironmentError, readEnvironment, shutdownTimeoutSeconds } from './environment.ts'
import type { RunningApp } from './running-app.ts'

export interface AppProgram {
  readonly name: RunningApp['name']
  /** Printed by --help. */
  readonly help: string
  /** Reads and checks the configuration; called also by --check, where nothing else is. */
  readonly configure: () => unknown
  readonly start: () => Promise<RunningApp>
}

/** Repeats of a signal within this time are one: a process group and a parent that passes signals on deliver two. */
const repeatMs = 1000
/** How long a start may still take when the app is asked to end before it was ready. */
const startGraceMs = 2000

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a mistake of the operator's looks like: one sentence, no stack. */
const isMistake = (error: unknown): boolean => {
  if (error instanceof EnvironmentError || error instanceof ConfigError || error instanceof BrokerError) return true
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && !code.startsWith('ERR_') // those are Node's words for a mistake in the program
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** The sentence for an error that ends a program. */
export function explain(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  const { code, message, port, address } = error as { code?: string; message?: string; port?: number; address?: string }
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use: choose another, or end what uses it`
  if (code === 'EACCES' && port !== undefined) return `port ${port} may not be used by this user: choose one above 1023`
  // An address with several numbers fails once for each; the whole has no message of its own.
  if (error instanceof AggregateError && !message) return error.errors.map(explain).join('; ')
  if (isMistake(error)) return String(message)
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}

/**
 * Ends `stop` once, when the process is asked to end: by SIGINT, SIGTERM or SIGHUP, or because the bootstrap that started
 * it is gone. A second signal that is no repeat of the first ends the process at once.
 */
export function onStopRequest(stop: (reason: string) => void): void {
  let firstMs = 0
  const request = (reason: string): void => {
    const nowMs = Date.now()
    if (firstMs === 0) {
      firstMs = nowMs
      stop(reason)
    } else if (nowMs - firstMs > repeatMs) {
      say('second signal: ending at once')
      process.exit(130)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => request(signal))
  const parent = Number(process.env['BOOTSTRAP_PARENT_PID'] ?? 0)
  // Only where the bootstrap started this very process: the variable is also inherited by what a test starts.
  if (parent > 0 && process.ppid === parent) {
    setInterval(() => {
      if (process.ppid !== parent && firstMs === 0) request('the process that started it is gone')
    }, 1000).unref()
  }
}

/** Runs one app as a process of its own. */
export async function runApp(program: AppProgram): Promise<void> {
  const flags = new Set(process.argv.slice(2))
  if (flags.has('--help')) {
    process.stdout.write(`${program.help}\n`)
    return
  }
  const unknown = [...flags].find((flag) => !['--check', '--json'].includes(flag))
  if (unknown !== undefined) {
    say(`error: unknown option ${unknown}; --help shows what there is`)
    process.exitCode = 2
    return
  }
  try {
    program.configure()
  } catch (error) {
    say(`error: ${explain(error)}`)
    process.exitCode = 78
    return
  }
  if (flags.has('--check')) {
    say(`${program.name}: the configuration is valid`)
    return
  }
  await serve(program, flags.has('--json'))
}

async function serve(program: AppProgram, isJson: boolean): Promise<void> {
  const stop = Promise.withResolvers<string>()
  onStopRequest(stop.resolve)
  // A mistake in the program: nobody knows what still holds. It closes what it can, and who supervises it starts it again.
  const broken = Promise.withResolvers<Error>()
  let app: RunningApp | null = null
  process.on('uncaughtException', (error) => {
    if (app !== null) return broken.resolve(error)
    say(`error: ${program.name} cannot start: ${explain(error)}`)
    process.exit(1)
  })
  try {
    const started = program.start()
    const first = await Promise.race([started, stop.promise])
    if (typeof first === 'string') {
      // What is waited for may never come. Nothing that was begun is lost: an app may be killed at any time.
      say(`${program.name} is stopping (${first}) before it was ready`)
      const closed = started.then((app) => app.close())
      const told = closed.catch((error: unknown) => say(`while stopping: ${explain(error)}`))
      await Promise.race([told, delay(startGraceMs)])
      process.exit(0)
    }
    app = first
  } catch (error) {
    say(`error: ${program.name} cannot start: ${explain(error)}`)
    process.exit(1)
  }
  const { name, url, ops } = app
  if (isJson) process.stdout.write(`${JSON.stringify({ ready: true, app: name, ...(url && { url }), ops })}\n`)
  else say(`${name} is ready${url ? ` at ${url}` : ''}; operations at ${ops}`)
  const reason = await Promise.race([stop.promise, app.failed, broken.promise])
  if (reason instanceof Error) {
    say(`error: ${name} has failed: ${explain(reason)}`)
    process.exitCode = 1
  } else {
    say(`${name} is stopping (${reason})`)
  }
  await stopInTime(app)
  process.exit()
}

/** Closes the app and says what came of it. One that does not come to its end is left: nothing that was acknowledged is lost by it. */
async function stopInTime(app: RunningApp): Promise<void> {
  const { SHUTDOWN_TIMEOUT_SECONDS: seconds } = readEnvironment({ SHUTDOWN_TIMEOUT_SECONDS: shutdownTimeoutSeconds })
  const startedMs = Date.now()
  const closed = app.close().then(
    () =>
      `has stopped after ${((Date.now() - startedMs) / 1000).toFixed(1)} s: ${app.report?.() ?? 'all was finished'}`,
    (error: unknown) => {
      process.exitCode = 1
      return `has stopped, but not all of it went well: ${explain(error)}`
    },
  )
  const late = delay(seconds * 1000).then(() => {
    process.exitCode = 1
    return `has not come to its end within ${seconds} s (SHUTDOWN_TIMEOUT_SECONDS) and is left: what it had not finished is done again by what comes next`
  })
  say(`${app.name} ${await Promise.race([closed, late])}`)
}
