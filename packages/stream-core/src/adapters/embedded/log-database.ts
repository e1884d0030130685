import Database from 'better-sqlite3'
import { BrokerError } from '../../common/errors.ts'

/**
 * The tables of the embedded log (docs/internals/embedded-log.md). A batch row holds a Kafka record batch as it is, with
 * its offsets patched in (D7). `open_transactions` exists so that what a killed process left open is aborted at the next
 * start; `aborted_transactions` is what a fetch response tells a read_committed reader.
 */
const schema = `
CREATE TABLE IF NOT EXISTS log_info (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topics (
  topic TEXT PRIMARY KEY, topic_id TEXT NOT NULL, configs TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  log_start_offset INTEGER NOT NULL, next_offset INTEGER NOT NULL, UNIQUE (topic, partition));
CREATE TABLE IF NOT EXISTS batches (
  partition_id INTEGER NOT NULL, base_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (partition_id, base_offset));
CREATE TABLE IF NOT EXISTS producers (
  transactional_id TEXT PRIMARY KEY, producer_id INTEGER NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_transactions (
  producer_id INTEGER NOT NULL, partition_id INTEGER NOT NULL, first_offset INTEGER NOT NULL,
  PRIMARY KEY (producer_id, partition_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aborted_transactions (
  partition_id INTEGER NOT NULL, last_offset INTEGER NOT NULL, producer_id INTEGER NOT NULL,
  first_offset INTEGER NOT NULL, PRIMARY KEY (partition_id, last_offset, producer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS group_offsets (
  group_id TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  metadata TEXT NOT NULL, PRIMARY KEY (group_id, topic, partition)) WITHOUT ROWID;
`

/**
 * Opens the file, takes it for this process alone and prepares the tables. `synchronous=FULL`: what was acknowledged is
 * on disk (D2). Throws `LOG_LOCKED` when another process holds the file.
 */
export function openLogDatabase(path: string): Database.Database {
  let database: Database.Database
  try {
    database = new Database(path, { timeout: 2000 })
  } catch (error) {
    throw new BrokerError('BROKER_UNAVAILABLE', `cannot open the log file ${path}: ${(error as Error).message}`, {
      retryable: false,
      cause: error,
    })
  }
  try {
    // EXCLUSIVE keeps the lock until the file is closed; the first write takes it.
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('wal_autocheckpoint = 4000')
    database.exec('BEGIN IMMEDIATE; COMMIT')
    database.exec(schema)
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) {
      throw new BrokerError(
        'LOG_LOCKED',
        `the log file ${path} is held by another process: end that process, or use another folder`,
        { retryable: false, cause: error },
      )
    }
    throw new BrokerError('CORRUPT_LOG', `the log file ${path} cannot be used: ${(error as Error).message}`, {
      retryable: false,
      cause: error,
    })
  }
  return database
}
