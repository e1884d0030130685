import type { Choice, PollRules, RejectionReason } from '@voting/election/events'

/** Where in `ballots` an effect comes from. Not there in what an earlier version has left in the repartition topic. */
interface Origin {
  readonly partition?: number
  readonly offset?: number
}

/** One ballot has one effect, whatever it was: the only thing that crosses from voters' partitions to polls'. */
export type Effect = Origin & EffectOfRecord

type EffectOfRecord =
  | {
      readonly type: 'ballot'
      readonly poll: string
      readonly ballotId: string
      readonly class: 'accepted'
      readonly add: Choice
      readonly region: string | null
      readonly epoch: number
      readonly time: number
    }
  | {
      readonly type: 'ballot'
      readonly poll: string
      readonly ballotId: string
      /** The voter's earlier ballot is replaced: it becomes superseded. */
      readonly class: 'changed'
      readonly replaces: string
      readonly add: Choice
      readonly remove: Choice
      readonly region: string | null
      readonly removeRegion: string | null
      readonly epoch: number
      readonly time: number
    }
  | {
      readonly type: 'ballot'
      readonly poll: string
      readonly ballotId: string | null
      readonly class: 'rejected'
      readonly reason: RejectionReason
      readonly epoch: number
      readonly time: number
    }
  | {
      readonly type: 'ballot'
      readonly poll: string
      readonly ballotId: string
      readonly class: 'duplicate'
      readonly epoch: number
      readonly time: number
    }
  | {
      readonly type: 'open'
      readonly poll: string
      readonly rules: PollRules
      readonly partition: number
      readonly epoch: number
      readonly time: number
    }
  | {
      readonly type: 'close'
      readonly poll: string
      readonly partition: number
      readonly epoch: number
      readonly time: number
    }
