import { boundedQuery } from '@voting/election/database'
import type { Pool } from 'pg'
import type { Logger } from 'stream-core'

export interface Claim {
  readonly pollId: string
  readonly codeId: string
  /** Needs no row in the roll: the poll is for anyone with the link. */
  readonly isAnybody: boolean
  readonly ballotId: string
  readonly tag: string
  readonly choiceMac: string
  readonly receipt: string
  readonly isExclusive: boolean
}

export interface ClaimOutcome {
  readonly hasCode: boolean
  readonly region: string | null
  /** An earlier claim of this very ballot. */
  readonly same: { readonly isRecorded: boolean; readonly choiceMac: string; readonly recordedAt: Date | null } | null
  /** Another ballot of this voter, where the poll counts the first only. */
  readonly other: 'pending' | 'recorded' | null
  /** This call made the claim. */
  readonly isClaimed: boolean
}

interface OutcomeRow {
  readonly has_code: boolean
  readonly region: string | null
  readonly same_state: string | null
  readonly same_mac: string | null
  readonly same_recorded_at: Date | null
  readonly other_state: 'pending' | 'recorded' | null
  readonly is_claimed: boolean
}

/** One round trip: look the code up, look for earlier claims, and claim if nothing stands against it. */
const claimSql = `
WITH code AS (SELECT region FROM codes WHERE poll_id = $1 AND code_id = $2 UNION ALL SELECT NULL WHERE $9),
  same AS (SELECT state, choice_mac, recorded_at FROM claims WHERE poll_id = $1 AND ballot_id = $3),
  other AS (SELECT state FROM claims WHERE poll_id = $1 AND tag = $4 AND exclusive AND $7 AND ballot_id <> $3),
  claimed AS (
    INSERT INTO claims (poll_id, ballot_id, tag, choice_mac, receipt, state, exclusive)
    SELECT $1, $3, $4, $5, $6, 'pending', $7 FROM code
    WHERE $8 AND NOT EXISTS (SELECT 1 FROM same) AND NOT EXISTS (SELECT 1 FROM other)
    ON CONFLICT DO NOTHING RETURNING 1)
SELECT EXISTS (SELECT 1 FROM code) AS has_code, (SELECT region FROM code) AS region,
  (SELECT state FROM same) AS same_state, (SELECT choice_mac FROM same) AS same_mac,
  (SELECT recorded_at FROM same) AS same_recorded_at, (SELECT state FROM other) AS other_state,
  EXISTS (SELECT 1 FROM claimed) AS is_claimed`

/** Claims keep a voter from voting twice while the log has not answered; the log's own order decides what counts. */
export class Claims {
  readonly #pool: Pool
  readonly #logger: Logger
  #recorded: { readonly claim: Claim; readonly at: Date; readonly done: () => void }[] = []
  #isWriting = false

  constructor(pool: Pool, logger: Logger) {
    this.#pool = pool
    this.#logger = logger
  }

  /** Looks, and claims if `mayClaim` and nothing stands against it. */
  async claim(claim: Claim, mayClaim: boolean): Promise<ClaimOutcome> {
    const values = [
      claim.pollId,
      claim.codeId,
      claim.ballotId,
      claim.tag,
      claim.choiceMac,
      claim.receipt,
      claim.isExclusive,
      mayClaim,
      claim.isAnybody,
    ]
    for (;;) {
      const { rows } = await this.#pool.query<OutcomeRow>({ name: 'claim', text: claimSql, values, ...boundedQuery })
      const row = rows[0]!
      const same =
        row.same_state === null
          ? null
          : { isRecorded: row.same_state === 'recorded', choiceMac: row.same_mac!, recordedAt: row.same_recorded_at }
      const outcome = {
        hasCode: row.has_code,
        region: row.region,
        same,
        other: row.other_state,
        isClaimed: row.is_claimed,
      }
      // Somebody else claimed between the look and the insert: look again, now it is there.
      if (outcome.isClaimed || same || outcome.other || !outcome.hasCode || !mayClaim) return outcome
    }
  }

  /** The log certainly does not have the ballot: the voter may begin anew. */
  async release({ pollId, ballotId }: Claim): Promise<void> {
    await this.#pool.query({
      name: 'release',
      text: "DELETE FROM claims WHERE poll_id = $1 AND ballot_id = $2 AND state = 'pending'",
      values: [pollId, ballotId],
      ...boundedQuery,
    })
  }

  /** The log has the ballot. What comes together is written together; resolves when it is written. */
  markRecorded(claim: Claim, at: Date): Promise<void> {
    return new Promise((resolve) => {
      this.#recorded.push({ claim, at, done: resolve })
      if (!this.#isWriting) void this.#writeRecorded()
    })
  }

  async #writeRecorded(): Promise<void> {
    this.#isWriting = true
    while (this.#recorded.length > 0) {
      const batch = this.#recorded
      this.#recorded = []
      const column = <T>(of: (claim: Claim) => T): T[] => batch.map(({ claim }) => of(claim))
      try {
        await this.#pool.query({
          name: 'mark-recorded',
          text: `INSERT INTO claims (poll_id, ballot_id, tag, choice_mac, receipt, exclusive, state, recorded_at)
            SELECT DISTINCT ON (poll, ballot) poll, ballot, tag, mac, receipt, exclusive, 'recorded', at
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::timestamptz[])
              AS recorded (poll, ballot, tag, mac, receipt, exclusive, at)
            ORDER BY poll, ballot, at
            ON CONFLICT (poll_id, ballot_id) DO UPDATE SET state = 'recorded',
              recorded_at = coalesce(claims.recorded_at, excluded.recorded_at)`,
          values: [
            column((claim) => claim.pollId),
            column((claim) => claim.ballotId),
            column((claim) => claim.tag),
            column((claim) => claim.choiceMac),
            column((claim) => claim.receipt),
            column((claim) => claim.isExclusive),
            batch.map(({ at }) => at),
          ],
          ...boundedQuery,
        })
      } catch (error) {
        // The log has the ballots all the same; the tally's receipts turn these claims into recorded ones.
        this.#logger.warn(
          { event: 'mark.failed', ballots: batch.length, error: String(error) },
          'recorded ballots are not marked yet',
        )
      }
      for (const { done } of batch) done()
    }
    this.#isWriting = false
  }
}
