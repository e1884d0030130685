import { type BallotEvent, type Choice, optionsOf } from '@voting/election/events'
import { receiptFor } from '@voting/election/receipt'
import type { Logger } from 'stream-core'
import type { BallotGate } from './ballot-gate.ts'
import type { BallotLog } from './ballot-log.ts'
import type { Claim, Claims } from './claims.ts'
import { ControlNotRecordedError, type PollControl } from './poll-control.ts'
import type { Poll, PollRepository } from './poll-repository.ts'
import { ballotIdOf, choiceMacOf, codeIdOf, codeIdOfBrowser, voterTagOf } from './voter-secrets.ts'

/** What a voter sends: one `option`, or `choices`, where an empty list is a blank ballot. */
export interface Submission {
  readonly code: string
  readonly option?: string
  readonly choices?: readonly string[]
  readonly nonce: string
}

export type Refusal =
  | 'malformed'
  | 'unknown-poll'
  | 'not-open'
  | 'closed'
  | 'bad-code'
  | 'unknown-option'
  | 'too-many-choices'
  | 'blank-not-allowed'
  | 'nonce-reused'
  | 'already-voted'
  | 'vote-pending'
  | 'overloaded'
  | 'not-recorded'
  | 'unconfirmed'
  | 'closed-unconfirmed'

export type Admission =
  | { readonly outcome: 'recorded'; readonly receipt: string; readonly recordedAt: Date; readonly isRepeat: boolean }
  | { readonly outcome: 'refused'; readonly reason: Refusal }

export interface AdmissionParts {
  readonly gate: BallotGate
  readonly polls: PollRepository
  readonly claims: Claims
  readonly log: BallotLog
  readonly control: PollControl
  readonly logger: Logger
}

const legalNonce = /^[A-Za-z0-9_-]{16,128}$/
const refused = (reason: Refusal): Admission => ({ outcome: 'refused', reason })

/**
 * How a ballot is admitted (design §6). The log decides what counts; PostgreSQL only admits, so every answer here says
 * what is known of the log and nothing more:
 *
 *   1. The form must be whole, the poll known, and open by the clock. After the close nothing is written any more, and the
 *      answer is what became of this very ballot before: recorded, unconfirmed while nobody knows, else closed.
 *   2. Claim the ballot in PostgreSQL, in one round trip that also looks the code up. A repeat of a recorded ballot is
 *      answered as the first time, also after the close; another choice under the same nonce is refused.
 *   3. Where only the first ballot counts: another ballot of this voter that is recorded means already-voted, one whose
 *      fate is open means vote-pending.
 *   4. Write to the log.
 *   5. It has it: recorded. It certainly has it not: the claim is released, not-recorded. Nobody knows: the claim stays
 *      pending, unconfirmed, and the same form may be sent again: the same ballot id counts once.
 *
 * `rollId` is the row of who is signed in to the poll; without it the code says who votes.
 *
 * Where more are under way than can be answered in time, nothing of this is begun: overloaded, at once.
 *
 * Where PostgreSQL does not answer, the ballot may be one that an earlier try has written: that, too, is unconfirmed.
 */
export async function admit(
  parts: AdmissionParts,
  pollName: string,
  submission: { readonly [Member in keyof Submission]?: unknown },
  rollId: string | null = null,
): Promise<Admission> {
  const { code, nonce } = submission
  const voter = rollId === null ? (typeof code === 'string' ? { code } : null) : { rollId }
  const choice = choiceOf(submission)
  if (voter === null || choice === null || typeof nonce !== 'string') return refused('malformed')
  if (!legalNonce.test(nonce)) return refused('malformed')
  const leave = parts.gate.enter()
  if (leave === null) return refused('overloaded')
  let admission = refused('unconfirmed')
  try {
    admission = await admitWhole(parts, pollName, { voter, choice, nonce })
  } catch (error) {
    parts.logger.error({ event: 'admission.failed', error: String(error) }, 'a ballot could not be looked up')
  } finally {
    leave(admission.outcome)
  }
  return admission
}

/** Longer than any list of options; a list in which one is twice is no choice either. */
const choicesMax = 100

function choiceOf({ option, choices }: { readonly option?: unknown; readonly choices?: unknown }): Choice | null {
  if (choices === undefined) return typeof option === 'string' ? option : null
  if (option !== undefined || !Array.isArray(choices) || choices.length > choicesMax) return null
  const isWhole = choices.every((choice) => typeof choice === 'string') && new Set(choices).size === choices.length
  return isWhole ? choices : null
}

/** Who votes: by a code, or by being signed in as a row of the poll's roll. */
export type Voter = { readonly code: string } | { readonly rollId: string }

/** A ballot whose form is whole. */
export interface Vote {
  readonly voter: Voter
  readonly choice: Choice
  readonly nonce: string
}

/** What is wrong with a choice in this poll; null when nothing is. */
export function choiceRefusal(poll: Poll, choice: Choice): Refusal | null {
  const chosen = optionsOf(choice)
  if (!chosen.every((option) => poll.options.some(({ id }) => id === option))) return 'unknown-option'
  if (chosen.length > poll.maxChoices) return 'too-many-choices'
  return chosen.length === 0 && !poll.allowBlank ? 'blank-not-allowed' : null
}

