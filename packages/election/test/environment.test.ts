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
  expect(read).toThrow(/PORT is "eighty", expected a number from 0 to 65535/)
  expect(read).toThrow(/TOKEN_FILE is "\/nowhere\/at\/all", which cannot be read/)
})

test('the table of variables says which are required and which may be given as a file', () => {
  expect(environmentTable(variables)).toContain(
    '| `DATABASE_URL` or `DATABASE_URL_FILE` | **required** | where PostgreSQL is |',
  )
})
