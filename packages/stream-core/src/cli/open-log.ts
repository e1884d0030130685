import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KafkaBrokerOptions } from '../adapters/kafka/kafka-broker.ts'
import type { Broker } from '../broker/broker.ts'
import { UsageError } from './command.ts'

/** Options of every command that looks at a log. */
export const logOptions = {
  'bootstrap-servers': { type: 'string' },
  'broker-options': { type: 'string' },
  embedded: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

export const logHelp = `Which log:
  --bootstrap-servers <host:port,…>  a Kafka cluster
  --broker-options <module>          a module whose default export has further options of kafkaBroker: tls, sasl
  --embedded <file>                  an embedded log; no other process may have it open`

interface LogValues {
  readonly 'bootstrap-servers'?: string | undefined
  readonly 'broker-options'?: string | undefined
  readonly embedded?: string | undefined
}

/** Opens the log that the arguments name, runs `use`, and closes it. */
export async function withLog<T>(values: LogValues, use: (broker: Broker) => Promise<T>): Promise<T> {
  const broker = await open(values)
  try {
    return await use(broker)
  } finally {
    await broker.close()
  }
}

async function open(values: LogValues): Promise<Broker> {
  const { 'bootstrap-servers': bootstrapServers, 'broker-options': optionsModule, embedded } = values
  if (bootstrapServers !== undefined && embedded !== undefined) {
    throw new UsageError('--bootstrap-servers and --embedded name two logs: give one of them')
  }
  if (embedded !== undefined) {
    if (optionsModule !== undefined) throw new UsageError('--broker-options is for Kafka, and not for an embedded log')
    // Opened, it would be made.
    if (!existsSync(embedded)) throw new UsageError(`--embedded ${JSON.stringify(embedded)}: there is no such file`)
    const { openEmbeddedLog } = await import('../adapters/embedded/embedded-log.ts')
    return openEmbeddedLog({ path: embedded })
  }
  if (bootstrapServers === undefined) {
    throw new UsageError('no log is named: give --bootstrap-servers host:port, or --embedded file')
  }
  const more = optionsModule === undefined ? {} : await brokerOptions(optionsModule)
  const { kafkaBroker } = await import('../adapters/kafka/kafka-broker.ts')
  return kafkaBroker({ clientId: 'stream-core-cli', ...more, bootstrapServers })
}

async function brokerOptions(path: string): Promise<Partial<KafkaBrokerOptions>> {
  const loaded = (await importFile('broker-options', path)) as { readonly default?: unknown }
  if (typeof loaded.default === 'object' && loaded.default !== null) return loaded.default
  throw new UsageError(
    `--broker-options ${JSON.stringify(path)} has no default export with options, such as { tls, sasl }`,
  )
}

/** Loads a module of the user's, by its path. */
export async function importFile(name: string, path: string): Promise<object> {
  const file = resolve(path)
  if (!existsSync(file)) throw new UsageError(`${name} ${JSON.stringify(path)}: there is no such file`)
  return (await import(pathToFileURL(file).href)) as object
}
