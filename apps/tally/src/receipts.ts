import type { ReceiptDocument } from '@voting/election/events'
import { receiptFor } from '@voting/election/receipt'
import type { Effect } from './effects.ts'

/** What an effect says about receipts: that of the ballot, and that of the one it replaces. */
export function receiptsOf(effect: Effect): readonly (readonly [receipt: string, ReceiptDocument])[] {
  if (effect.type !== 'ballot' || effect.ballotId === null) return []
  const { poll, ballotId, time: at } = effect
  const receipt = receiptFor(ballotId)
  switch (effect.class) {
    case 'duplicate':
      return []
    case 'accepted':
      return [[receipt, { poll, ballotId, status: 'counted', at }]]
    case 'rejected':
      return [[receipt, { poll, ballotId, status: 'rejected', reason: effect.reason, at }]]
    case 'changed':
      return [
        [receiptFor(effect.replaces), { poll, ballotId: effect.replaces, status: 'superseded', at }],
        [receipt, { poll, ballotId, status: 'counted', at }],
      ]
  }
}
