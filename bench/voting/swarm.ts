import { quantiles, type Quantiles } from './latencies.ts'
import { RawWebSocket } from './raw-websocket.ts'

export interface SwarmOptions {
  /** Where viewers are; each page comes to the next of them, as through a proxy. */
  readonly viewerUrls: readonly string[]
  readonly poll: string
  readonly count: number
  readonly localAddresses: readonly string[]
}

/** How things are now. */
export interface SwarmState {
  /** Pages that have been shown the poll. */
  readonly current: number
  readonly frames: number
  readonly bytes: number
  readonly closed: { readonly [code: string]: number }
  /** Of the pages that are there the least of their newest versions: all show it or something newer. */
  readonly oldestVersion: number | null
}

interface Page {
  socket: RawWebSocket | null
  isCurrent: boolean
  isStalled: boolean
  version: number
  tries: number
  beganMs: number
}

const firstRetryMs = 2000
const retryMsMax = 30_000
const snapshot = Buffer.from('"t":"snap"')
const versionMember = Buffer.from('"ver":')
const byeMember = Buffer.from('"t":"bye"')

/**
 * Pages that watch a poll, as raw sockets: they come, hear, and come again when they are cut off, after the times that
 * `live.js` waits. It counts frames and reads no more of them than the version.
 */
export class Swarm {
  readonly #options: SwarmOptions
  readonly #pages: Page[]
  readonly #urls: string[]
  #next = 0
  #isClosing = false
  #joinMs: number[] = []
  #current = 0
  #frames = 0
  #bytes = 0
  #closed: Record<string, number> = {}

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#urls = [...options.viewerUrls]
    this.#pages = Array.from({ length: options.count }, () => ({
      socket: null,
      isCurrent: false,
      isStalled: false,
      version: 0,
      tries: 0,
      beganMs: 0,
    }))
  }

  /** All come within so many seconds; resolves with how long each took from connecting to seeing the poll. */
  async join(seconds: number): Promise<Quantiles> {
    const startMs = performance.now()
    this.#joinMs = []
    for (const [i, page] of this.#pages.entries()) {
      const dueMs = startMs + (i / this.#pages.length) * seconds * 1000
      while (performance.now() < dueMs) await pause(5)
      this.#open(page)
    }
    await this.untilCurrent(60)
    return quantiles(this.#joinMs)
  }

  /** Resolves with the seconds it took until every page that does not stall has been shown the poll; null: not in time. */
  async untilCurrent(secondsMax: number): Promise<number | null> {
    const startMs = performance.now()
    for (;;) {
      if (this.#pages.every(({ isCurrent, isStalled }) => isCurrent || isStalled))
        return (performance.now() - startMs) / 1000
      if (performance.now() - startMs > secondsMax * 1000) return null
      await pause(20)
    }
  }

  /** This share of the pages reads no more. */
  stall(share: number): number {
    const stalled = this.#pages.slice(0, Math.round(share * this.#pages.length))
    for (const page of stalled) {
      page.isStalled = true
      page.socket?.stall()
    }
    return stalled.length
  }

  /** Pages come to these from now on: where a proxy would send them. */
  redirect(viewerUrls: readonly string[]): void {
    this.#urls.splice(0, this.#urls.length, ...viewerUrls)
  }

  state(): SwarmState {
    const versions = this.#pages.flatMap(({ isCurrent, isStalled, version }) =>
      isCurrent && !isStalled ? version : [],
    )
    return {
      current: this.#current,
      frames: this.#frames,
      bytes: this.#bytes,
      closed: this.#closed,
      oldestVersion: versions.length === 0 ? null : versions.reduce((least, version) => Math.min(least, version)),
    }
  }

  close(): void {
    this.#isClosing = true
    for (const { socket } of this.#pages) socket?.close()
  }

  #open(page: Page): void {
    if (this.#isClosing) return
    const turn = this.#next++
    const { localAddresses, poll } = this.#options
    page.beganMs = performance.now()
    let retryMs: number | null = null
    const socket = new RawWebSocket({
      url: this.#urls[turn % this.#urls.length]!,
      localAddress: localAddresses[turn % localAddresses.length]!,
      onOpen: () => socket.send(`{"op":"sub","poll":"${poll}"}`),
      onText: (payload) => {
        this.#hear(page, payload)
        if (payload.includes(byeMember)) retryMs = (JSON.parse(payload.toString()) as { retry: number }).retry
      },
      onClose: (code) => this.#left(page, code, retryMs),
    })
    page.socket = socket
  }

  #hear(page: Page, payload: Buffer): void {
    this.#frames++
    this.#bytes += payload.length
    const at = payload.indexOf(versionMember)
    if (at >= 0) page.version = Math.max(page.version, Number.parseInt(payload.toString('latin1', at + 6, at + 22), 10))
    if (page.isCurrent || !payload.includes(snapshot)) return
    page.isCurrent = true
    page.tries = 0
    this.#current++
    this.#joinMs.push(performance.now() - page.beganMs)
  }

  #left(page: Page, code: number, retryMs: number | null): void {
    if (page.isCurrent) this.#current--
    page.isCurrent = false
    page.socket = null
    if (this.#isClosing) return
    this.#closed[code] = (this.#closed[code] ?? 0) + 1
    if (page.isStalled) return
    const waitMs = retryMs ?? Math.random() * Math.min(retryMsMax, firstRetryMs * 2 ** page.tries++)
    setTimeout(() => this.#open(page), waitMs).unref()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
