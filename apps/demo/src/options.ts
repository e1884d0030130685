import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { databaseUrl, type Environment, logLevel, type Variables } from '@voting/election/environment'

export interface DemoOptions {
  readonly dataDir: string
  readonly host: string
  readonly ingestPort: number
  readonly viewerPort: number
  /** Of ingest; tally and viewer have the two after it. 0: any free ones. */
  readonly opsPort: number
  readonly isSimulating: boolean
  /** Simulated votes per second, on average. */
  readonly rate: number
  readonly isJson: boolean
}

export const help = `npm start -- [options]       the whole system in one process

  --data-dir <folder>     where everything is kept          (default: data)
  --host <address>        address to listen on              (default: 127.0.0.1)
  --ingest-port <port>    ballots and organisers; 0 = free  (default: 3000)
  --viewer-port <port>    results; 0 = any free one         (default: 3001)
  --ops-port <port>       health and metrics of ingest; tally and viewer
                          have the two after it; 0 = free   (default: 9100, 0 if ingest's is)
  --rate <number>         simulated votes per second        (default: 8)
  --no-simulation         no simulated voters, now or in the past
  --json                  one line of JSON on standard output when ready
  --help                  this text

Environment:
  KAFKA_BROKERS           a Kafka cluster instead of the embedded log (host:port, several with commas)
  DATABASE_URL            a PostgreSQL of yours instead of the embedded one
  ORGANISER_TOKEN         what organisers sign in with, instead of a generated token
  LOG_LEVEL               debug, info, warn (default) or error`

/** What `npm start` reads from the environment; `help` says it. */
export const demoVariables = {
  KAFKA_BROKERS: { kind: 'text', optional: true, description: 'a Kafka cluster instead of the embedded log' },
  DATABASE_URL: { ...databaseUrl, optional: true },
  ORGANISER_TOKEN: { kind: 'text', optional: true, secret: true, description: 'what organisers sign in with' },
  LOG_LEVEL: { ...logLevel, fallback: 'warn' },
} as const satisfies Variables

export type DemoEnvironment = Environment<typeof demoVariables>

/** A mistake in the command line. */
export class UsageError extends Error {}

/** The options, or null when help was asked for. */
export function parseOptions(argv: readonly string[]): DemoOptions | null {
  const { values } = parse(argv)
  if (values.help) return null
  const number = (name: 'ingest-port' | 'viewer-port' | 'ops-port' | 'rate', fallback: number, max: number): number => {
    const text = values[name]
    if (text === undefined) return fallback
    const value = Number(text)
    const isWhole = name === 'rate' || Number.isInteger(value)
    if (text.trim() === '' || !isWhole || !(value >= 0 && value <= max)) {
      throw new UsageError(`--${name} is ${JSON.stringify(text)}, expected a number from 0 to ${max}`)
    }
    return value
  }
  if (values['data-dir']?.trim() === '') throw new UsageError('--data-dir is empty, expected the path of a folder')
  const ingestPort = number('ingest-port', 3000, 65_535)
  return {
    dataDir: resolve(values['data-dir'] ?? join(import.meta.dirname, '..', '..', '..', 'data')),
    host: values.host ?? '127.0.0.1',
    ingestPort,
    viewerPort: number('viewer-port', 3001, 65_535),
    opsPort: number('ops-port', ingestPort === 0 ? 0 : 9100, 65_533),
    isSimulating: !values['no-simulation'],
    rate: number('rate', 8, 5000),
    isJson: values.json ?? false,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        'data-dir': { type: 'string' },
        host: { type: 'string' },
        'ingest-port': { type: 'string' },
        'viewer-port': { type: 'string' },
        'ops-port': { type: 'string' },
        rate: { type: 'string' },
        'no-simulation': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
