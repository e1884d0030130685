import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'stream-core'
import { type WebSocket, WebSocketServer } from 'ws'
import { isNewer, type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { Changes, ResultStore, TrendRow } from '../result-store.ts'
import { Findings } from './findings.ts'
import { trendColumns, type WindowName, windowSizes } from '../trend-columns.ts'
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
  /** What this socket was last told; null while its first answer is on the way. */
  sent: PollView | null
  /** What was published meanwhile: the answer may have been read before it. */
  readonly early: TrendRow[]
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
  readonly #findings: Findings
  #isDraining = false
  /** Newer ballots are recorded than are counted. */
  #isLate = false
  framesSent = 0
  skippedSends = 0

  constructor(options: LiveHubOptions) {
    this.#options = options
    const { store, logger } = options
    this.#findings = new Findings({ store, logger, broadcast: (pollId, frame) => this.#broadcast(pollId, frame) })
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
    for (const view of changes.views) this.#learn(view, nowMs)
    for (const pollId of changes.found) {
      const known = this.#polls.get(pollId)
      if (known) this.#findings.changed(known.view)
    }
    if (changes.isLate !== this.#isLate) {
      this.#isLate = changes.isLate
      for (const pollId of this.#polls.keys()) this.#tellStatus(pollId)
    }
    const changed = new Set([...changes.views.map((view) => view.poll.id), ...trends.keys()])
    const frames = new Map<string, readonly Buffer[]>()
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
    this.#findings.close()
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
    // Who asks for others expects another one than it would get; who names none takes what there is.
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
    if (offered && !offered.includes(subProtocol)) return refuse('400 Bad Request')
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
    webSocket.send(helloFrame(Date.now(), this.#options.heartbeatMs ?? 10_000, this.#options.tickMs, this.#isLate))
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
    const subscription: Subscription = { request: message, window, hasMissed: false, sent: null, early: [] }
    socket.subscriptions.set(pollId, subscription)
    const answer = await this.#answer(found, message)
    if (socket.subscriptions.get(pollId) !== subscription) return
    const nowMs = Date.now()
    this.#learn(answer.view, nowMs)
    subscription.sent = answer.view
    if (answer.frame) this.#send(socket, Buffer.from(answer.frame))
    // What was published while the answer was being read may be missing from it; values are absolute, so twice is no harm.
    this.#update(socket, pollId, subscription, subscription.early, new Map(), nowMs)
    const findings = await this.#findings.frameOf(answer.view)
    if (findings && socket.subscriptions.get(pollId) === subscription) this.#send(socket, findings)
  }

  /** One snapshot; to a client that resumes, one change from where it was, or nothing where it is up to date (D31). */
  async #answer(found: PollView, request: Subscribe): Promise<{ view: PollView; frame: string | null }> {
    const { store } = this.#options
    const { id } = found.poll
    const { res: window = null, since } = request.trend ?? {}
    const nowMs = Date.now()
    if (request.ver !== undefined && request.epoch === found.epoch) {
      const windowMs = window === null ? 0 : windowSizes[window]
      const rows = window === null ? [] : await store.trend(id, windowMs, alignedTo(windowMs, since), nowMs + windowMs)
      const view = (await store.poll(id)) ?? found
      if (view.epoch === request.epoch) {
        const isBehind = request.ver < view.version
        const frame = isBehind
          ? deltaFrame(view, { version: request.ver }, nowMs, window, rows)
          : window && bucketFrame(view, window, rows)
        return { view, frame }
      }
    }
    const range = since === undefined ? {} : { fromMs: since }
    const trend = window === null ? null : await trendColumns(store, found, window, nowMs, range)
    const view = (await store.poll(id)) ?? found
    return { view, frame: snapFrame(view, Date.now(), trend) }
  }

  /** Keeps the newest view of a poll: what comes from two questions may come in either order. */
  #learn(view: PollView, nowMs: number): void {
    const known = this.#polls.get(view.poll.id)
    if (known && isNewer(known.view, view)) return
    this.#polls.set(view.poll.id, { view, status: statusOf(view, nowMs) })
  }

  #update(
    socket: Socket,
    pollId: string,
    subscription: Subscription,
    trends: readonly TrendRow[],
    frames: Map<string, readonly Buffer[]>,
    nowMs: number,
  ): void {
    const known = this.#polls.get(pollId)
    const before = subscription.sent
    if (!known || before === null) {
      subscription.early.push(...trends)
      return
    }
    const { webSocket } = socket
    if (webSocket.bufferedAmount > bufferedBytesMax) return webSocket.close(4408, 'too slow')
    if (webSocket.bufferedAmount > bufferedBytesBehind) {
      this.skippedSends++
      subscription.hasMissed = true
      return
    }
    const { view } = known
    const hasRestarted = before.epoch !== 0 && view.epoch !== before.epoch
    if (subscription.hasMissed || hasRestarted) {
      const { poll, op, trend } = subscription.request
      this.#receiveSubscribe(socket, { op, poll, ...(trend && { trend }) })
      return
    }
    const { window } = subscription
    const key = `${pollId} ${before.epoch}.${before.version} ${window}`
    let shared = frames.get(key)
    if (!shared) {
      const buckets = window && bucketFrame(view, window, trends)
      const texts = !isNewer(view, before)
        ? [buckets]
        : before.epoch === 0 // the first result of all: there is nothing that it changes
          ? [snapFrame(view, nowMs, null), buckets]
          : [deltaFrame(view, before, nowMs, window, trends)]
      shared = texts.flatMap((text) => (text === null ? [] : Buffer.from(text)))
      frames.set(key, shared)
    }
    subscription.sent = view
    for (const frame of shared) this.#send(socket, frame)
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
      this.#tellStatus(pollId)
    }
  }

  #tellStatus(pollId: string): void {
    const { view, status } = this.#polls.get(pollId)!
    this.#broadcast(pollId, Buffer.from(statusFrame(view, status, Date.now(), this.#isLate)))
  }

  /** To everybody who follows a poll and has had the first answer. */
  #broadcast(pollId: string, frame: Buffer): void {
    this.#eachSocket((socket) => {
      if (socket.subscriptions.get(pollId)?.sent) this.#send(socket, frame)
    })
  }

  /** A visible heartbeat for pages, which cannot see pings, and a ping that ends sockets nobody answers for. */
  #beat(): void {
    const nowMs = Date.now()
    const frames = new Map<string, Buffer>()
    this.#eachSocket((socket) => {
      const polls = [...socket.subscriptions.keys()]
      const key = polls.join(' ')
      let frame = frames.get(key)
      if (!frame) {
        const known = polls.flatMap((id) => this.#polls.get(id)?.view ?? [])
        frame = Buffer.from(
          heartbeatFrame(nowMs, Object.fromEntries(known.map((view) => [view.poll.id, view.version])), this.#isLate),
        )
        frames.set(key, frame)
      }
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

const alignedTo = (windowMs: number, timeMs = 0): number => Math.floor(timeMs / windowMs) * windowMs
