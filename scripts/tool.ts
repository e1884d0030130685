/** Runs a tool of the workspace by name: `node scripts/tool.ts oxfmt .` */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const [tool, ...toolArguments] = process.argv.slice(2)
if (tool === undefined) throw new Error('usage: node scripts/tool.ts <tool> [arguments…]')
const path = join(import.meta.dirname, '..', 'node_modules', '.bin', tool)
const done = spawnSync(path, toolArguments, { stdio: 'inherit', cwd: join(import.meta.dirname, '..') })
process.exitCode = done.status ?? 1
