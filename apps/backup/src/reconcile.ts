import type { PoolClient } from 'pg'

/** How many rows of the database said something that the log of the backup does not. */
export interface Reconciled {
  /** Claims of ballots that are not in the log: their voters may vote. */
  readonly claimsReleased: number
  /** Claims whose fate was open, and whose ballot is in the log. */
  readonly claimsRecorded: number
  /** Openings, extensions and closes that the log does not have in every partition: ingest writes them again. */
  readonly controlsUndone: number
}

/**
 * Makes the database say of the log what is in it. The database of a backup is as new as its log or newer (backup.ts), so
 * that there is something to take back and nothing to make up:
 *
 *   1. A claim whose ballot is not in the log would keep its voter from voting, for a ballot that nobody counts: released.
 *   2. A claim whose ballot is there is recorded, whatever ingest knew of it.
 *   3. A poll whose opening, extension or close is not in every partition has none: ingest's scheduler writes it again. It
 *      carries the same event id, so that partitions that have it take no notice.
 */
export async function reconcile(client: PoolClient, ballotPartitions: number): Promise<Reconciled> {
  const changed = async (sql: string, ...values: unknown[]): Promise<number> =>
    (await client.query(sql, values)).rowCount ?? 0
  // 1.
  const claimsReleased = await changed(
    'DELETE FROM claims c WHERE NOT EXISTS (SELECT 1 FROM logged_ballots WHERE poll = c.poll_id AND ballot = c.ballot_id)',
  )
  // 2.
  const claimsRecorded = await changed(
    `UPDATE claims SET state = 'recorded', recorded_at = coalesce(recorded_at, to_timestamp(first.at / 1000))
     FROM (SELECT poll, ballot, min(at) AS at FROM logged_ballots GROUP BY 1, 2) first
     WHERE state = 'pending' AND poll = poll_id AND ballot = ballot_id`,
  )
  // 3.
  const isThere = (event: string): string =>
    `EXISTS (SELECT 1 FROM logged_controls WHERE event = ${event} AND partitions >= $1)`
  const reopened = await changed(
    `WITH reopened AS (UPDATE polls SET opened_at = NULL WHERE opened_at IS NOT NULL AND NOT ${isThere("id || ':open'")} RETURNING id)
     DELETE FROM poll_events USING reopened WHERE poll_id = reopened.id AND kind = 'opened'`,
    ballotPartitions,
  )
  const closed = await changed(
    `UPDATE polls SET closed_at = NULL WHERE closed_at IS NOT NULL AND NOT ${isThere("id || ':close'")}`,
    ballotPartitions,
  )
  const extended = await changed(
    `UPDATE polls SET extensions_recorded = extensions - 1
     WHERE extensions_recorded > 0 AND extensions_recorded = extensions AND NOT ${isThere("id || ':extend:' || extensions")}`,
    ballotPartitions,
  )
  return { claimsReleased, claimsRecorded, controlsUndone: reopened + closed + extended }
}
