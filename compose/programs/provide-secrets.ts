import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the secrets of the composed system where they are missing, each as a file:
 *
 *   postgres/password   the database's owner: for PostgreSQL only
 *   database/url        the same inside an address: for the apps
 *   organiser/token     what organisers' programs send: for ingest, and for who runs the system
 *   grafana/password    of Grafana's user `admin`
 *
 * What is there stays, so that starting again, or a newer version, finds what the volumes were made with.
 */
const { SECRETS_DIR: folder = '/secrets', POSTGRES_ADDRESS: address = 'postgres:5432' } = process.env

const password = provided('postgres/password', () => randomBytes(24).toString('base64url'))
provided('database/url', () => `postgresql://election:${password}@${address}/election`)
provided('organiser/token', () => randomBytes(24).toString('base64url'))
provided('grafana/password', () => randomBytes(18).toString('base64url'))

function provided(name: string, make: () => string): string {
  const path = join(folder, name)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  // Whole or not at all. Others read it as users of their own; who gets the volume is the protection.
  writeFileSync(`${path}.new`, make(), { mode: 0o444 })
  renameSync(`${path}.new`, path)
  process.stderr.write(`made the secret ${name}\n`)
  return readFileSync(path, 'utf8')
}
