import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apiReference } from './api-reference-text.ts'

test('docs/api.md says what the library exports', { timeout: 60_000 }, () => {
  expect(readFileSync(join(import.meta.dirname, '..', 'docs', 'api.md'), 'utf8')).toBe(apiReference())
})
