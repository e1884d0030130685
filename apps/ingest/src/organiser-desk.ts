import { randomBytes } from 'node:crypto'
import { definitionHash } from '@voting/election/definition-hash'
import { newPollId, newSlug, newVoterCode } from '@voting/election/identifiers'
import type { PollControl } from './poll-control.ts'
import type { PollInput } from './poll-input.ts'
import type { Poll, PollRepository } from './poll-repository.ts'
import type { VoterRoll } from './voter-roll.ts'
import { codeIdOf } from './voter-secrets.ts'

export const codesMax = 10_000

/** What organisers do; the API and the pages are two doors to it. */
export class OrganiserDesk {
  readonly #polls: PollRepository
  readonly #control: PollControl
  readonly #roll: VoterRoll

  constructor(polls: PollRepository, control: PollControl, roll: VoterRoll) {
    this.#roll = roll
    this.#polls = polls
    this.#control = control
  }

  /** Creates a poll; one whose opening lies in the past is open in the log when this resolves. */
  async createPoll(input: PollInput, ownerId: string): Promise<Poll> {
    const poll = {
      ...input,
      ownerId,
      isDraft: false,
      id: newPollId(),
      slug: newSlug(input.title),
      definitionHash: definitionHash(input),
      key: randomBytes(32),
    }
    await this.#polls.insert(poll)
    const created: Poll = { ...poll, isOpened: false, isClosed: false }
    if (poll.opensAtMs <= Date.now()) await this.#control.open(created)
    return created
  }

  /** Issues codes: shown this once, kept as HMACs. */
  async issueCodes(poll: Poll, count: number, region: string | null): Promise<readonly string[]> {
    const codes = Array.from({ length: count }, () => newVoterCode())
    await this.#polls.addCodes(
      poll.id,
      codes.map((code) => codeIdOf(poll.key, code)),
      region,
    )
    return codes
  }

  /** Lists addresses, kept as HMACs; resolves with how many are new. */
  listAddresses(poll: Poll, addresses: readonly string[], region: string | null): Promise<number> {
    return this.#roll.listAddresses(poll, addresses, region)
  }

  closePoll(poll: Poll): Promise<void> {
    return this.#control.close(poll)
  }
}
