import type { Server } from 'node:http'
import type { Logger } from 'stream-core'
import type { WebSocket } from 'ws'
import { isNewer, type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { Changes, ResultStore, TrendRow } from '../result-store.ts'
import { answerTo } from './answer.ts'
import { Door, type DoorOptions } from './door.ts'
import { Findings } from './findings.ts'
import type { Socket, Subscription } from './socket.ts'
import { unseal } from '../sealing.ts'
import { updatePaceMs } from './update-pace.ts'
import { viewFor } from '../view-for.ts'
import { sendSlices } from './trend-slices.ts'
import {
  bucketFrame,
  byeFrame,
  deltaFrame,
  errorFrame,
  heartbeatFrame,
  helloFrame,
  parseClientMessage,
  snapFrame,
  statusFrame,
  type Subscribe,
} from './protocol.ts'

export interface LiveHubOptions extends DoorOptions {
  readonly store: ResultStore
  readonly logger: Logger
  readonly tickMs: number
  /** Pages of a hub that is closed come again within this time, each at its own. Default 5 s. */
  readonly drainMs?: number
  /** Told how long a page took to show that it has had a heartbeat. */
  readonly onAck?: (seconds: number) => void
  /** Time between visible heartbeats. Default 10 s. */
  readonly heartbeatMs?: number
}

/** Sockets are served in slices, so that ten thousand of them do not hold up the loop. */
const socketsPerSlice = 250
/** Above the first a socket is skipped, above the second it is closed. */
const bufferedBytesBehind = 64 * 1024
const bufferedBytesMax = 256 * 1024
/**
 * Each socket has its heartbeat at one of so many times between two of them: ten thousand that were asked at once would answer at
 * once, and nothing else would be done until all of them were heard.
 */
const beatSlots = 20
const subscriptionsMax = 8
const missedAcksMax = 3
/** Closing waits no longer than this for the other side. */
const closeMsMax = 1000
/** Of each page that comes when results are revealed: so many of them at once are no trouble. */
const revealMsPerSocket = 4
const inboundPerWindowMax = 20

/**
 * Fans results out to sockets: one frame is made per poll, version and window, and the same buffer goes to everybody who
 * needs it. A socket that is behind is skipped, and gets one merged frame when it has caught up; nothing is queued for it.
 */
export class LiveHub {
  readonly #options: LiveHubOptions
  readonly #door: Door
  readonly #sockets = new Set<Socket>()
  /** Newest view and status of every poll somebody has asked for. */
  readonly #polls = new Map<string, { view: PollView; status: PollStatus }>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #findings: Findings
  /** Newer ballots are recorded than are counted. */
  #isLate = false
  #beats = 0
  framesSent = 0
  skippedSends = 0

  constructor(options: LiveHubOptions) {
    this.#options = options
    const { store, logger } = options
    this.#door = new Door(options)
    this.#findings = new Findings({
      store,
      logger,
      broadcast: (pollId, frame, isForVoters) => this.#broadcast(pollId, frame, isForVoters),
    })
    this.#timers.push(setInterval(() => this.#beat(), (options.heartbeatMs ?? 10_000) / beatSlots))
    this.#timers.push(setInterval(() => this.#watchStatus(), 1000))
    for (const timer of this.#timers) timer.unref()
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Least time between two updates, as it is with so many pages. */
  get #tickMs(): number {
    return Math.round(updatePaceMs(this.#options.tickMs, this.#sockets.size))
  }

  get handshakes(): Door['handshakes'] {
    return this.#door.handshakes
  }

  attach(server: Server): void {
    this.#door.attach(server, (webSocket) => this.#open(webSocket))
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

  /**
   * Says good-bye: nobody gets in any more, and each page is told a time of its own to come again within `drainMs`, so that
   * the other viewers are not run over. It does not take that long itself.
   */
  async close(): Promise<void> {
    this.#door.shut()
    for (const timer of this.#timers) clearInterval(timer)
    this.#findings.close()
    const { drainMs = 5000 } = this.#options
    this.#eachSocket(({ webSocket }) => {
      webSocket.send(byeFrame(Math.floor(Math.random() * drainMs)))
      webSocket.close(1012, 'restart')
    })
    const end = Date.now() + closeMsMax
    while (this.#sockets.size > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const { webSocket } of this.#sockets) webSocket.terminate()
    this.#door.close()
  }

  #open(webSocket: WebSocket): void {
    const socket: Socket = {
      webSocket,
      subscriptions: new Map(),
      isAlive: true,
      inboundCount: 0,
      beatSlot: this.handshakes.opened % beatSlots,
      unackedMs: 0,
      missedAcks: null,
      frameBytesMax: 0,
    }
    this.#sockets.add(socket)
    webSocket.on('pong', () => (socket.isAlive = true))
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('close', () => this.#sockets.delete(socket))
    webSocket.on('message', (data, isBinary) => {
      if (isBinary) return webSocket.close(4400, 'text only')
      if (++socket.inboundCount > inboundPerWindowMax) return webSocket.close(4429, 'too many messages')
      this.#receive(socket, (data as Buffer).toString('utf8'))
    })
    webSocket.send(helloFrame(Date.now(), this.#options.heartbeatMs ?? 10_000, this.#tickMs, this.#isLate))
  }

  #receive(socket: Socket, text: string): void {
    const message = parseClientMessage(text)
    if (typeof message === 'string') {
      socket.webSocket.send(errorFrame('bad-message', message))
      socket.webSocket.close(4400, 'bad message')
    } else if (message.op === 'sub') {
      this.#receiveSubscribe(socket, message)
    } else if (message.op === 'ack') {
      if (socket.unackedMs > 0) this.#options.onAck?.((Date.now() - socket.unackedMs) / 1000)
      socket.unackedMs = 0
      socket.missedAcks = 0
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
    const found = await viewFor(store, message.poll, message)
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
    const isVoter = message.receipt !== undefined && found.hiding === null
    const rest = { hasMissed: false, sent: null, early: [], slices: null }
    const subscription: Subscription = { isVoter, request: message, window, ...rest }
    socket.subscriptions.set(pollId, subscription)
    const answer = await answerTo(this.#options.store, found, message, isVoter)
    if (socket.subscriptions.get(pollId) !== subscription) return
    const nowMs = Date.now()
    // What a voter has seen is not what everybody else may.
    if (!isVoter) this.#learn(answer.view, nowMs)
    else if (!this.#polls.has(pollId)) await this.#reread(pollId)
    subscription.sent = answer.view
    if (answer.frame) this.#send(socket, Buffer.from(answer.frame))
    if (window) {
      subscription.slices = answer.slices
      const isWanted = (): boolean => socket.subscriptions.get(pollId) === subscription
      const frameOf = (rows: readonly TrendRow[]): string | null => bucketFrame(answer.view, window, rows)
      sendSlices(socket.webSocket, answer.slices, frameOf, isWanted)
    }
    // What was published while the answer was being read may be missing from it; values are absolute, so twice is no harm.
    this.#update(socket, pollId, subscription, subscription.early, new Map(), nowMs)
    const findings = await this.#findings.frameOf(answer.view)
    if (findings && socket.subscriptions.get(pollId) === subscription) this.#send(socket, findings)
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
    // One frame that is large by itself makes nobody slow.
    if (webSocket.bufferedAmount > bufferedBytesMax + socket.frameBytesMax) return webSocket.close(4408, 'too slow')
    if (webSocket.bufferedAmount > bufferedBytesBehind) {
      this.skippedSends++
      subscription.hasMissed = true
      return
    }
    const view = subscription.isVoter ? unseal(known.view) : known.view
    if (before.hiding !== null && view.hiding === null) {
      subscription.sent = view
      this.#send(socket, this.#revealFrame(view, nowMs))
      return
    }
    const seen = view.hiding === null ? trends : []
    const hasRestarted = before.epoch !== 0 && view.epoch !== before.epoch
    if (subscription.hasMissed || hasRestarted) {
      const { epoch: _, ver: __, ...request } = subscription.request
      this.#receiveSubscribe(socket, request)
      return
    }
    const { window } = subscription
    const key = `${pollId} ${before.epoch}.${before.version} ${view.version} ${window} ${view.hiding === null}`
    let shared = frames.get(key)
    if (!shared) {
      const buckets = window && bucketFrame(view, window, seen)
      const texts = !isNewer(view, before)
        ? [buckets]
        : before.epoch === 0 // the first result of all: there is nothing that it changes
          ? [snapFrame(view, nowMs, null), buckets]
          : [deltaFrame(view, before, nowMs, window, seen)]
      shared = texts.flatMap((text) => (text === null ? [] : Buffer.from(text)))
      frames.set(key, shared)
    }
    subscription.sent = view
    subscription.slices?.changed(seen)
    for (const frame of shared) this.#send(socket, frame)
  }

  #send(socket: Socket, frame: Buffer): void {
    this.framesSent++
    socket.frameBytesMax = Math.max(socket.frameBytesMax, frame.length)
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
      // What is shown after the close is shown now.
      if (known.view.hiding !== null) void this.#reread(pollId)
    }
  }

  #tellStatus(pollId: string): void {
    const { view, status } = this.#polls.get(pollId)!
    this.#broadcast(pollId, Buffer.from(statusFrame(view, { status, nowMs: Date.now(), isLate: this.#isLate })))
  }

  /** Thousands of pages that come for the results at once would be no better than a wave of reloads. */
  #revealFrame(view: PollView, nowMs: number): Buffer {
    const status = statusOf(view, nowMs)
    const revealMs = this.#sockets.size * revealMsPerSocket
    return Buffer.from(statusFrame(view, { status, nowMs, isLate: this.#isLate, revealMs }))
  }

  /** Looks at a poll again, without anything having been written: time alone has changed it. */
  async #reread(pollId: string): Promise<void> {
    try {
      const view = await this.#options.store.poll(pollId)
      if (view) this.publish({ views: [view], trends: [], found: [], revision: 0, isLate: this.#isLate })
    } catch (error) {
      this.#options.logger.warn({ event: 'reread.failed', error: String(error) }, 'a poll cannot be read now')
    }
  }

  /** To everybody who follows a poll and has had the first answer. */
  #broadcast(pollId: string, frame: Buffer, isForVoters = false): void {
    this.#eachSocket((socket) => {
      const subscription = socket.subscriptions.get(pollId)
      if (!subscription?.sent || (isForVoters && !subscription.isVoter)) return
      this.#send(socket, frame)
    })
  }

  /** A visible heartbeat for pages, which cannot see pings, and a ping that ends sockets nobody answers for. */
  #beat(): void {
    const nowMs = Date.now()
    const slot = this.#beats++ % beatSlots
    const frames = new Map<string, Buffer>()
    this.#eachSocket((socket) => {
      if (socket.beatSlot !== slot) return
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
      // A page that acknowledges and then no longer does stands still, though its socket takes what it gets.
      if (socket.missedAcks !== null && socket.missedAcks++ >= missedAcksMax) {
        return socket.webSocket.close(4408, 'too slow')
      }
      socket.isAlive = false
      socket.webSocket.ping()
      socket.unackedMs ||= nowMs
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
