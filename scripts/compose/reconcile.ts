import { ask, type CastBallot, type Poll } from './electorate.ts'

interface Results {
  readonly voters: number
  readonly totals: { readonly [option: string]: number }
  readonly accounting: {
    readonly recorded: number
    readonly accepted: number
    readonly superseded: number
    readonly rejected: number
    readonly duplicates: number
  }
}

export interface Reconciliation {
  readonly acknowledged: number
  readonly countedOnce: number
  /** What does not agree, each as a sentence; empty when all does. */
  readonly differences: readonly string[]
  readonly repeats: number
}

const receiptsAtOnce = 16

/**
 * Compares what voters hold with what is counted. Each voter cast one ballot, and "first" admits one: so
 *
 *   - each receipt must say "counted",
 *   - the total of each option must be the number of acknowledged ballots for it, no more and no less,
 *   - and the accounting must explain every record of the log.
 */
export async function reconcile(
  urls: { readonly ingest: string; readonly viewer: string },
  poll: Poll,
  ballots: readonly CastBallot[],
): Promise<Reconciliation> {
  const differences: string[] = []
  const acknowledged = ballots.filter(({ receipt }) => receipt !== null)
  const { voters, totals, accounting } = await ask<Results>(`${urls.viewer}/api/polls/${poll.id}/results`)
  const expected = Object.fromEntries(
    poll.options.map((option) => [option, acknowledged.filter((ballot) => ballot.option === option).length]),
  )
  for (const option of poll.options) {
    if (totals[option] !== expected[option]) {
      differences.push(`option ${option} has ${totals[option]} votes, of ${expected[option]} acknowledged`)
    }
  }
  if (voters !== acknowledged.length) differences.push(`${voters} voters are counted, of ${acknowledged.length}`)
  const { recorded, accepted, superseded, rejected, duplicates } = accounting
  if (recorded !== accepted + superseded + rejected + duplicates) {
    differences.push(`the accounting does not add up: ${JSON.stringify(accounting)}`)
  }
  if (superseded + rejected > 0)
    differences.push(`${superseded} are superseded and ${rejected} rejected: none should be`)
  const receipts = new Set(acknowledged.map(({ receipt }) => receipt))
  if (receipts.size !== acknowledged.length)
    differences.push(`${acknowledged.length - receipts.size} receipts are not unique`)

  const uncounted = await uncountedReceipts(urls.ingest, acknowledged)
  return {
    acknowledged: acknowledged.length,
    countedOnce: acknowledged.length - uncounted.length,
    differences: [...differences, ...uncounted],
    repeats: duplicates,
  }
}

/** Looks up the receipts of acknowledged ballots. Resolves with a sentence about each that is not counted. */
export async function uncountedReceipts(ingest: string, ballots: readonly CastBallot[]): Promise<string[]> {
  const uncounted: string[] = []
  const waiting = [...ballots]
  const look = async (): Promise<void> => {
    for (let ballot = waiting.pop(); ballot; ballot = waiting.pop()) {
      const { status } = await ask<{ status: string }>(`${ingest}/api/receipts/${ballot.receipt}`)
      if (status !== 'counted') uncounted.push(`receipt ${ballot.receipt} is "${status}"`)
    }
  }
  await Promise.all(Array.from({ length: receiptsAtOnce }, look))
  return uncounted
}

/** The last line of the test. */
export const reconciliationLine = ({ acknowledged, countedOnce, repeats, differences }: Reconciliation): string =>
  differences.length === 0
    ? `reconciliation: ${acknowledged} ballots acknowledged, ${countedOnce} counted exactly once, 0 lost, 0 counted twice (${repeats} repeats in the log told apart)`
    : `reconciliation: FAILED, of ${acknowledged} ballots acknowledged ${countedOnce} are counted: ${differences.slice(0, 5).join('; ')}`
