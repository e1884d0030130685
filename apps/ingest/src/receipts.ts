import type { ResultsVisible } from '@voting/election/poll-terms'
import type { Pool } from 'pg'

export interface ReceiptStatus {
  readonly status: 'recorded' | 'counted' | 'superseded' | 'rejected'
  readonly reason?: string
}

/** The poll of a ballot, as far as its receipt says it. */
export interface BallotOf {
  readonly slug: string
  readonly title: string
  readonly definitionHash: string
  readonly resultsVisible: ResultsVisible
}

export interface FoundReceipt extends ReceiptStatus {
  readonly ballotOf: BallotOf
}

const legalReceipt = /^[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}$/

/** What is known of a receipt: the tally's word where there is one, else that the log has the ballot. */
export class Receipts {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** null: no ballot with this receipt is known to be in the log. */
  async find(receipt: string): Promise<FoundReceipt | null> {
    if (!legalReceipt.test(receipt)) return null
    const { rows } = await this.#pool.query<{ status: ReceiptStatus['status']; reason: string | null } & BallotOf>({
      name: 'find-receipt',
      text: `SELECT status, reason, slug, title, definition_hash AS "definitionHash", results_visible AS "resultsVisible"
             FROM (SELECT 1 AS place, status, reason, poll_id FROM receipts WHERE receipt = $1
               UNION ALL SELECT 2, 'recorded', NULL, poll_id FROM claims WHERE receipt = $1 AND state = 'recorded') found
             JOIN polls ON polls.id = found.poll_id ORDER BY place LIMIT 1`,
      values: [receipt],
    })
    const row = rows[0]
    if (!row) return null
    const { status, reason, ...ballotOf } = row
    return reason === null ? { status, ballotOf } : { status, reason, ballotOf }
  }
}
