import { monotonicMs } from '../common/clock.ts'
import { isEndpoint } from '../common/endpoint.ts'
import { askPeer } from '../query-router/ask-peer.ts'
import type { Streams } from '../runtime/streams.ts'
import { type InstanceReport, instanceReport, type Member } from './instance-report.ts'
import type { CheckedOptions } from './options.ts'
import { isInstanceReport } from './report-shape.ts'
import type { Sampler } from './sampler.ts'

/** An instance of the group, as the one that was asked knows it. */
export interface InstanceView {
  /** null: of this instance, which has not come so far. */
  readonly processId: string | null
  readonly endpoint: string | null
  readonly isLocal: boolean
  /** `silent`: the group has it, and it does not answer. `gone`: the group has it no more. */
  readonly status: 'answers' | 'silent' | 'gone'
  /** Why it is silent, and since when it was found so. */
  readonly reason: string | null
  readonly silentSinceMs: number | null
  /** When it answered last, by the clock of who asked; null: never. */
  readonly heardMs: number | null
  /** The last that it said: old, unless it answers. */
  readonly report: InstanceReport | null
}

interface Peer {
  endpoint: string | null
  report: InstanceReport | null
  heardMs: number | null
  silentSinceMs: number | null
  reason: string | null
}

const askedAtOnce = 8
const answerBytesMax = 16 * 1024 * 1024
/** Instances that left are told of for so long. */
const rememberedMs = 600_000
const rememberedMax = 100

/**
 * Knows the whole group: what this instance says of itself, and what the others say when they are asked, at the addresses that the
 * group knows them by. What was asked is good for a moment, however many want to know.
 */
export class GroupWatch {
  readonly #streams: Streams
  readonly #sampler: Sampler
  readonly #options: CheckedOptions
  readonly #peers = new Map<string, Peer>()
  #asked: { readonly atMs: number; readonly views: Promise<readonly InstanceView[]> } | null = null

  constructor(streams: Streams, sampler: Sampler, options: CheckedOptions) {
    this.#streams = streams
    this.#sampler = sampler
    this.#options = options
  }

  /** What this instance says of itself. Throws nothing: a program's facts that fail are told as such. */
  own(): InstanceReport {
    const { metricsSource: source, isPaused } = this.#streams
    return instanceReport({ source, sampler: this.#sampler, isPaused, facts: this.#facts() })
  }

  instances(): Promise<readonly InstanceView[]> {
    const nowMs = this.#nowMs()
    if (this.#asked === null || nowMs - this.#asked.atMs >= this.#options.freshMs || nowMs < this.#asked.atMs) {
      this.#asked = { atMs: nowMs, views: this.#ask() }
    }
    return this.#asked.views
  }

  /** Where a request for an instance goes; null: nobody knows. */
  addressOf({ processId, endpoint }: Pick<Member, 'processId' | 'endpoint'>): string | null {
    const address = this.#options.addressOf({ processId, endpoint, isLocal: false })
    return isEndpoint(address) ? address : null
  }

  #nowMs(): number {
    return monotonicMs(this.#streams.metricsSource.config.clock)
  }

  async #ask(): Promise<readonly InstanceView[]> {
    const own = this.own()
    const others = own.members.filter(({ processId }) => processId !== own.processId)
    const waiting = [...others]
    const askNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#askOne(next)
    }
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, others.length) }, askNext))
    const atMs = this.#streams.metricsSource.nowMs
    this.#forget(atMs, new Set(others.map(({ processId }) => processId)))
    const { endpoint } = this.#streams.metricsSource.config
    const here: InstanceView = {
      processId: own.processId,
      endpoint,
      isLocal: true,
      status: 'answers',
      reason: null,
      silentSinceMs: null,
      heardMs: own.atMs,
      report: own,
    }
    const present = new Set(others.map(({ processId }) => processId))
    const peers = [...this.#peers].map(([processId, peer]): InstanceView => {
      const status = !present.has(processId) ? 'gone' : peer.reason === null ? 'answers' : 'silent'
      return { processId, isLocal: false, status, ...peer }
    })
    return [here, ...peers].sort((a, b) => ((a.processId ?? '') < (b.processId ?? '') ? -1 : 1))
  }

  async #askOne(member: Member): Promise<void> {
    const { processId, endpoint } = member
    const peer = this.#peers.get(processId) ?? newPeer()
    this.#peers.set(processId, peer)
    peer.endpoint = endpoint
    const { path, timeoutMs, forward } = this.#options
    const address = this.addressOf(member)
    let reason: string | null = null
    if (address === null) {
      reason = 'it has no endpoint: give each instance one, where its operations page is'
    } else {
      try {
        const { status, body } = await askPeer(address, `${path}/instance.json`, timeoutMs, forward, answerBytesMax)
        if (status !== 200) reason = `${address} answers ${status}: is its operations page at ${path}?`
        else if (!isInstanceReport(body)) reason = `${address} answers something else: another version runs there`
        else if (body.processId !== processId) reason = `${address} is another instance: endpoints must differ`
        else peer.report = body
      } catch (error) {
        reason = `${address}: ${(error as Error).message.slice(0, 200)}`
      }
    }
    const { nowMs } = this.#streams.metricsSource
    peer.reason = reason
    if (reason === null) {
      peer.heardMs = nowMs
      peer.silentSinceMs = null
    } else {
      peer.silentSinceMs ??= nowMs
    }
  }

  #forget(nowMs: number, present: ReadonlySet<string>): void {
    for (const [processId, { heardMs }] of this.#peers) {
      if (present.has(processId)) continue
      const isOld = heardMs === null || nowMs - heardMs > rememberedMs
      if (isOld || this.#peers.size > rememberedMax) this.#peers.delete(processId)
    }
  }

  #facts(): InstanceReport['facts'] {
    try {
      return Object.entries(this.#options.facts()).map(([name, value]) => ({
        name: name.slice(0, 100),
        value: String(value).slice(0, 1000),
      }))
    } catch (error) {
      return [{ name: 'facts', value: `cannot be read: ${String(error).slice(0, 200)}` }]
    }
  }
}

const newPeer = (): Peer => ({ endpoint: null, report: null, heardMs: null, silentSinceMs: null, reason: null })
