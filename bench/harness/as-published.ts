import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { must } from './install.ts'

const root = join(import.meta.dirname, '..', '..')
const home = join(root, 'packages', 'stream-core')
const hooks = join(import.meta.dirname, 'published-imports.mjs')

/** Set for tests, which have no second to compile in, and for profiles. */
const isFromSource = process.env['BENCH_FROM_SOURCE'] === '1'

/** Compiles stream-core as it is published, if its sources are newer: who uses it does not strip types at each start. */
export function providePublished(): void {
  if (isFromSource) return
  const built = join(home, 'dist', 'package.json')
  const builtMs = existsSync(built) ? statSync(built).mtimeMs : 0
  const sources = readdirSync(join(home, 'src'), { recursive: true, encoding: 'utf8' })
  const read = [join(root, 'scripts', 'build-package.ts'), ...sources.map((name) => join(home, 'src', name))]
  if (read.every((path) => statSync(path).mtimeMs <= builtMs)) return
  process.stderr.write('compiling stream-core\n')
  must(process.execPath, join(root, 'scripts', 'build-package.ts'))
}

/** Arguments for Node to run a program of ours on what was compiled. */
export const asPublished = (program: string): readonly string[] =>
  isFromSource ? [program] : ['--import', hooks, program]
