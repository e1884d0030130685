import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'stream-core'
import { type WebSocket, WebSocketServer } from 'ws'
import { type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { Changes, ResultStore, TrendRow } from '../result-store.ts'
import { trendColumns, type WindowName } from '../trend-columns.ts'
import {
  bucketFrame,
  byeFrame,
  deltaFrame,
  errorFrame,
  heartbeatFrame,
  helloFrame,
  inboundBytesMax,
  parseClientMessage,
  snapFrame,
  statusFrame,
  type Subscribe,
  subProtocol,
} from './protocol.ts'

export interface LiveHubOptions {
  readonly store: ResultStore
  readonly logger: Logger
  readonly tickMs: number
  readonly connectionsMax: number
  /** Origins that may connect besides the page's own. */
  readonly allowedOrigins: readonly string[]
  /** Time between visible heartbeats. Default 10 s. */
  readonly heartbeatMs?: number
}

interface Subscription {
  readonly request: Subscribe
  readonly window: WindowName | null
  /** A change was skipped because the socket was behind: the next thing it gets is a snapshot. */
  hasMissed: boolean
  /** What this socket was last told; null while its snapshot is on the way. */
  sent: PollView | null
}

interface Socket {
  readonly webSocket: WebSocket
  readonly subscriptions: Map<string, Subscription>
  isAlive: boolean
  inboundCount: number
}

/** Sockets are served in slices, so that ten thousand of them do not hold up the loop. */
const socketsPerSlice = 250
/** Above the first a socket is skipped, above the second it is closed. */
const bufferedBytesBehind = 64 * 1024
const bufferedBytesMax = 256 * 1024
const subscriptionsMax = 8
const inboundPerWindowMax = 20

/**
 * Fans results out to sockets: one frame is made per poll, version and window, and the same buffer goes to everybody who
 * needs it. A socket that is behind is skipped, and gets one merged frame when it has caught up; nothing is queued for it.
 */
export class LiveHub {
  readonly #options: LiveHubOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: inboundBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (protocols) => (protocols.has(subProtocol) ? subProtocol : false),
  })
  readonly #sockets = new Set<Socket>()
  /** Newest view and status of every poll somebody has asked for. */
  readonly #polls = new Map<string, { view: PollView; status: PollStatus }>()
  readonly #timers: NodeJS.Timeout[] = []
  #isDraining = false
  framesSent = 0
  skippedSends = 0

  constructor(options: LiveHubOptions) {
    this.#options = options
    this.#timers.push(setInterval(() => this.#beat(), options.heartbeatMs ?? 10_000))
    this.#timers.push(setInterval(() => this.#watchStatus(), 1000))
    for (const timer of this.#timers) timer.unref()
  }

  get connections(): number {
    return this.#sockets.size
  }

  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** New results: tells every socket that follows one of these polls. */
  publish(changes: Changes): void {
    const trends = new Map<string, TrendRow[]>()
    for (const row of changes.trends) {
      const rows = trends.get(row.pollId)
      if (rows) rows.push(row)
      else trends.set(row.pollId, [row])
    }
    const nowMs = Date.now()
    for (const view of changes.views) this.#polls.set(view.poll.id, { view, status: statusOf(view, nowMs) })
    const changed = new Set([...changes.views.map((view) => view.poll.id), ...trends.keys()])
    const frames = new Map<string, Buffer | null>()
    this.#eachSocket((socket) => {
      for (const [pollId, subscription] of socket.subscriptions) {
        if (changed.has(pollId)) this.#update(socket, pollId, subscription, trends.get(pollId) ?? [], frames, nowMs)
      }
    })
  }

  /** Says good-bye with retries spread over `drainMs`, then closes what is left. */
  async close(drainMs = 0): Promise<void> {
    this.#isDraining = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const { webSocket } of this.#sockets) {
      webSocket.send(byeFrame(Math.floor(Math.random() * Math.max(drainMs, 2000))))
      webSocket.close(1012, 'restart')
    }
    const end = Date.now() + 1000
    while (this.#sockets.size > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const { webSocket } of this.#sockets) webSocket.terminate()
    this.#server.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split('?', 1)[0]
    const refuse = (status: string): void => {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
    if (path !== '/ws') return refuse('404 Not Found')
    if (!this.#isOriginAllowed(request)) return refuse('403 Forbidden')
    if (this.#isDraining || this.#sockets.size >= this.#options.connectionsMax) return refuse('503 Service Unavailable')
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket))
  }

  /** Programs send no origin; a browser's must be the page's own, or one that was allowed. */
  #isOriginAllowed({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers
    if (origin === undefined) return true
    if (this.#options.allowedOrigins.includes(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === host
  }

  #open(webSocket: WebSocket): void {
    const socket: Socket = { webSocket, subscriptions: new Map(), isAlive: true, inboundCount: 0 }
    this.#sockets.add(socket)
    webSocket.on('pong', () => (socket.isAlive = true))
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('close', () => this.#sockets.delete(socket))
    webSocket.on('message', (data, isBinary) => {
      if (isBinary) return webSocket.close(4400, 'text only')
      if (++socket.inboundCount > inboundPerWindowMax) return webSocket.close(4429, 'too many messages')
      this.#receive(socket, (data as Buffer).toString('utf8'))
    })
    webSocket.send(helloFrame(Date.now(), this.#options.heartbeatMs ?? 10_000, this.#options.tickMs))
  }

  #receive(socket: Socket, text: string): void {
    const message = parseClientMessage(text)
    if (typeof message === 'string') {
      socket.webSocket.send(errorFrame('bad-message', message))
      socket.webSocket.close(4400, 'bad message')
    } else if (message.op === 'sub') {
      this.#receiveSubscribe(socket, message)
    } else if (message.op === 'unsub') {
      for (const [id, { view }] of this.#polls) {
        if (id === message.poll || view.poll.slug === message.poll) socket.subscriptions.delete(id)
      }
    }
  }

  #receiveSubscribe(socket: Socket, message: Subscribe): void {
    this.#subscribe(socket, message).catch((error: unknown) => {
      this.#options.logger.warn({ event: 'subscribe.failed', error: String(error) }, 'a subscription failed')
      socket.webSocket.send(errorFrame('unavailable', 'the results cannot be read now; try again'))
      socket.webSocket.close(1013, 'try again')
    })
  }

  async #subscribe(socket: Socket, message: Subscribe): Promise<void> {
    const { store } = this.#options
    const found = await store.poll(message.poll)
    if (!found) {
      socket.webSocket.send(errorFrame('unknown_poll', message.poll))
      return
    }
    const pollId = found.poll.id
    if (socket.subscriptions.size >= subscriptionsMax && !socket.subscriptions.has(pollId)) {
      socket.webSocket.send(errorFrame('too_many', `at most ${subscriptionsMax} polls per socket`))
      return
    }
    const window = message.trend?.res ?? null
    const subscription: Subscription = { request: message, window, hasMissed: false, sent: null }
    socket.subscriptions.set(pollId, subscription)
    const nowMs = Date.now()
    const since = message.trend?.since
    const trend = message.trend
      ? await trendColumns(
          store,
          found,
          message.trend.res,
          nowMs,
          since === undefined ? {} : { fromMs: since, toMs: nowMs + 1 },
        )
      : null
    // Read again: what was published while the trend was being read must not be missing.
    const view = (await store.poll(pollId)) ?? found
    this.#polls.set(pollId, { view, status: statusOf(view, nowMs) })
    if (socket.subscriptions.get(pollId) !== subscription) return
    subscription.sent = view
    const isCurrent = message.epoch === view.epoch && message.ver === view.version && trend === null
    if (!isCurrent) this.#send(socket, Buffer.from(snapFrame(view, Date.now(), trend)))
  }

  #update(
    socket: Socket,
    pollId: string,
    subscription: Subscription,
    trends: readonly TrendRow[],
    frames: Map<string, Buffer | null>,
    nowMs: number,
  ): void {
    const known = this.#polls.get(pollId)
    const before = subscription.sent
    if (!known || before === null) return
    const { webSocket } = socket
    if (webSocket.bufferedAmount > bufferedBytesMax) return webSocket.close(4408, 'too slow')
    if (webSocket.bufferedAmount > bufferedBytesBehind) {
      this.skippedSends++
      subscription.hasMissed = true
      return
    }
    if (subscription.hasMissed) {
      const { poll, op, trend } = subscription.request
      this.#receiveSubscribe(socket, { op, poll, ...(trend && { trend }) })
      return
    }
    const { view } = known
    const isNewer = view.version !== before.version || view.epoch !== before.epoch
    const key = `${pollId} ${before.epoch}.${before.version} ${subscription.window} ${isNewer}`
    let frame = frames.get(key)
    if (frame === undefined) {
      const text = !isNewer
        ? subscription.window && bucketFrame(view, subscription.window, trends)
        : view.epoch === before.epoch
          ? deltaFrame(view, before, nowMs, subscription.window, trends)
          : snapFrame(view, nowMs, null)
      frame = text ? Buffer.from(text) : null
      frames.set(key, frame)
    }
    if (frame === null) return
    subscription.sent = view
    this.#send(socket, frame)
  }

  #send(socket: Socket, frame: Buffer): void {
    this.framesSent++
    socket.webSocket.send(frame, { binary: false })
  }

  /** A poll opens and closes by the clock, with no result to tell of it. */
  #watchStatus(): void {
    const nowMs = Date.now()
    for (const [pollId, known] of this.#polls) {
      const status = statusOf(known.view, nowMs)
      if (status === known.status) continue
      known.status = status
      const frame = Buffer.from(statusFrame(known.view, status, nowMs))
      this.#eachSocket((socket) => {
        if (socket.subscriptions.get(pollId)?.sent) this.#send(socket, frame)
      })
    }
  }

  /** A visible heartbeat for pages, which cannot see pings, and a ping that ends sockets nobody answers for. */
  #beat(): void {
    const frame = Buffer.from(heartbeatFrame(Date.now()))
    this.#eachSocket((socket) => {
      socket.inboundCount = 0
      if (!socket.isAlive) return socket.webSocket.terminate()
      socket.isAlive = false
      socket.webSocket.ping()
      this.#send(socket, frame)
    })
  }

  #eachSocket(visit: (socket: Socket) => void): void {
    const sockets = [...this.#sockets]
    const slice = (from: number): void => {
      const end = Math.min(from + socketsPerSlice, sockets.length)
      for (let i = from; i < end; i++) {
        const socket = sockets[i]!
        if (socket.webSocket.readyState === socket.webSocket.OPEN) visit(socket)
      }
      if (end < sockets.length) setImmediate(() => slice(end))
    }
    slice(0)
  }
}
