import { randomBytes } from 'node:crypto'
import { definitionHash } from '@voting/election/definition-hash'
import { newPollId, newShortCode, newSlug, newVoterCode } from '@voting/election/identifiers'
import type { PollControl } from './poll-control.ts'
import type { PollInput } from './poll-input.ts'
import type { Poll, PollRepository } from './poll-repository.ts'
import type { VoterRoll } from './voter-roll.ts'
import { codeIdOf } from './voter-secrets.ts'

export const codesMax = 10_000

export type PollStateCode = 'frozen' | 'draft' | 'no-draft' | 'closed' | 'not-later' | 'region-in-use'

const stateTexts: { readonly [code in PollStateCode]: string } = {
  frozen: 'The poll is open: what voters decide on does not change any more. Clone it to ask anew.',
  draft: 'The poll is a draft. Publish it first.',
  'no-draft': 'The poll is no draft any more.',
  closed: 'The poll is closed.',
  'region-in-use': 'Voters are listed in a region that the poll would not have any more. Keep it.',
  'not-later': 'The new close must be later than the one that is set.',
}

/** The poll is in a state in which this cannot be done. */
export class PollStateError extends Error {
  override readonly name = 'PollStateError'
  readonly code: PollStateCode

  constructor(code: PollStateCode) {
    super(stateTexts[code])
    this.code = code
  }
}

/**
 * What organisers do; the API and the pages are two doors to it. A poll goes from draft, which may be left out, to
 * scheduled, open and closed, and never back; each step is noted with who took it.
 */
export class OrganiserDesk {
  readonly #polls: PollRepository
  readonly #control: PollControl
  readonly #roll: VoterRoll

  constructor(polls: PollRepository, control: PollControl, roll: VoterRoll) {
    this.#roll = roll
    this.#polls = polls
    this.#control = control
  }

  /** Creates a poll; one that is no draft and whose opening lies in the past is open in the log when this resolves. */
  async createPoll(input: PollInput, ownerId: string): Promise<Poll> {
    return this.#create(input, ownerId, null)
  }

  /**
   * Changes a poll that nobody can have voted in. Rejects with PollStateError once it is frozen, and where voters would be
   * left in a region that is none.
   */
  async changePoll(poll: Poll, input: PollInput, actorId: string): Promise<void> {
    const inUse = await this.#roll.regions(poll)
    if (!inUse.every((region) => input.regions.includes(region))) throw new PollStateError('region-in-use')
    const hash = definitionHash(input)
    const details = { definitionHash: hash }
    const isChanged = await this.#polls.change(
      poll.id,
      { ...input, definitionHash: hash },
      { kind: 'changed', actorId, details },
    )
    if (!isChanged) throw new PollStateError(poll.isClosed ? 'closed' : 'frozen')
  }

  /** Makes a draft a poll. One whose opening lies in the past opens now, for as long as it was to be open. */
  async publishPoll(poll: Poll, actorId: string): Promise<Poll> {
    const nowMs = Date.now()
    const published = await this.#polls.publish(poll.id, nowMs, actorId)
    if (!published) throw new PollStateError('no-draft')
    if (published.opensAtMs <= nowMs) await this.#control.open(published)
    return published
  }

  async discardDraft(poll: Poll): Promise<void> {
    if (!(await this.#polls.discard(poll.id))) throw new PollStateError('no-draft')
  }

  /** The next run of the same question: a draft, open for as long as this one was, for voters who are listed anew. */
  async clonePoll(poll: Poll, actorId: string): Promise<Poll> {
    if (poll.isDraft) throw new PollStateError('draft')
    const nowMs = Date.now()
    const openMs = Math.max(poll.closesAtMs - poll.opensAtMs, 3_600_000)
    const { title, options, regions, revote, electorate, maxChoices, allowBlank, resultsVisible, eligibility } = poll
    const terms = { title, options, regions, revote, electorate, maxChoices, allowBlank, resultsVisible, eligibility }
    return this.#create({ ...terms, opensAtMs: nowMs, closesAtMs: nowMs + openMs, isDraft: true }, actorId, poll.id)
  }

  /** Issues codes: shown this once, kept as HMACs. */
  async issueCodes(poll: Poll, count: number, region: string | null, actorId: string): Promise<readonly string[]> {
    const codes = Array.from({ length: count }, () => newVoterCode())
    await this.#polls.addCodes(
      poll.id,
      codes.map((code) => codeIdOf(poll.key, code)),
      region,
      { kind: 'codes-issued', actorId, details: { count, ...(region !== null && { region }) } },
    )
    return codes
  }

  /** Lists addresses, kept as HMACs; resolves with how many are new. */
  listAddresses(poll: Poll, addresses: readonly string[], region: string | null, actorId: string): Promise<number> {
    return this.#roll.listAddresses(poll, addresses, region, actorId)
  }

  /**
   * Moves the close to a later time. The reason is public. Rejects with PollStateError if the poll is not open or the time
   * is not later.
   */
  async extendPoll(poll: Poll, closesAtMs: number, reason: string, actorId: string): Promise<Poll> {
    if (poll.isDraft) throw new PollStateError('draft')
    const details = { from: new Date(poll.closesAtMs).toISOString(), to: new Date(closesAtMs).toISOString(), reason }
    const extended = await this.#polls.extend(poll.id, closesAtMs, { kind: 'extended', actorId, details })
    if (!extended) throw new PollStateError(poll.isClosed || poll.closesAtMs <= Date.now() ? 'closed' : 'not-later')
    await this.#control.recordExtensions(extended)
    return extended
  }

  async closePoll(poll: Poll, actorId: string): Promise<void> {
    if (poll.isDraft) throw new PollStateError('draft')
    await this.#control.close(poll, actorId)
  }

  async #create(input: PollInput, ownerId: string, cloneOf: string | null): Promise<Poll> {
    const { isDraft, ...terms } = input
    const poll = {
      ...terms,
      ownerId,
      isDraft,
      cloneOf,
      id: newPollId(),
      slug: newSlug(input.title),
      shortCode: newShortCode(),
      definitionHash: definitionHash(input),
      key: randomBytes(32),
    }
    const details = { definitionHash: poll.definitionHash }
    await this.#polls.insert(poll, [
      cloneOf === null
        ? { kind: 'created', actorId: ownerId, details }
        : { kind: 'cloned', actorId: ownerId, details: { ...details, of: cloneOf } },
      ...(isDraft ? [] : [{ kind: 'published' as const, actorId: ownerId, details }]),
    ])
    const created = (await this.#polls.findOwned(poll.id, ownerId))!
    if (!isDraft && poll.opensAtMs <= Date.now()) await this.#control.open(created)
    return created
  }
}
