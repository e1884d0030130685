const retryMsMax = 4000

/** Readers of a poll's results: each has a WebSocket (`tally.v1`) open, and opens it again, some time after it was closed. */
export class Readers {
  readonly #url: string
  readonly #poll: string
  readonly #count: number
  readonly #sockets = new Set<WebSocket>()
  #isStopping = false
  frames = 0
  reconnects = 0
  lastFrameMs = Date.now()

  constructor(viewerUrl: string, poll: string, count: number) {
    this.#url = `${viewerUrl.replace(/^http/, 'ws')}/ws`
    this.#poll = poll
    this.#count = count
  }

  /** They come within a few seconds, and not all at once. */
  start(): void {
    for (let i = 0; i < this.#count; i++) this.#openSoon()
  }

  stop(): void {
    this.#isStopping = true
    for (const socket of this.#sockets) socket.close()
  }

  /** In Prometheus' text format. */
  metrics(): string {
    return [
      '# TYPE load_readers gauge',
      `load_readers ${this.#sockets.size}`,
      '# TYPE load_frames_received_total counter',
      `load_frames_received_total ${this.frames}`,
      '# TYPE load_reconnects_total counter',
      `load_reconnects_total ${this.reconnects}`,
      '',
    ].join('\n')
  }

  #openSoon(): void {
    setTimeout(() => this.#open(), Math.random() * retryMsMax).unref()
  }

  #open(): void {
    if (this.#isStopping) return
    const socket = new WebSocket(this.#url, 'tally.v1')
    this.#sockets.add(socket)
    socket.addEventListener('open', () => socket.send(JSON.stringify({ op: 'sub', poll: this.#poll })))
    socket.addEventListener('message', () => {
      this.frames++
      this.lastFrameMs = Date.now()
    })
    socket.addEventListener('error', () => undefined) // a close follows
    socket.addEventListener('close', () => {
      this.#sockets.delete(socket)
      if (this.#isStopping) return
      this.reconnects++
      this.#openSoon()
    })
  }
}
