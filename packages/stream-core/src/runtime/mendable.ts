import { BrokerError, FencedError, MemberLostError } from '../common/errors.ts'

/** What dropping the transaction, or joining again, can mend. */
export function isMendable(error: unknown): boolean {
  if (error instanceof MemberLostError || error instanceof FencedError) return true
  if (!(error instanceof BrokerError)) return false
  // A position outside the log: where reading goes on is decided anew, or it is known by then that others have the task.
  const mended: readonly string[] = ['TRANSACTION_ABORTABLE', 'DELIVERY_UNCONFIRMED', 'OFFSET_OUT_OF_RANGE']
  return error.retryable || mended.includes(error.code)
}
