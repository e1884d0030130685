/** Writes docs/api.md from the library's declarations: `npm run api-reference`; a test compares the two. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiReference } from './api-reference-text.ts'

writeFileSync(join(import.meta.dirname, '..', 'docs', 'api.md'), apiReference())
