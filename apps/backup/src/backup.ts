import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readPublished } from '@voting/tally/published-results'
import type { Pool } from 'pg'
import type { Broker } from 'stream-core'
import { BackupError } from './backup-error.ts'
import { writeChecksums } from './checksums.ts'
import { exportDatabase } from './export-database.ts'
import { endOfLog, exportLog } from './export-log.ts'
import { formatName, formatVersion, type Manifest, manifestFile } from './manifest.ts'

export interface BackupOptions {
  readonly broker: Broker
  readonly pool: Pool
  readonly source: Manifest['source']
  /** Of the tally whose results are noted. */
  readonly applicationId: string
  /** The folder to make; it must not be there. */
  readonly out: string
  /** How long the tally may take to count what is in the log at the beginning. Default 30 s. */
  readonly patienceMs?: number
  readonly now?: () => Date
}

/**
 * Makes a backup of a whole election, also of one that is being voted in. The order is what makes log and database fit:
 *
 *   1. Note what is published, once the tally has counted what is in the log now. Each result says which ballots it counts.
 *   2. Note the end of the log: what comes later is not in this backup. All that step 1 has seen is before it.
 *   3. Only then begin to read the database, all of it as of one moment. So of every ballot before the end the database has
 *      the poll, the code and the claim, for these are written before the ballot is. It may also have claims, openings and
 *      closes that the log of the backup has not: the restore takes those back, by what is in the log.
 *   4. Write the log up to the noted end. It is the log's own past, and does not change any more.
 *   5. Write the manifest, then the checksums, then give the folder its name: one that has it is whole.
 *
 * The other order would not do: a poll or a code that was made between the database and the end of the log would have
 * ballots in the log and nothing else, and no key in the world brings them back (D120).
 */
export async function backup(options: BackupOptions): Promise<Manifest> {
  const { broker, pool, source, applicationId, out, patienceMs = 30_000, now = () => new Date() } = options
  if (existsSync(out)) throw new BackupError('exists', `${out} is there already: name a folder that is not`)
  const making = `${out}.unfinished`
  if (existsSync(making)) {
    throw new BackupError(
      'exists',
      `${making} is there: another backup is being made, or one was broken off; delete it`,
    )
  }
  for (const folder of [dirname(out), making]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const part of ['log', 'database']) mkdirSync(join(making, part), { mode: 0o700 })
  try {
    // 1.
    const published = await readPublished(broker, applicationId, patienceMs)
    // 2.
    const end = await endOfLog(broker)
    const createdAt = now().toISOString()
    // 3.
    const database = await exportDatabase(pool, making)
    // 4.
    const log = await exportLog(broker, end, making)
    // 5.
    const { documents = new Map(), ends = [], uncounted = 0 } = published ?? {}
    const results = { documents: [...documents.values()], ends, uncounted }
    const manifest = { format: formatName, version: formatVersion, createdAt, source, log, database, results } as const
    writeFileSync(join(making, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true })
    await writeChecksums(making, manifest)
    renameSync(making, out)
    return manifest
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    throw error
  }
}
