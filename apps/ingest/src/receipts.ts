import type { Pool } from 'pg'

export interface ReceiptStatus {
  readonly status: 'recorded' | 'counted' | 'superseded' | 'rejected'
  readonly reason?: string
}

const legalReceipt = /^[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}$/

/** What is known of a receipt: the tally's word where there is one, else that the log has the ballot. */
export class Receipts {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** null: no ballot with this receipt is known to be in the log. */
  async find(receipt: string): Promise<ReceiptStatus | null> {
    if (!legalReceipt.test(receipt)) return null
    const { rows } = await this.#pool.query<{ status: ReceiptStatus['status']; reason: string | null }>({
      name: 'find-receipt',
      text: `SELECT status, reason FROM receipts WHERE receipt = $1
             UNION ALL SELECT 'recorded', NULL FROM claims WHERE receipt = $1 AND state = 'recorded' LIMIT 1`,
      values: [receipt],
    })
    const row = rows[0]
    if (!row) return null
    return row.reason === null ? { status: row.status } : { status: row.status, reason: row.reason }
  }
}
