import { boundedQuery } from '@voting/election/database'
import type { Logger } from 'stream-core'
import { Client } from 'pg'
import type { Changes, ResultStore } from './result-store.ts'

/** The channel on which the tally's sink says that something changed. */
export const changeChannel = 'results_changed'

export interface ChangeFeedOptions {
  readonly store: ResultStore
  readonly databaseUrl: string
  readonly logger: Logger
  /** Least time between two looks at the database, as it is now. */
  readonly tickMs: () => number
  readonly onChanges: (changes: Changes) => void
}

/** While nothing is said on the channel it looks at the database this often anyway: a notification may be lost. */
const idleLookMs = 1000
const connectMsMax = 5000
/** A database that has been silent for this long may have something newer than what is shown. */
const silentMsMax = 10_000

/**
 * Wakes up when PostgreSQL notifies and asks once what is new. The first change goes out at once, then there are `tickMs`
 * between two looks. A connection that breaks is made again; meanwhile it looks once a second.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions
  #client: Client | null = null
  #revision = 0
  #lastLookMs = 0
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()
  #isLooking = false
  #isStopped = false
  /** When the database last answered: readiness goes by it. */
  lastAnswerMs = 0

  constructor(options: ChangeFeedOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#revision = await this.#options.store.revision()
    this.lastAnswerMs = Date.now()
    await this.#listen()
    this.#schedule(idleLookMs)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#looking
    await this.#client?.end().catch(() => undefined) // it may be gone already, which is what is wanted
  }

  async #listen(): Promise<void> {
    if (this.#isStopped) return
    const client = new Client({
      connectionString: this.#options.databaseUrl,
      application_name: 'viewer-listen',
      // A database that hangs is one that is away: without it there is the idle look, and another try.
      connectionTimeoutMillis: connectMsMax,
      ...boundedQuery,
    })
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    client.on('notification', () => this.#look())
    try {
      await client.connect()
      await client.query(`LISTEN ${changeChannel}`)
      this.#client = client
      this.#look()
    } catch (error) {
      this.#options.logger.warn(
        { event: 'listen.failed', error: String(error) },
        'not listening to the database; trying again',
      )
      this.#lost(client)
    }
  }

  #lost(client: Client): void {
    client.removeAllListeners('end')
    void client.end().catch(() => undefined) // it may be gone already, which is what is wanted
    if (this.#client === client) this.#client = null
    if (this.#isStopped || this.#reconnecting) return
    this.#reconnecting = setTimeout(() => {
      this.#reconnecting = null
      void this.#listen()
    }, idleLookMs)
    this.#reconnecting.unref()
  }

  #reconnecting: NodeJS.Timeout | null = null

  /** Something may be new: look now, or when the tick allows it. */
  #look(): void {
    if (this.#isStopped) return
    if (this.#isLooking) {
      this.#isLookWanted = true
      return
    }
    const waitMs = this.#lastLookMs + this.#options.tickMs() - Date.now()
    if (waitMs > 0) this.#schedule(waitMs)
    else this.#looking = this.#ask()
  }

  #isLookWanted = false

  async #ask(): Promise<void> {
    this.#isLooking = true
    this.#isLookWanted = false
    this.#lastLookMs = Date.now()
    try {
      const changes = await this.#options.store.changesSince(this.#revision)
      this.lastAnswerMs = Date.now()
      this.#revision = changes.revision
      this.#tell(changes)
    } catch (error) {
      // Whoever cannot look does not know whether there is something newer.
      const isLate = Date.now() - this.lastAnswerMs > silentMsMax
      if (isLate) this.#tell({ views: [], trends: [], found: [], revision: this.#revision, isLate })
      this.#options.logger.warn({ event: 'look.failed', error: String(error) }, 'the database did not answer')
    } finally {
      this.#isLooking = false
      if (this.#isLookWanted) this.#look()
      else this.#schedule(idleLookMs)
    }
  }

  #isLate = false

  #tell(changes: Changes): void {
    const { views, trends, found, isLate } = changes
    if (views.length + trends.length + found.length === 0 && isLate === this.#isLate) return
    this.#isLate = isLate
    this.#options.onChanges(changes)
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#look()
    }, delayMs)
  }
}
