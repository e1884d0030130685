import { Closers } from '@voting/election/closers'
import { migrate, openPool } from '@voting/election/database'
import { openOpsServer, urlOf } from '@voting/election/ops-server'
import type { RunningApp } from '@voting/election/running-app'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Logger } from 'stream-core'
import { buildViewerApp } from './app.ts'
import { ChangeFeed } from './change-feed.ts'
import { LiveHub } from './live/live-hub.ts'
import { ResultStore } from './result-store.ts'

export interface ViewerOptions {
  readonly databaseUrl: string
  readonly host: string
  readonly port: number
  readonly opsHost: string
  readonly opsPort: number
  readonly ballotUrl: string | null
  readonly tickMs: number
  readonly connectionsMax: number
  readonly allowedOrigins: readonly string[]
  /** Who may show the embedded page inside a page of their own; default everybody. */
  readonly embedOrigins?: readonly string[]
  readonly logger: Logger
}

/** Readiness gives up on a database that has been silent for this long. */
const silentMsMax = 10_000

/** Starts the viewer: it reads PostgreSQL and nothing else. */
export function startViewer(options: ViewerOptions): Promise<RunningApp & { readonly url: string }> {
  const closers = new Closers()
  return closers.guard(() => startParts(options, closers))
}

async function startParts(options: ViewerOptions, closers: Closers): Promise<RunningApp & { readonly url: string }> {
  const { logger } = options
  const pool = openPool({ url: options.databaseUrl, connectionsMax: 8, applicationName: 'viewer' })
  closers.add(() => pool.end())
  await migrate(pool, { logger })
  const store = new ResultStore(pool)
  const hub = new LiveHub({
    store,
    logger,
    tickMs: options.tickMs,
    connectionsMax: options.connectionsMax,
    allowedOrigins: options.allowedOrigins,
  })
  const feed = new ChangeFeed({
    store,
    databaseUrl: options.databaseUrl,
    logger,
    tickMs: options.tickMs,
    onChanges: (changes) => hub.publish(changes),
  })
  closers.add(() => feed.stop())
  await feed.start()
  const ops = await openOpsServer({
    host: options.opsHost,
    port: options.opsPort,
    registry: openMetrics(hub),
    readiness: () => (Date.now() - feed.lastAnswerMs < silentMsMax ? null : 'the database does not answer'),
  })
  closers.add(() => ops.close())
  const app = await buildViewerApp({
    store,
    logger,
    ballotUrl: options.ballotUrl,
    embedOrigins: options.embedOrigins ?? ['*'],
  })
  closers.add(() => app.close())
  closers.add(() => hub.close())
  hub.attach(app.server)
  await app.listen({ host: options.host, port: options.port })
  return {
    name: 'viewer',
    url: urlOf(app.server, options.host),
    ops: ops.url,
    close: () => closers.close(),
    failed: new Promise(() => undefined),
  }
}

function openMetrics(hub: LiveHub): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  }
  gauge('viewer_connections', 'Open WebSockets', () => hub.connections)
  gauge('viewer_frames_sent_total', 'Frames sent over WebSockets', () => hub.framesSent)
  gauge('viewer_skipped_sends_total', 'Updates skipped because a socket was behind', () => hub.skippedSends)
  return registry
}
