import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { Closers } from '@voting/election/closers'
import { migrate, openPool } from '@voting/election/database'
import { closeServer, listen, openOpsServer } from '@voting/election/ops-server'
import type { RunningApp } from '@voting/election/running-app'
import { provideTopics, topics } from '@voting/election/topics'
import { type Broker, type Logger, Streams } from 'stream-core'
import { operationsHandler } from 'stream-core/operations'
import { lagMs, openMetrics, startupState } from './metrics.ts'
import { Pulse } from './pulse.ts'
import { ResultSink } from './result-sink.ts'
import { buildTallyTopology } from './topology.ts'

export interface TallyOptions {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly applicationId: string
  readonly stateDir: string
  readonly opsHost: string
  readonly opsPort: number
  /** Where other tallies reach the operations port, as host:port; null: by its address. */
  readonly opsEndpoint: string | null
  /** Whether the operations page shows what is in the stores. */
  readonly showsValues: boolean
  readonly ballotPartitions: number
  readonly logger: Logger
}

/** A result is committed this soon after it is counted. */
const commitIntervalMs = 20
/** How long the last commit and the departure from the group may take: less than the whole stop may. */
const closeMs = 25_000

/** Starts the tally: the stream application that counts, and the sink that carries results into PostgreSQL. */
export function startTally(options: TallyOptions): Promise<RunningApp> {
  const closers = new Closers()
  return closers.guard(() => startParts(options, closers))
}

async function startParts(options: TallyOptions, closers: Closers): Promise<RunningApp> {
  const { broker, logger, applicationId } = options
  const pool = openPool({ url: options.databaseUrl, connectionsMax: 3, applicationName: 'tally' })
  closers.add(() => pool.end())
  await migrate(pool, { logger })
  await provideTopics(broker, options.ballotPartitions, logger)
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)!
  // Others are told where this one answers before it joins them.
  const server = createServer()
  await listen(server, options.opsPort, options.opsHost)
  closers.add(() => closeServer(server))
  const streams = new Streams({
    topology: buildTallyTopology(ballots.partitionCount),
    applicationId,
    broker,
    stateDir: options.stateDir,
    processingGuarantee: 'exactly-once',
    commitIntervalMs,
    endpoint: options.opsEndpoint ?? endpointOf(server, options.opsHost),
    logger,
  })
  const sink = new ResultSink({ broker, pool, logger })
  const registry = openMetrics(streams)
  const pulse = new Pulse({
    pool,
    logger,
    behindMs: async () => (streams.state === 'running' ? lagMs(registry) : null),
  })
  const ops = await openOpsServer({
    host: options.opsHost,
    port: options.opsPort,
    server,
    registry,
    readiness: () => (streams.state === 'running' ? sink.trouble : `the stream application is ${streams.state}`),
    startup: () => startupState(registry, streams),
    also: operationsHandler(streams, {
      showValues: options.showsValues,
      facts: () => ({ 'Results into PostgreSQL': sink.trouble ?? 'are written' }),
    }),
  })
  closers.add(() => sink.stop())
  closers.add(() => pulse.stop())
  let hasCommitted = false
  closers.add(async () => void (hasCommitted = await streams.close({ timeoutMs: closeMs })))
  await streams.start()
  sink.start()
  pulse.start()
  const failed = Promise.withResolvers<Error>()
  void streams.stopped.then((error) => error && failed.resolve(error))
  return {
    name: 'tally',
    ops: ops.url,
    close: () => closers.close(),
    failed: failed.promise,
    report: () =>
      hasCommitted
        ? 'what was counted is committed, the state is on disk, and others in the group take over'
        : 'the log did not answer in time: what was not committed is counted by who takes over',
  }
}

/** What listens on every address is reached by the name of its machine, which a container's is in its network. */
function endpointOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  if (host === '0.0.0.0' || host === '::') return `${hostname()}:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
