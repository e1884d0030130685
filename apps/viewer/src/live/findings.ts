import type { Logger } from 'stream-core'
import { type Analytics, listsOf } from '../analytics.ts'
import type { PollView } from '../poll-view.ts'
import { unseal } from '../sealing.ts'
import type { ResultStore } from '../result-store.ts'
import { findingsFrame } from './protocol.ts'

export interface FindingsOptions {
  readonly store: ResultStore
  readonly logger: Logger
  /** Sends a frame to everybody who follows the poll, or only to those who have voted. */
  readonly broadcast: (pollId: string, frame: Buffer, isForVoters: boolean) => void
}

interface Entry {
  readonly epoch: number
  readonly frame: Promise<Buffer | null>
}

/** They are for reading: more often than this nobody is told. */
const everyMs = 2000

/** What was found out about polls that somebody follows: asked for once and again when it changed, sent to all. */
export class Findings {
  readonly #options: FindingsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Map<string, NodeJS.Timeout>()

  constructor(options: FindingsOptions) {
    this.#options = options
  }

  close(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer)
  }

  /** For somebody who begins to follow a poll; null where there is nothing to tell. */
  frameOf(view: PollView): Promise<Buffer | null> {
    const id = keyOf(view)
    const known = this.#entries.get(id)
    if (known?.epoch === view.epoch) return known.frame
    const frame = this.#ask(view)
    this.#entries.set(id, { epoch: view.epoch, frame })
    return frame
  }

  /** Something was found out about a poll. */
  changed(sealed: PollView): void {
    // Of what is hidden only voters are told.
    const [view, isForVoters] = [unseal(sealed), sealed.hiding !== null]
    const { id } = view.poll
    this.#entries.delete(keyOf(view))
    if (this.#waiting.has(id)) return
    const tell = async (): Promise<void> => {
      this.#waiting.delete(id)
      const frame = await this.frameOf(view)
      if (frame) this.#options.broadcast(id, frame, isForVoters)
    }
    this.#waiting.set(
      id,
      setTimeout(() => void tell(), everyMs),
    )
  }

  async #ask(view: PollView): Promise<Buffer | null> {
    const { store, logger } = this.#options
    try {
      const lists = listsOf(await store.analytics(view, ['lead', 'flows', 'burst']))
      return isEmpty(lists) ? null : Buffer.from(findingsFrame(view, lists))
    } catch (error) {
      logger.warn({ event: 'findings.failed', error: String(error) }, 'what was found out cannot be read now')
      this.#entries.delete(keyOf(view))
      return null
    }
  }
}

const keyOf = ({ poll, hiding }: PollView): string => (hiding === null ? poll.id : `${poll.id} sealed`)

const isEmpty = ({ leads, flows, bursts }: Omit<Analytics, 'minutes'>): boolean =>
  leads.length + flows.length + bursts.length === 0
