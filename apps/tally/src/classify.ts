import {
  type BallotEvent,
  type Choice,
  type ControlEvent,
  type LogEvent,
  optionsOf,
  type PollRules,
  type RejectionReason,
} from '@voting/election/events'
import type { KeyValueStore, Processor, ProcessorContext } from 'stream-core'
import type { Effect } from './effects.ts'
import { type MalformedEvent, textLengthMax } from './log-event-serde.ts'

export const pollsStore = 'polls'
export const votersStore = 'voters'
export const seenStore = 'seen'
export const classifyStores = [pollsStore, votersStore, seenStore] as const

/** What this partition of the log has said of a poll so far. */
export interface PollState {
  readonly rules: PollRules
  readonly isClosed: boolean
  /** When counting began here: part of every result's identity. */
  readonly epoch: number
}

/** What the log holds of one voter in one poll: of bounded size, however many ballots the voter casts (D30). */
export interface VoterState {
  /** The ballot that counts now; null when none of them did. */
  readonly current: { readonly ballotId: string; readonly option: Choice; readonly region: string | null } | null
  /** Ballot ids as versions before D30 kept them; they move to their own store when the voter is next heard of. */
  readonly seen?: readonly string[]
}

/**
 * Decides what becomes of each ballot, by what precedes it in its own partition and nothing else: replaying the log gives
 * the same result. One ballot, one effect:
 *
 *   1. a value that is no ballot                            → rejected, malformed
 *   2. a ballot id seen before                              → duplicate
 *   3. a poll that was not opened here, or is closed        → rejected, unknown-poll or closed
 *   4. an option the poll does not have                     → rejected, unknown-option
 *      more options than the poll allows, or none           → rejected, too-many-choices or blank-not-allowed
 *   5. a voter without a counting ballot                    → accepted
 *   6. a voter with one: the poll counts the first or last  → rejected, already-voted, or changed
 */
export function classify(): Processor<string, LogEvent | MalformedEvent, string, Effect> {
  let context: ProcessorContext<string, Effect>
  let polls: KeyValueStore<string, PollState>
  let voters: KeyValueStore<string, VoterState>
  /** Every ballot id seen, key `poll|tag|ballotId`, also of ballots that did not count. */
  let seen: KeyValueStore<string, boolean>

  const voterOf = (voterKey: string): VoterState => {
    const voter = voters.get(voterKey) ?? { current: null }
    if (voter.seen === undefined) return voter
    for (const ballotId of voter.seen) seen.put(`${voterKey}|${ballotId}`, true)
    const { current } = voter
    voters.put(voterKey, { current })
    return { current }
  }

  const control = (event: ControlEvent): Effect | null => {
    const { partition } = context.recordMetadata()!
    const poll = polls.get(event.poll)
    if (event.type === 'open') {
      // A repeated event, for control records are at least once: it says nothing new.
      if (poll !== null) return null
      const epoch = context.currentSystemTimeMs()
      polls.put(event.poll, { rules: event.rules, isClosed: false, epoch })
      return { type: 'open', poll: event.poll, rules: event.rules, partition, epoch, time: event.at }
    }
    if (event.type === 'extend' || poll === null || poll.isClosed) return null
    polls.put(event.poll, { ...poll, isClosed: true })
    return { type: 'close', poll: event.poll, partition, epoch: poll.epoch, time: event.at }
  }

  const ballot = (event: BallotEvent, voterKey: string): Effect => {
    const { poll: pollId, ballotId, region, at: time } = event
    const choice = event.choices ?? event.option!
    const poll = polls.get(pollId)
    const voter = voterOf(voterKey)
    const base = { type: 'ballot', poll: pollId, ballotId, epoch: poll?.epoch ?? 0, time } as const
    const ballotKey = `${voterKey}|${ballotId}`
    if (seen.get(ballotKey) !== null) return { ...base, class: 'duplicate' }
    seen.put(ballotKey, true)
    const reason = refusal(poll, voter, choice)
    if (reason !== null) return { ...base, class: 'rejected', reason }
    voters.put(voterKey, { current: { ballotId, option: choice, region } })
    if (voter.current === null) return { ...base, class: 'accepted', add: choice, region }
    const { ballotId: replaces, option: remove, region: removeRegion } = voter.current
    return { ...base, class: 'changed', replaces, add: choice, remove, region, removeRegion }
  }

  return {
    init(given) {
      context = given
      polls = context.getStateStore(pollsStore)
      voters = context.getStateStore(votersStore)
      seen = context.getStateStore(seenStore)
    },
    process({ key, value, timestampMs, headers }) {
      let effect: Effect | null
      if (value === null || value.type === 'malformed' || key === null || key.length > textLengthMax) {
        const poll = key?.split('|', 1)[0]!.slice(0, textLengthMax) ?? ''
        context.drop('malformed')
        effect = {
          type: 'ballot',
          poll,
          ballotId: null,
          class: 'rejected',
          reason: 'malformed',
          epoch: polls.get(poll)?.epoch ?? 0,
          time: timestampMs,
        }
      } else if (value.type === 'ballot') {
        effect = ballot(value, key)
      } else {
        effect = control(value)
      }
      if (effect === null) return
      const { partition, offset } = context.recordMetadata()!
      context.forward({ key: effect.poll, value: { ...effect, partition, offset }, timestampMs, headers })
    },
  }
}

function refusal(poll: PollState | null, voter: VoterState, choice: Choice): RejectionReason | null {
  if (poll === null) return 'unknown-poll'
  if (poll.isClosed) return 'closed'
  const { options, maxChoices = 1, allowBlank = false } = poll.rules
  const chosen = optionsOf(choice)
  if (!chosen.every((option) => options.includes(option))) return 'unknown-option'
  if (chosen.length > maxChoices) return 'too-many-choices'
  if (chosen.length === 0 && !allowBlank) return 'blank-not-allowed'
  return voter.current !== null && poll.rules.revote === 'first' ? 'already-voted' : null
}
