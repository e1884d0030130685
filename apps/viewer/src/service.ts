import { Closers } from '@voting/election/closers'
import { migrate, openPool } from '@voting/election/database'
import { Doors } from '@voting/election/doors'
import { addGauge } from '@voting/election/gauge'
import { openOpsServer, urlOf } from '@voting/election/ops-server'
import type { RunningApp } from '@voting/election/running-app'
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import type { Logger } from 'stream-core'
import { buildViewerApp } from './app.ts'
import { ChangeFeed } from './change-feed.ts'
import type { DoorOptions } from './live/door.ts'
import { LiveHub } from './live/live-hub.ts'
import { updatePaceMs } from './live/update-pace.ts'
import { ResultStore } from './result-store.ts'

export interface ViewerOptions extends DoorOptions {
  readonly databaseUrl: string
  readonly host: string
  readonly port: number
  readonly opsHost: string
  readonly opsPort: number
  readonly ballotUrl: string | null
  readonly tickMs: number
  /** Pages of a viewer that is closed come to the others within this time. Default 5 s. */
  readonly drainMs?: number
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
  const registry = new Registry()
  const acks = new Histogram({
    name: 'viewer_ack_lag_seconds',
    help: 'How long pages take to show that they have had a heartbeat: what viewers really see',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const hub = new LiveHub({ ...options, store, onAck: (seconds) => acks.observe(seconds) })
  let isStopping = false
  let readersAtStop = 0
  const feed = new ChangeFeed({
    store,
    databaseUrl: options.databaseUrl,
    logger,
    tickMs: () => updatePaceMs(options.tickMs, hub.connections),
    onChanges: (changes) => hub.publish(changes),
  })
  closers.add(() => feed.stop())
  await feed.start()
  const ops = await openOpsServer({
    host: options.opsHost,
    port: options.opsPort,
    registry: openMetrics(registry, hub, feed),
    readiness: () => {
      if (isStopping) return 'it is being stopped'
      return Date.now() - feed.lastAnswerMs < silentMsMax ? null : 'the database does not answer'
    },
  })
  closers.add(() => ops.close())
  const app = await buildViewerApp({
    store,
    logger,
    ballotUrl: options.ballotUrl,
    embedOrigins: options.embedOrigins ?? ['*'],
  })
  let doors: Doors | null = null
  closers.add(async () => void (await Promise.all([app.close(), doors?.close()])))
  closers.add(() => hub.close())
  hub.attach(app.server)
  const at = { host: options.host, port: options.port }
  doors = await Doors.open(app.server, at, (how) => app.listen(how))
  return {
    name: 'viewer',
    url: urlOf(app.server, options.host),
    ops: ops.url,
    async close() {
      isStopping = true
      readersAtStop = hub.connections
      await closers.close()
    },
    failed: new Promise(() => undefined),
    report: () => `${readersAtStop} open pages were told to come back`,
  }
}

function openMetrics(registry: Registry, hub: LiveHub, feed: ChangeFeed): Registry {
  collectDefaultMetrics({ register: registry })
  addGauge(registry, 'viewer_connections', 'Open WebSockets', () => hub.connections)
  addGauge(
    registry,
    'viewer_data_age_seconds',
    'Time since the database last answered',
    () => (Date.now() - feed.lastAnswerMs) / 1000,
  )
  /** What only grows, counted elsewhere: it is caught up with when it is asked for. */
  const counter = (name: string, help: string, total: () => number): void => {
    let counted = 0
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.inc(total() - counted)
        counted = total()
      },
    })
  }
  counter('viewer_handshakes_opened_total', 'WebSockets that were opened', () => hub.handshakes.opened)
  counter('viewer_handshakes_refused_total', 'WebSockets that were refused', () => hub.handshakes.refused)
  counter('viewer_frames_sent_total', 'Frames sent over WebSockets', () => hub.framesSent)
  counter('viewer_skipped_sends_total', 'Updates skipped because a socket was behind', () => hub.skippedSends)
  return registry
}
