import pg, { type Pool } from 'pg'
import { topicSpecs } from '@voting/election/topics'
import type { Broker } from 'stream-core'
import { BackupError } from './backup-error.ts'
import type { Manifest } from './manifest.ts'
import { allTables, lastMigration } from './tables.ts'

/** Rows that the schema itself brings. */
const broughtBySchema = new Set(['migrations', 'organisers'])

/**
 * Throws a BackupError that names the first thing that is in the way. What is restored must not be mixed with what is
 * there: topics that exist have to be empty and as wide as they were, the tally must never have counted in this log, and the
 * database may have the schema of the backup and no rows.
 */
export async function refuseUnlessEmpty(
  { broker, pool, applicationId }: { readonly broker: Broker; readonly pool: Pool; readonly applicationId: string },
  manifest: Manifest,
): Promise<void> {
  await refuseLogUnlessEmpty(broker, applicationId, manifest)
  const migration = await lastMigration(pool)
  if (migration > manifest.database.migration) {
    throw new BackupError(
      'not-empty',
      `the database has the schema of a newer version (migration ${migration}, the backup ${manifest.database.migration}): make an empty database`,
    )
  }
  for (const table of await allTables(pool)) {
    if (broughtBySchema.has(table)) continue
    const { rowCount } = await pool.query(`SELECT 1 FROM ${pg.escapeIdentifier(table)} LIMIT 1`)
    if (rowCount !== 0) {
      throw new BackupError('not-empty', `the database is not empty: ${table} has rows. Restore into an empty database`)
    }
  }
}

async function refuseLogUnlessEmpty({ admin }: Broker, applicationId: string, { log }: Manifest): Promise<void> {
  const width = log.find(({ topic }) => topic === 'ballots')?.partitions.length ?? 1
  const own = topicSpecs(width).map(({ topic }) => topic)
  const internal = (await admin.listTopics()).filter((topic) => topic.startsWith(`${applicationId}-`))
  const members = await admin.groupMembers(applicationId)
  if (members.length > 0) {
    throw new BackupError(
      'in-use',
      `the tally ${applicationId} runs here: stop all apps, and restore into an empty log`,
    )
  }
  if ((await admin.groupOffsets(applicationId)).some(({ offset }) => offset > 0)) {
    throw new BackupError(
      'not-empty',
      `the tally ${applicationId} has counted in this log: name another with APPLICATION_ID, or make it forget with: npm run stream-core -- reset --application-id ${applicationId}`,
    )
  }
  for (const { topic, partitionCount } of (await admin.describeTopics([...own, ...internal])).values()) {
    if (topic === 'ballots' && partitionCount !== width) {
      throw new BackupError(
        'not-empty',
        `the topic ${topic} has ${partitionCount} partitions here and ${width} in the backup: delete it, the restore makes it`,
      )
    }
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
    if ((await admin.listOffsets(partitions, 'latest')).some((end) => end > 0)) {
      throw new BackupError(
        'not-empty',
        `the log is not empty: the topic ${topic} has records. Restore into an empty log`,
      )
    }
  }
}
