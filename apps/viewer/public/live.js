// @ts-check
/**
 * The client of `tally.v1`: keeps one socket to the viewer, resumes after a break, and says what it is doing.
 *
 * @typedef {{ poll: string, res: () => string, since: () => number, onSnapshot: (frame: any) => void,
 *   onDelta: (frame: any) => void, onBuckets: (frame: any) => void, onStatus: (frame: any) => void,
 *   onState: (state: 'connecting' | 'live' | 'broken') => void }} LiveOptions
 * @param {LiveOptions} options
 */
export function connectLive(options) {
  /** @type {WebSocket | null} */
  let socket = null
  let attempt = 0
  let heartbeatMs = 10_000
  let lastFrameMs = 0
  /** @type {{ epoch: number, ver: number } | null} */
  let version = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry
  let isClosed = false

  function subscribe() {
    // The trend is asked for anew each time, so no token is sent: one snapshot says it all.
    socket?.send(
      JSON.stringify({ op: 'sub', poll: options.poll, trend: { res: options.res(), since: options.since() } }),
    )
  }

  function open() {
    if (isClosed) return
    options.onState('connecting')
    const url = new URL('/ws', location.href)
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const opened = new WebSocket(url, 'tally.v1')
    socket = opened
    opened.onopen = () => subscribe()
    opened.onmessage = ({ data }) => {
      lastFrameMs = Date.now()
      receive(JSON.parse(data))
    }
    opened.onclose = () => {
      if (socket !== opened) return
      socket = null
      wait()
    }
  }

  /** @param {number} [atLeastMs] */
  function wait(atLeastMs = 0) {
    if (isClosed) return
    options.onState('broken')
    // Full jitter, so that thousands of pages do not come back in step.
    const limitMs = Math.min(30_000, 500 * 2 ** attempt++)
    clearTimeout(retry)
    retry = setTimeout(open, atLeastMs + Math.random() * limitMs)
  }

  /** @param {any} frame */
  function receive(frame) {
    switch (frame.t) {
      case 'hello':
        heartbeatMs = frame.hb
        return
      case 'snap':
        version = { epoch: frame.epoch, ver: frame.ver }
        attempt = 0
        options.onState('live')
        options.onSnapshot(frame)
        return
      case 'd':
        if (!version || frame.epoch !== version.epoch || frame.from > version.ver) return subscribe()
        if (frame.ver <= version.ver) return
        version.ver = frame.ver
        options.onDelta(frame)
        return
      case 'b':
        options.onBuckets(frame)
        return
      case 'st':
        options.onStatus(frame)
        return
      case 'bye': {
        const old = socket
        socket = null
        old?.close()
        wait(frame.retry)
      }
    }
  }

  // A page cannot see pings: silence for two and a half heartbeats means that nobody is there.
  const watch = setInterval(() => {
    if (socket && Date.now() - lastFrameMs > 2.5 * heartbeatMs && socket.readyState === WebSocket.OPEN) {
      const old = socket
      socket = null
      old.close()
      wait()
    }
  }, 1000)

  let hiddenSince = 0
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      hiddenSince = Date.now()
    } else if (!socket || Date.now() - hiddenSince > 60_000) {
      clearTimeout(retry)
      attempt = 0
      if (socket) subscribe()
      else open()
    }
  })

  open()
  return {
    subscribe,
    close() {
      isClosed = true
      clearInterval(watch)
      clearTimeout(retry)
      socket?.close()
    },
  }
}
