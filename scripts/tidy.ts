/**
 * What reviewers should not have to say: layers point one way, files stay short, nothing is left over.
 * Prints each finding as `path:line: what`; exit code 1 if there is any.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const lineMax = 400

/** What a folder of stream-core/src may import (docs/decisions.md, design §3). Entry files may import anything. */
const mayImport: { readonly [layer: string]: readonly string[] } = {
  common: ['common/serdes'],
  'common/serdes': ['common'],
  broker: ['common'],
  state: ['common'],
  assignment: ['common'],
  queries: ['common', 'state'],
  processor: ['common', 'state'],
  topology: ['common', 'state', 'processor'],
  operators: ['common', 'state', 'processor'],
  'dsl/graph': ['common', 'topology'],
  dsl: ['common', 'state', 'processor', 'topology', 'operators', 'dsl/graph'],
  runtime: ['common', 'broker', 'state', 'processor', 'topology', 'assignment', 'queries'],
  'query-router': ['common', 'state', 'queries', 'runtime'],
  operations: ['common', 'broker', 'state', 'queries', 'query-router', 'runtime', 'topology'],
  'adapters/embedded': ['common', 'broker'],
  'adapters/kafka': ['common', 'broker'],
  threads: ['common', 'runtime'],
  cli: ['common', 'broker', 'topology', 'runtime', 'adapters/embedded', 'adapters/kafka'],
  testing: ['common', 'broker', 'state', 'processor', 'topology', 'operators', 'runtime', 'adapters/embedded'],
}

/** Packages that only these files may name, so that changing one touches one place. */
const mayName: { readonly [specifier: string]: readonly RegExp[] } = {
  'better-sqlite3': [/^packages\/stream-core\/src\/(state|adapters\/embedded|runtime\/state-directory)/],
  '@platformatic/kafka': [
    /^packages\/stream-core\/src\/adapters\/kafka\/wire\.ts$/,
    /^bench\/contestants\/node-loop\//,
  ],
  '@node-rs/crc32': [/^packages\/stream-core\/src\/common\/crc32c\.ts$/],
}

const leftovers = [/\bTODO\b/, /\bFIXME\b/, /\bXXX\b/, /\bHACK\b/, /\b(?:it|test|describe)\.only\(/, /\bdebugger\b/]
/** Time and chance come in through ports (D16). */
const impure = /\b(?:Date\.now|Math\.random|performance\.now)\(/
const mayBeImpure = /^packages\/stream-core\/src\/(?:common\/clock|adapters)/

const findings: string[] = []
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => /\.(?:ts|mjs|js)$/.test(path) && !path.endsWith('.d.ts'))

for (const path of files) {
  let text: string
  try {
    text = readFileSync(join(root, path), 'utf8')
  } catch {
    continue // deleted and not yet committed
  }
  const lines = text.split('\n')
  if (lines.length > lineMax + 1)
    findings.push(`${path}:1: ${lines.length - 1} lines, ${lineMax} are allowed: split it at a seam`)
  const layer = layerOf(path)
  for (const [i, line] of lines.entries()) {
    const where = `${path}:${i + 1}`
    if (path !== 'scripts/tidy.ts') {
      for (const pattern of leftovers) if (pattern.test(line)) findings.push(`${where}: left over: ${pattern.source}`)
    }
    if (layer !== null && impure.test(line) && !mayBeImpure.test(path)) {
      findings.push(`${where}: time and chance come in through the Clock port`)
    }
    const specifier =
      /^\s*(?:import|export)\b.*\bfrom '([^']+)'/.exec(line)?.[1] ?? /^\} from '([^']+)'/.exec(line)?.[1]
    if (specifier !== undefined) checkImport(path, where, layer, specifier)
  }
}

function layerOf(path: string): string | null {
  const inside = /^packages\/stream-core\/src\/(.+)\/[^/]+$/.exec(path)?.[1]
  return inside ?? null
}

function checkImport(path: string, where: string, layer: string | null, specifier: string): void {
  const allowed = mayName[specifier]
  if (allowed && !path.includes('/test/') && !allowed.some((pattern) => pattern.test(path))) {
    findings.push(`${where}: only ${allowed.map(String).join(', ')} may name ${specifier}`)
  }
  if (layer === null || !specifier.startsWith('.')) return
  const target = layerOf(join(path, '..', specifier).replaceAll('\\', '/'))
  if (target === null) {
    findings.push(`${where}: nothing may import an entry file`)
  } else if (target !== layer && !mayImport[layer]?.includes(target)) {
    findings.push(`${where}: layer "${layer}" may not import "${target}"`)
  }
}

for (const finding of findings) process.stdout.write(`${finding}\n`)
process.stdout.write(`tidy: ${files.length} files, ${findings.length} findings\n`)
process.exitCode = findings.length > 0 ? 1 : 0
