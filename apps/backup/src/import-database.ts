import { join } from 'node:path'
import pg, { type PoolClient } from 'pg'
import { BackupError } from './backup-error.ts'
import type { Manifest, TableEntry } from './manifest.ts'
import { readSegment } from './segment.ts'

const bytesPerInsert = 1 << 20

/**
 * Puts the rows of a backup into the empty tables of its own schema version, in the transaction of `client`. References
 * between rows are looked at when all are there.
 */
export async function importDatabase(client: PoolClient, { database }: Manifest, folder: string): Promise<void> {
  const references = await client.query<{ table: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`,
  )
  for (const { table, name } of references.rows) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`)
  // The schema brings this one row, which is in the backup, too.
  await client.query('DELETE FROM organisers')
  for (const table of database.tables) await importTable(client, table, folder)
  for (const { table, name, definition } of references.rows) {
    await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`)
  }
  await moveSequencesOn(client)
}

async function importTable(client: PoolClient, { table, columns, file, rows }: TableEntry, folder: string) {
  const [into, names] = [pg.escapeIdentifier(table), columns.map((name) => pg.escapeIdentifier(name)).join(', ')]
  const insert = async (lines: readonly string[]): Promise<void> => {
    await client.query(
      `INSERT INTO ${into} (${names}) OVERRIDING SYSTEM VALUE
       SELECT ${names} FROM jsonb_populate_recordset(NULL::${into}, $1::jsonb)`,
      [`[${lines.join(',')}]`],
    )
  }
  let waiting: string[] = []
  let bytes = 0
  let read = 0
  for await (const lines of readSegment(join(folder, file))) {
    for (const line of lines) {
      read++
      waiting.push(line)
      bytes += line.length
      if (bytes < bytesPerInsert) continue
      await insert(waiting)
      waiting = []
      bytes = 0
    }
  }
  if (waiting.length > 0) await insert(waiting)
  if (read !== rows) throw new BackupError('damaged', `${file} has ${read} rows, by the manifest ${rows}`)
}

/** Rows that brought their numbers did not take them from the sequences. */
async function moveSequencesOn(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(
    `SELECT * FROM (SELECT quote_ident(table_name) AS table, quote_ident(column_name) AS column,
         pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence
       FROM information_schema.columns WHERE table_schema = current_schema()) c WHERE sequence IS NOT NULL`,
  )
  for (const { table, column, sequence } of rows) {
    await client.query(`SELECT setval($1, (SELECT coalesce(max(${column}), 0) FROM ${table}) + 1, false)`, [sequence])
  }
}
