import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Json } from '../runner/format.ts'

export interface ScenarioWriter {
  write(id: string, line: string): void
  close(): void
}

/** Writes lines of JSON to a `.jsonl` or `.jsonl.gz` file; to a folder: one readable `.json` file for each scenario. */
export function writeRecorded(path: string): ScenarioWriter {
  if (!/\.jsonl(?:\.gz)?$/.test(path)) return writeFolder(path)
  const isCompressed = path.endsWith('.gz')
  const lines: string[] = []
  const file = isCompressed ? null : openSync(path, 'w')
  return {
    write(_id, line) {
      if (file === null) lines.push(line)
      else writeSync(file, `${line}\n`)
    },
    close() {
      if (file === null) writeFileSync(path, gzipSync(`${lines.join('\n')}\n`, { level: 9 }))
      else closeSync(file)
    },
  }
}

function writeFolder(path: string): ScenarioWriter {
  mkdirSync(path, { recursive: true })
  if (!statSync(path).isDirectory()) throw new Error(`${path} is no .jsonl or .jsonl.gz file, and no folder`)
  return {
    write: (id, line) =>
      writeFileSync(join(path, `${id}.json`), readable(JSON.parse(line) as { [field: string]: Json })),
    close: () => undefined,
  }
}

/** One line for each step, stimulus and record. */
export function readable(scenario: { readonly [field: string]: Json }): string {
  const fields = Object.entries(scenario).map(
    ([field, value]) => `  ${JSON.stringify(field)}: ${broken(value, '  ', field === 'expected' ? 3 : 1)}`,
  )
  return `{\n${fields.join(',\n')}\n}\n`
}

function broken(value: Json, indent: string, depth: number): string {
  if (depth === 0 || typeof value !== 'object' || value === null) return JSON.stringify(value)
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + JSON.stringify(item)).join(',\n')}\n${indent}]`
  }
  const fields = Object.entries(value).map(
    ([field, item]) => `${inner}${JSON.stringify(field)}: ${broken(item, inner, depth - 1)}`,
  )
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`
}
