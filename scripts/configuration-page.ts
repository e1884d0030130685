/** Writes docs/configuration.md from what the apps read: `node scripts/configuration-page.ts`; a test compares the two. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from './configuration-text.ts'

writeFileSync(join(import.meta.dirname, '..', 'docs', 'configuration.md'), configurationPage())
