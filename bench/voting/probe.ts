import { randomBytes } from 'node:crypto'
import { quantiles, type Quantiles } from './latencies.ts'
import { RawHttp } from './raw-http.ts'
import { RawWebSocket } from './raw-websocket.ts'

export interface ProbeOptions {
  readonly ingestUrl: string
  readonly viewerUrl: string
  readonly poll: string
  readonly codes: readonly string[]
  /** Options that nobody else chooses: one vote for each is under way at a time. */
  readonly options: readonly string[]
}

export interface Seen {
  /** From the first byte of the POST to the frame of the WebSocket that has the vote. */
  readonly toScreenMs: Quantiles
  /** Votes that were acknowledged and seen in no frame within ten seconds. */
  readonly unseen: number
  readonly acknowledged: number
  /** Votes with another answer, or with none. */
  readonly uncertain: number
}

/** So long at most from one vote for an option to the next: at random, so as not to march in step with the viewer. */
const pauseMsMax = 200
const unseenMs = 10_000

/**
 * What a voter sees who watches the results: votes for an option of the probe's own and waits for the frame whose count of that
 * option has grown. Voter and viewer are one process, with one clock, and each vote is told apart, so that this is measured
 * and not estimated.
 */
export class Probe {
  readonly #options: ProbeOptions
  readonly #codes: string[]
  /** Of each option the newest count that was shown, and who waits for the next. */
  readonly #shown = new Map<string, { count: number; waiting: ((count: number) => void) | null }>()
  readonly #socket: RawWebSocket
  readonly #ready = Promise.withResolvers<void>()

  constructor(options: ProbeOptions) {
    this.#options = options
    this.#codes = [...options.codes]
    for (const option of options.options) this.#shown.set(option, { count: 0, waiting: null })
    this.#socket = new RawWebSocket({
      url: options.viewerUrl,
      onOpen: () => this.#socket.send(JSON.stringify({ op: 'sub', poll: options.poll })),
      onText: (payload) => this.#look(payload),
      onClose: () => this.#ready.reject(new Error('the WebSocket of the probe was closed')),
    })
    this.#ready.promise.catch(() => undefined) // told in watch(), which may come later
  }

  async watch(seconds: number): Promise<Seen> {
    await this.#ready.promise
    const endMs = performance.now() + seconds * 1000
    const times: number[] = []
    let [unseen, uncertain] = [0, 0]
    await Promise.all(
      this.#options.options.map(async (option) => {
        const connection = new RawHttp(this.#options.ingestUrl)
        while (performance.now() < endMs && this.#codes.length > 0) {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMsMax))
          const ms = await this.#voteFor(option, connection)
          if (ms === null) unseen++
          else if (ms < 0) uncertain++
          else times.push(ms)
        }
        connection.close()
      }),
    )
    return { toScreenMs: quantiles(times), unseen, acknowledged: times.length + unseen, uncertain }
  }

  close(): void {
    this.#socket.close()
  }

  /** Milliseconds; null: not seen in time; −1: not acknowledged. */
  async #voteFor(option: string, connection: RawHttp): Promise<number | null> {
    const shown = this.#shown.get(option)!
    const wanted = shown.count + 1
    const seen = new Promise<number>((resolve) => {
      shown.waiting = (count) => {
        if (count >= wanted) resolve(performance.now())
      }
    })
    const form = { code: this.#codes.pop()!, option, nonce: randomBytes(12).toString('base64url') }
    const sentMs = performance.now()
    const { status } = await connection
      .post(`/api/polls/${this.#options.poll}/ballots`, JSON.stringify(form))
      .catch(() => ({ status: 0 }))
    if (status !== 201) return -1
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), unseenMs)))
    const at = await Promise.race([seen, late])
    clearTimeout(timer)
    shown.waiting = null
    return at === null ? null : at - sentMs
  }

  #look(payload: Buffer): void {
    const frame = JSON.parse(payload.toString()) as { t: string; o?: [string, number][] }
    if (frame.t === 'snap') this.#ready.resolve()
    for (const [option, count] of frame.o ?? []) {
      const shown = this.#shown.get(option)
      if (!shown) continue
      shown.count = Math.max(shown.count, count)
      shown.waiting?.(count)
    }
  }
}
