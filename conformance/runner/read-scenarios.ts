import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FormatError, isObject, type Scenario } from './format.ts'

/** The scenarios of a `.json`, `.jsonl` or `.jsonl.gz` file, or of a folder and its folders, in the order of names and lines. */
export function* readScenarios(path: string): Generator<Scenario> {
  if (statSync(path).isDirectory()) {
    const entries = readdirSync(path, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() || /\.(?:json|jsonl|jsonl\.gz)$/.test(entry.name),
    )
    for (const name of entries.map((entry) => entry.name).sort()) yield* readScenarios(join(path, name))
    return
  }
  if (!/\.(?:json|jsonl|jsonl\.gz)$/.test(path)) {
    throw new FormatError(`${path} is no .json, .jsonl or .jsonl.gz file`)
  }
  const bytes = readFileSync(path)
  const content = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  if (path.endsWith('.json')) {
    yield parse(content, path)
    return
  }
  for (const [i, line] of content.split('\n').entries()) if (line.trim() !== '') yield parse(line, `${path}:${i + 1}`)
}

function parse(json: string, where: string): Scenario {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    throw new FormatError(`${where} is no JSON: ${(error as Error).message}`)
  }
  if (!isObject(parsed)) throw new FormatError(`${where} is no object`)
  if (parsed['format'] !== 1)
    throw new FormatError(`${where} has the unknown format ${JSON.stringify(parsed['format'])}`)
  if (typeof parsed['id'] !== 'string') throw new FormatError(`${where} has no id`)
  for (const list of ['topology', 'input']) {
    const items = parsed[list]
    if (!Array.isArray(items) || !items.every(isObject)) throw new FormatError(`${where} has no list "${list}"`)
  }
  if (!isObject(parsed['expected'])) throw new FormatError(`${where} has no "expected": record it first`)
  return parsed as unknown as Scenario
}
