import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentHelp, environmentTable, readEnvironment } from '../src/environment.ts'

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

test.each([
  ['postgresUrl', ['mysql://x/y', 'hunter2', 'localhost:5432'], ['postgresql://a:b@c:1/d', 'postgres:///d?host=/run']],
  [
    'endpoint',
    ['machine', 'host:0', 'host:70000', 'http://host:1', 'a b:1'],
    ['tally-1:9101', '10.0.0.5:1', '[::1]:80'],
  ],
  ['httpUrl', ['javascript:alert(1)', 'ftp://x', 'city.example'], ['https://city.example/votes', 'http://127.0.0.1:1']],
  ['name', ['a b/c', 'ä', '..', 'x'.repeat(201)], ['tally', 'tally-2.b_C']],
  ['oneOf', ['loud', 'INFO'], ['quiet', 'info']],
] as const)('%s takes only what it can use, and a secret one is not printed', (kind, wrong, right) => {
  const value = { kind, values: ['quiet', 'info'], secret: true, description: 'x' } as const
  for (const text of wrong) {
    const read = (): unknown => readEnvironment({ VALUE: value }, { VALUE: text })
    expect(read).toThrow(/VALUE is \(secret\), expected (an address such as|a name of|one of quiet, info)/)
    expect(read).not.toThrow(text)
  }
  for (const text of right) expect(readEnvironment({ VALUE: value }, { VALUE: text })).toEqual({ VALUE: text })
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

test('the help text says the same without a table', () => {
  const text = environmentHelp(variables)
  expect(text).toContain('  DATABASE_URL, or DATABASE_URL_FILE (required)\n      where PostgreSQL is')
  expect(text).toContain('  PORT (default: 3000)\n      port')
  expect(text).not.toContain('|')
})
