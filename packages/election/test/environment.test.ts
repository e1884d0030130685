import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentTable, readEnvironment } from '../src/environment.ts'

const variables = {
  DATABASE_URL: { kind: 'text', description: 'where PostgreSQL is', secret: true },
  PORT: { kind: 'number', fallback: '3000', description: 'port', min: 0, max: 65_535 },
  TOKEN: { kind: 'text', optional: true, secret: true, description: 'token' },
} as const

test('values are typed and defaults filled in', () => {
  expect(readEnvironment(variables, { DATABASE_URL: 'x', PORT: '8' })).toEqual({
    DATABASE_URL: 'x',
    PORT: 8,
    TOKEN: null,
  })
})

test('every mistake is named at once, with the way out, and no secret is printed', () => {
  const read = (): unknown => readEnvironment(variables, { PORT: 'eighty', TOKEN_FILE: '/nowhere/at/all' })
  expect(read).toThrow(/DATABASE_URL is required: where PostgreSQL is/)
  expect(read).toThrow(/PORT is "eighty", expected a whole number from 0 to 65535/)
  expect(read).toThrow(/TOKEN_FILE is "\/nowhere\/at\/all", which cannot be read/)
})

test.each(['30.5', '1e3', '0x10', '-1', '70000', ' ', 'NaN'])('the number %j is refused', (PORT) => {
  expect(() => readEnvironment(variables, { DATABASE_URL: 'x', PORT })).toThrow(/PORT is/)
})

test('an address that is none is refused, and a secret one is not printed', () => {
  const url = { kind: 'url', secret: true, description: 'somewhere' } as const
  expect(() => readEnvironment({ URL: url }, { URL: 'hunter2' })).toThrow('URL is (secret), expected an address')
  expect(readEnvironment({ URL: url }, { URL: 'postgresql://a:b@c:1/d' })).toEqual({ URL: 'postgresql://a:b@c:1/d' })
})

test('a secret may be in a file, which must not be empty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'environment-test-'))
  const path = join(folder, 'token')
  writeFileSync(path, 'the token\n')
  expect(readEnvironment(variables, { DATABASE_URL: 'x', TOKEN_FILE: path }).TOKEN).toBe('the token')
  writeFileSync(path, '\n')
  expect(() => readEnvironment(variables, { DATABASE_URL: 'x', TOKEN_FILE: path })).toThrow('which is empty')
  rmSync(folder, { recursive: true })
})

test('what production demands is optional elsewhere', () => {
  const token = { TOKEN: { kind: 'text', optional: true, requiredInProduction: true, description: 'token' } } as const
  expect(readEnvironment(token, {})).toEqual({ TOKEN: null })
  expect(() => readEnvironment(token, { NODE_ENV: 'production' })).toThrow(
    'TOKEN is required with NODE_ENV=production: token',
  )
})

test('the table of variables says which are required and which may be given as a file', () => {
  expect(environmentTable(variables)).toContain(
    '| `DATABASE_URL` or `DATABASE_URL_FILE` | **required** | where PostgreSQL is |',
  )
})
