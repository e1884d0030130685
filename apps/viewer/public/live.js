// @ts-check
import { createPolling } from './polling.js'

const firstRetryMs = 2000
const retryMsMax = 30_000
/** A connection that has held this long is stable: the next break is retried quickly again. */
const stableMs = 30_000
const failedUpgradesMax = 3
/** Where WebSockets are blocked, they are tried this often all the same. */
const blockedRetryMs = 60_000
const hiddenMsMax = 60_000

/**
 * The client of `tally.v1` (voting-apps §5.5): keeps one socket to the viewer, resumes after a break with what it has,
 * looks by HTTP where WebSockets are blocked, sleeps while nobody looks, and says what it is doing.
 *
 * @typedef {{ poll: string, receipt?: string, res?: () => string, since: () => number, onFrame: (frame: any) => void,
 *   onState: (state: 'connecting' | 'live' | 'polling' | 'broken', attempt: number) => void }} LiveOptions
 * `res`: the windows of the trend that are wanted, none without. `onFrame`: what changes the page, in its order
 * @param {LiveOptions} options
 */
export function connectLive(options) {
  /** @type {WebSocket | null} */
  let socket = null
  let attempt = 0
  let failedUpgrades = 0
  let openedMs = 0
  let heartbeatMs = 10_000
  let lastFrameMs = 0
  /** What the page shows: the token to resume with. @type {{ epoch: number, ver: number } | null} */
  let version = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry
  let isAsleep = false

  /** @param {any} frame */
  function takeSnapshot(frame) {
    version = { epoch: frame.epoch, ver: frame.ver }
    options.onFrame(frame)
  }

  /** @type {'connecting' | 'live' | 'polling' | 'broken'} */
  let state = 'connecting'
  let breaks = 0
  /** @param {typeof state} now */
  function tell(now) {
    if (now === 'live') breaks = 0
    if (now === state && now !== 'broken') return
    if (now === 'broken') breaks++
    state = now
    options.onState(now, breaks)
  }

  const polling = createPolling({
    ...options,
    onSnapshot(frame) {
      tell('polling')
      takeSnapshot(frame)
    },
    onFailure: () => tell('broken'),
  })

  /** With a token one change is answered; anew, with a whole snapshot: another trend is wanted, or nothing fits. */
  function subscribe(isAnew = false) {
    if (isAnew) version = null
    const trend = options.res && { res: options.res(), since: options.since() }
    if (socket?.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ op: 'sub', poll: options.poll, ...version, trend, receipt: options.receipt }))
    } else polling.again()
  }

  function open() {
    clearTimeout(retry)
    if (isAsleep || socket) return
    if (!polling.isOn() && breaks === 0) tell('connecting')
    const url = new URL('/ws', location.href)
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const opened = new WebSocket(url, 'tally.v1')
    socket = opened
    opened.onopen = () => {
      openedMs = lastFrameMs = Date.now()
      failedUpgrades = 0
      polling.stop()
      subscribe()
      // What it has is shown already; the answer is only what has changed.
      if (version) tell('live')
    }
    opened.onmessage = ({ data }) => {
      lastFrameMs = Date.now()
      if (socket === opened) receive(JSON.parse(data))
    }
    opened.onclose = () => {
      if (socket === opened) lose()
    }
  }

  /** The socket is gone, or given up. @param {number} [atLeastMs] */
  function lose(atLeastMs = 0) {
    const old = socket
    socket = null
    old?.close()
    if (openedMs === 0) failedUpgrades++
    else if (Date.now() - openedMs > stableMs) attempt = 0
    openedMs = 0
    if (isAsleep) return
    if (failedUpgrades >= failedUpgradesMax) {
      polling.start()
      retry = setTimeout(open, blockedRetryMs)
      return
    }
    tell('broken')
    // Full jitter, so that thousands of pages do not come back in step.
    const limitMs = Math.min(retryMsMax, firstRetryMs * 2 ** attempt++)
    if (navigator.onLine) retry = setTimeout(open, atLeastMs + Math.random() * limitMs)
  }

  /** @param {any} frame */
  function receive(frame) {
    switch (frame.t) {
      case 'hello':
        heartbeatMs = frame.hb
        options.onFrame(frame)
        return
      case 'snap':
        tell('live')
        takeSnapshot(frame)
        return
      case 'd':
        if (!version) return // a snapshot is on its way
        if (frame.epoch !== version.epoch || frame.from > version.ver) return subscribe(true)
        if (frame.ver <= version.ver) return
        version.ver = frame.ver
        options.onFrame(frame)
        return
      case 'b':
      case 'a':
        if (frame.epoch === version?.epoch) options.onFrame(frame)
        return
      case 'st':
        options.onFrame(frame)
        return
      case 'h':
        socket?.send('{"op":"ack"}')
        options.onFrame(frame)
        if (version && frame.v?.[options.poll] > version.ver) subscribe()
        return
      case 'bye':
        lose(frame.retry)
    }
  }

  // A page cannot see pings: silence for two and a half heartbeats means that nobody is there.
  setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && Date.now() - lastFrameMs > 2.5 * heartbeatMs) lose()
  }, 1000)

  function sleep() {
    isAsleep = true
    clearTimeout(retry)
    polling.stop()
    if (socket) lose()
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let falling
  document.addEventListener('visibilitychange', () => {
    clearTimeout(falling)
    if (document.hidden) {
      falling = setTimeout(sleep, hiddenMsMax)
    } else {
      const jitterMs = isAsleep ? Math.random() * 1000 : 0
      isAsleep = false
      attempt = 0
      if (!socket) {
        clearTimeout(retry)
        retry = setTimeout(open, jitterMs)
      }
    }
  })
  addEventListener('online', open)

  open()
  return { subscribe }
}
