import type { Logger } from 'stream-core'
import type { ControlEvent } from '@voting/election/events'
import type { BallotLog } from './ballot-log.ts'
import type { DuePoll, Poll, PollRepository } from './poll-repository.ts'

const schedulerMs = 500

/** The log did not take a control record, or did not say; the scheduler tries again. */
export class ControlNotRecordedError extends Error {
  override readonly name = 'ControlNotRecordedError'
  readonly pollId: string

  constructor(pollId: string, what: string) {
    super(`the log did not confirm ${what} of poll ${pollId}`)
    this.pollId = pollId
  }
}

/**
 * Opens and closes polls in the log: a control record in every partition of `ballots`, then the fact in PostgreSQL. The
 * records carry an event id, so any ingest process may repeat what another left half done; the tally takes the first.
 */
export class PollControl {
  readonly #polls: PollRepository
  readonly #log: BallotLog
  readonly #logger: Logger
  readonly #underWay = new Map<string, Promise<void>>()
  /** Polls that the scheduler is at. */
  readonly #lookedAfter = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(polls: PollRepository, log: BallotLog, logger: Logger) {
    this.#polls = polls
    this.#log = log
    this.#logger = logger
  }

  /** Makes sure that the log has the poll's opening. Rejects with ControlNotRecordedError if it will not take it. */
  async open(poll: Poll): Promise<void> {
    if (!poll.isOpened) await this.#once(`open ${poll.id}`, () => this.#open(poll))
  }

  /**
   * Closes a poll now. That it is to end is noted first: no ballot is admitted any more, and where the log does not answer
   * the scheduler goes on with it.
   */
  async close(poll: Poll, actorId: string | null): Promise<void> {
    if (poll.isClosed) return
    // Asked of the database, not of what is remembered here: somebody may have extended the poll in the meantime.
    const details = { planned: new Date(poll.closesAtMs).toISOString() }
    const isEarly = await this.#polls.endNow(poll.id, { kind: 'closed', actorId, details })
    await this.open(poll)
    await this.#once(`close ${poll.id}`, async () => {
      const at = Date.now()
      await this.#record({ type: 'close', poll: poll.id, eventId: `${poll.id}:close`, at })
      await this.#polls.setClosed(poll.id, isEarly ? at : null)
    })
  }

  /** Makes sure that the log has every extension of the poll. Rejects with ControlNotRecordedError if it will not take one. */
  async recordExtensions(poll: Poll): Promise<void> {
    if (poll.extensions === poll.extensionsRecorded) return
    await this.open(poll)
    await this.#once(`extend ${poll.id} ${poll.extensions}`, async () => {
      const { id, extensions, closesAtMs } = poll
      const eventId = `${id}:extend:${extensions}`
      const at = Date.now()
      await this.#record({ type: 'extend', poll: id, eventId, closesAt: closesAtMs, at })
      await this.#publish(poll, at)
      await this.#polls.setExtensionsRecorded(id, extensions)
    })
  }

  /**
   * Writes openings, extensions and closes when they are due. Each poll goes its own way: one whose records the log does
   * not take is tried again, and holds up no other.
   */
  startScheduler(): void {
    const next = (): void => {
      if (this.#isStopped) return
      this.#timer = setTimeout(() => {
        this.#startDue()
          .catch((error: unknown) => this.#warn('schedule.unknown', error, 'it is not known what is due'))
          .finally(next)
      }, schedulerMs)
    }
    next()
  }

  stopScheduler(): void {
    this.#isStopped = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** Begins with every poll that has something due and is not being looked after; waits for none. */
  async #startDue(): Promise<void> {
    for (const poll of await this.#polls.due()) {
      if (this.#isStopped || this.#lookedAfter.has(poll.id)) continue
      this.#lookedAfter.add(poll.id)
      void this.#runDue(poll)
        .catch((error: unknown) =>
          this.#warn('schedule.failed', error, 'a scheduled opening, extension or close must wait', poll.id),
        )
        .finally(() => this.#lookedAfter.delete(poll.id))
    }
  }

  async #runDue(poll: DuePoll): Promise<void> {
    await this.open(poll)
    const opened = { ...poll, isOpened: true }
    await this.recordExtensions(opened)
    if (poll.isCloseDue) await this.close(opened, null)
  }

  #warn(event: string, error: unknown, text: string, poll?: string): void {
    this.#logger.warn({ event, error: String(error), ...(poll !== undefined && { poll }) }, text)
  }

  async #open(poll: Poll): Promise<void> {
    // Frozen first: another process may have changed what this one remembers.
    const frozen = await this.#polls.freeze(poll.id)
    const { id, options, regions, revote, definitionHash, electorate, opensAtMs, closesAtMs } = frozen
    const { maxChoices, allowBlank } = frozen
    const rules = {
      options: options.map((option) => option.id),
      regions,
      revote,
      definitionHash,
      ...(electorate === null ? {} : { electorate }),
      ...(maxChoices === 1 ? {} : { maxChoices }),
      ...(allowBlank ? { allowBlank } : {}),
    }
    const at = Date.now()
    await this.#record({
      type: 'open',
      poll: id,
      eventId: `${id}:open`,
      rules,
      opensAt: opensAtMs,
      closesAt: closesAtMs,
      at,
    })
    await this.#publish(frozen, at)
    await this.#polls.setOpened(id)
  }

  /** The definition, for programs that want it without PostgreSQL. */
  async #publish(poll: Poll, at: number): Promise<void> {
    const { id, slug, title, options, regions, revote, electorate, definitionHash, opensAtMs, closesAtMs } = poll
    const { maxChoices, allowBlank, resultsVisible, eligibility } = poll
    const terms = { title, options, regions, revote, electorate, maxChoices, allowBlank, resultsVisible, eligibility }
    const published = await this.#log.publishPoll(id, { id, slug, ...terms, definitionHash, opensAtMs, closesAtMs }, at)
    if (published !== 'recorded') throw new ControlNotRecordedError(id, 'its definition')
  }

  async #record(event: ControlEvent): Promise<void> {
    const delivery = await this.#log.recordEverywhere(event.poll, event, event.at)
    if (delivery !== 'recorded') throw new ControlNotRecordedError(event.poll, `the record "${event.type}"`)
  }

  #once(name: string, work: () => Promise<void>): Promise<void> {
    let running = this.#underWay.get(name)
    if (!running) {
      running = work().finally(() => this.#underWay.delete(name))
      this.#underWay.set(name, running)
    }
    return running
  }
}
