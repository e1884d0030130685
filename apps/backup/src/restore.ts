import type { ResultDocument } from '@voting/election/events'
import { migrate } from '@voting/election/database'
import { topics } from '@voting/election/topics'
import type { PublishedResults } from '@voting/tally/published-results'
import { recount, type RecountedPoll } from '@voting/tally/recount'
import type { Pool } from 'pg'
import type { Broker, Logger } from 'stream-core'
import { verifyBackup } from './checksums.ts'
import { refuseUnlessEmpty } from './empty-target.ts'
import { importDatabase } from './import-database.ts'
import { importLog } from './import-log.ts'
import { LoggedFacts } from './logged-facts.ts'
import type { Manifest } from './manifest.ts'
import { OffsetMap } from './offset-map.ts'
import { reconcile, type Reconciled } from './reconcile.ts'

export interface RestoreOptions {
  readonly broker: Broker
  readonly pool: Pool
  readonly logger: Logger
  /** The folder of the backup. */
  readonly from: string
  /** Of the tally that will count here. */
  readonly applicationId: string
  /** Where its state is to be, if nobody else will run it: then it has counted when the restore is done. */
  readonly stateDir: string | null
  readonly say?: (text: string) => void
}

export interface Restored {
  readonly manifest: Manifest
  readonly reconciled: Reconciled
  /** What was published when the backup was made, beside what the restored log counts up to. */
  readonly polls: readonly RecountedPoll[]
}

/**
 * Restores a backup into an empty system, and counts again:
 *
 *   1. Look at every file of the backup before anything is touched: its checksum, and that none is missing.
 *   2. Refuse a log or a database that is not empty.
 *   3. Make the schema of the backup's version. In one transaction of PostgreSQL: put the rows in, write the log, and make
 *      the database agree with what the log has (reconcile.ts). It commits when the log is written: a restore that is broken
 *      off leaves a database without rows, with which nobody can vote.
 *   4. Bring the schema up to this version.
 *   5. Count from the first record, up to where the results that were published then say they count, and compare.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { broker, pool, logger, from, applicationId, stateDir, say = () => undefined } = options
  // 1.
  say('looking at every file of the backup')
  const manifest = await verifyBackup(from)
  // 2.
  await refuseUnlessEmpty({ broker, pool, applicationId }, manifest)
  // 3.
  const ballotPartitions = manifest.log.find(({ topic }) => topic === topics.ballots)?.partitions.length ?? 0
  await migrate(pool, { logger, upTo: manifest.database.migration })
  const offsets = new OffsetMap(ballotPartitions, [
    Object.fromEntries(manifest.results.ends.entries()),
    ...manifest.results.documents.map(({ positions }) => positions ?? {}),
  ])
  const client = await pool.connect()
  let reconciled: Reconciled
  try {
    await client.query('BEGIN')
    say('putting the rows into the database')
    await importDatabase(client, manifest, from)
    say('writing the log')
    const facts = new LoggedFacts(client)
    await facts.open()
    await importLog(broker, manifest, from, async (topic, partition, record, offset) => {
      if (topic !== topics.ballots) return
      offsets.note(partition, record.offset, offset)
      await facts.note(partition, record)
    })
    await facts.close()
    reconciled = await reconcile(client, ballotPartitions)
    await client.query('COMMIT')
  } finally {
    client.release(true) // what is not committed is undone, and the temporary tables are gone
  }
  // 4.
  await migrate(pool, { logger })
  // 5.
  say('counting from the first record')
  const expected = expectedResults(manifest, offsets)
  const { polls } = await recount({ broker, logger, live: { applicationId, stateDir }, expected })
  const wasBehind = manifest.results.uncounted > 0
  // Where the tally was behind, a poll may have had ballots that were not in any result yet.
  return { manifest, reconciled, polls: wasBehind ? polls.filter(({ published }) => published !== null) : polls }
}

/** What was published then, with the offsets that its positions have here. */
function expectedResults({ results }: Manifest, offsets: OffsetMap): PublishedResults {
  const moved = (document: ResultDocument): ResultDocument =>
    document.positions === undefined
      ? document
      : {
          ...document,
          positions: Object.fromEntries(
            Object.entries(document.positions).map(([partition, at]) => [partition, offsets.of(Number(partition), at)]),
          ),
        }
  return {
    documents: new Map(results.documents.map((document) => [document.poll, moved(document)])),
    ends: results.ends.map((end, partition) => offsets.of(partition, end)),
    uncounted: 0,
  }
}
