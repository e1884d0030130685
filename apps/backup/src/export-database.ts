import { join } from 'node:path'
import pg, { type Pool, type PoolClient } from 'pg'
import { BackupError } from './backup-error.ts'
import type { Manifest, TableEntry } from './manifest.ts'
import { writeSegment } from './segment.ts'
import { backedUpTables, lastMigration } from './tables.ts'

const rowsPerFetch = 2000

/** Writes the rows of every table, all as they were at one moment, each into a file of the folder. */
export async function exportDatabase(pool: Pool, folder: string): Promise<Manifest['database']> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const migration = await lastMigration(client)
    if (migration === 0) {
      throw new BackupError(
        'nothing-there',
        'the database holds no election: has ingest ever run with this DATABASE_URL?',
      )
    }
    const tables: TableEntry[] = []
    for (const table of await backedUpTables(client)) {
      const file = `database/${table}.ndjson.gz`
      const rows = await writeSegment(join(folder, file), rowsOf(client, table))
      tables.push({ table, columns: await columnsOf(client, table), file, rows })
    }
    return { migration, tables }
  } finally {
    client.release(true) // ends the transaction, whatever has become of it
  }
}

async function columnsOf(client: PoolClient, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position`,
    [table],
  )
  return rows.map(({ name }) => name)
}

/** Rows as PostgreSQL writes them in JSON, so that no number or time loses a digit on its way through this process. */
async function* rowsOf(client: PoolClient, table: string): AsyncGenerator<readonly string[]> {
  await client.query(
    `DECLARE backup_rows NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text AS line FROM ${pg.escapeIdentifier(table)} t`,
  )
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`FETCH ${rowsPerFetch} FROM backup_rows`)
    if (rows.length === 0) break
    yield rows.map(({ line }) => line)
  }
  await client.query('CLOSE backup_rows')
}