/** One form for choices that are the same: in the poll's order, and a single one as a text where the poll takes one. */
export function normalChoice(poll: Poll, choice: Choice): Choice {
  const chosen = optionsOf(choice)
  if (poll.maxChoices === 1 && chosen.length === 1) return chosen[0]!
  const known = poll.options.map(({ id }) => id).filter((id) => chosen.includes(id))
  return [...known, ...chosen.filter((option) => !known.includes(option))]
}

async function admitWhole(parts: AdmissionParts, pollName: string, vote: Vote): Promise<Admission> {
  // 1.
  const poll = await parts.polls.find(pollName)
  if (!poll) return refused('unknown-poll')
  const nowMs = Date.now()
  // A poll may be closed before its time to open has come.
  if (nowMs < poll.opensAtMs && !poll.isClosed) return refused('not-open')
  if (poll.isClosed || nowMs >= poll.closesAtMs) return fateAfterClose(parts, poll, vote)
  const wrong = choiceRefusal(poll, vote.choice)
  const choice = normalChoice(poll, vote.choice)

  // 2.
  const claim = claimOf(poll, vote.voter, choice, vote.nonce)
  const found = await parts.claims.claim(claim, wrong === null)
  const { same, other } = found
  if (same?.isRecorded && same.choiceMac === claim.choiceMac) return repeated(claim, same.recordedAt)
  if (!found.hasCode) return refused('bad-code')
  if (wrong !== null) return refused(wrong)
  if (same && same.choiceMac !== claim.choiceMac) return refused('nonce-reused')

  // 3.
  if (!same && other) return refused(other === 'recorded' ? 'already-voted' : 'vote-pending')

  // 4.
  const delivery = await writeBallot(parts, poll, claim, choice, found.region)

  // 5.
  if (delivery === 'recorded') {
    const recordedAt = new Date()
    // Waited for, so that a repeat that follows at once is known to be one. It is written in batches and never fails.
    await parts.claims.markRecorded(claim, recordedAt)
    return { outcome: 'recorded', receipt: claim.receipt, recordedAt, isRepeat: false }
  }
  // An earlier try of the same ballot may have reached the log, whatever became of this one.
  if (delivery === 'unknown' || !found.isClaimed) return refused('unconfirmed')
  await parts.claims.release(claim).catch((error: unknown) => {
    parts.logger.warn({ event: 'release.failed', error: String(error) }, 'a claim stays pending')
  })
  return refused('not-recorded')
}

/** What became of a ballot that comes after the close: it may be one that was sent before (D34). */
export async function fateAfterClose(parts: AdmissionParts, poll: Poll, vote: Vote): Promise<Admission> {
  const claim = claimOf(poll, vote.voter, normalChoice(poll, vote.choice), vote.nonce)
  const { same } = await parts.claims.claim(claim, false)
  if (same?.choiceMac !== claim.choiceMac) return refused('closed')
  return same.isRecorded ? repeated(claim, same.recordedAt) : refused('closed-unconfirmed')
}

const repeated = ({ receipt }: Claim, recordedAt: Date | null): Admission => ({
  outcome: 'recorded',
  receipt,
  recordedAt: recordedAt ?? new Date(),
  isRepeat: true,
})

/** What a browser or a program calls its voter in a poll for anyone with the link: long enough to be nobody else's. */
const legalBrowserSecret = /^[A-Za-z0-9_-]{16,128}$/

/** The voter's row of the roll, and whether anybody has one. */
export function rollRowOf(poll: Poll, voter: Voter): { readonly codeId: string; readonly isAnybody: boolean } {
  if ('rollId' in voter) return { codeId: voter.rollId, isAnybody: false }
  const { code } = voter
  const { kind } = poll.eligibility
  if (kind === 'codes') return { codeId: codeIdOf(poll.key, code), isAnybody: false }
  // Where voters sign in no code is anybody's: one may have been issued while the poll was still for code holders.
  return { codeId: codeIdOfBrowser(poll.key, code), isAnybody: kind === 'link' && legalBrowserSecret.test(code) }
}

function claimOf(poll: Poll, voter: Voter, choice: Choice, nonce: string): Claim {
  const { codeId, isAnybody } = rollRowOf(poll, voter)
  const ballotId = ballotIdOf(poll.key, codeId, nonce)
  return {
    pollId: poll.id,
    codeId,
    isAnybody,
    ballotId,
    tag: voterTagOf(poll.key, codeId),
    choiceMac: choiceMacOf(poll.key, ballotId, choice),
    receipt: receiptFor(ballotId),
    isExclusive: poll.revote === 'first',
  }
}

async function writeBallot(parts: AdmissionParts, poll: Poll, claim: Claim, choice: Choice, region: string | null) {
  try {
    // A ballot before its poll's opening in the log would be rejected there.
    await parts.control.open(poll)
  } catch (error) {
    if (error instanceof ControlNotRecordedError) return 'not-written'
    throw error
  }
  const at = Date.now()
  const chosen = typeof choice === 'string' ? { option: choice } : { choices: choice }
  const event: BallotEvent = { type: 'ballot', poll: poll.id, ballotId: claim.ballotId, ...chosen, region, at }
  return parts.log.record(`${poll.id}|${claim.tag}`, event, at)
}
