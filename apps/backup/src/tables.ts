import type { Pool, PoolClient } from 'pg'

/** Made anew from the log by whoever counts it: what is in a backup would only be older or newer than the log. */
const derived = ['results', 'trends', 'analytics', 'receipts', 'sink_positions', 'tally_pulse']
/** Who was signed in when is nobody's business later: signing out must not be undone by a restore. */
const passing = ['sessions', 'sign_in_attempts']
/** The schema's own; a restore makes the schema anew. */
const bookkeeping = ['migrations']

/** Tables whose rows a backup holds, in the order of their names. A table that is new in a later version is among them. */
export async function backedUpTables(database: Pool | PoolClient): Promise<readonly string[]> {
  const left = new Set([...derived, ...passing, ...bookkeeping])
  return (await allTables(database)).filter((table) => !left.has(table))
}

export async function allTables(database: Pool | PoolClient): Promise<readonly string[]> {
  const { rows } = await database.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** The last migration that the schema has; 0: there is no schema. */
export async function lastMigration(database: Pool | PoolClient): Promise<number> {
  if (!(await allTables(database)).includes('migrations')) return 0
  const { rows } = await database.query<{ number: number | null }>('SELECT max(number) AS number FROM migrations')
  return rows[0]!.number ?? 0
}
