import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, openPool } from '../src/database.ts'
import { openTestDatabase, type TestDatabase } from './support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.drop())

test('several apps may migrate at once, and a second time', async () => {
  await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const pools = Array.from({ length: 5 }, () => openPool({ url: database.url, applicationName: 'migrate-test' }))
  await Promise.all(pools.map((pool) => migrate(pool)))
  await Promise.all(pools.map((pool) => pool.end()))
  const { rows } = await database.pool.query('SELECT number FROM migrations ORDER BY number')
  expect(rows.map((row) => row.number)).toEqual(rows.map((_, i) => i + 1))
})

test('a database of a newer version is refused', async () => {
  await database.pool.query("INSERT INTO migrations (number, name) VALUES (999, 'from the future')")
  await expect(migrate(database.pool)).rejects.toThrow('run the newer version')
  await database.pool.query('DELETE FROM migrations WHERE number = 999')
})
