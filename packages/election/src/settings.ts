import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'

/**
 * A secret that is made once and kept in PostgreSQL, so that a developer need not invent one and several apps share it.
 * In production secrets are given, never made: pass `mayGenerate: false` there.
 */
export async function keptSecret(
  pool: Pool,
  name: string,
  options: { readonly mayGenerate: boolean },
): Promise<string> {
  if (options.mayGenerate) {
    await pool.query('INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
      name,
      randomBytes(32).toString('base64url'),
    ])
  }
  const { rows } = await pool.query<{ value: string }>('SELECT value FROM settings WHERE name = $1', [name])
  const value = rows[0]?.value
  if (value === undefined) throw new Error(`the secret "${name}" is not set: in production it has to be given`)
  return value
}
