import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FormatError } from '../runner/format.ts'
import type { Unrecorded } from './java-recorder.ts'

const kinds = /\.(?:json|jsonl|jsonl\.gz)$/

/** Scenarios of a file or folder, recorded before or not: an `expected` that they bring along is left out. */
export function* readUnrecorded(path: string): Generator<Unrecorded> {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)
      .filter((entry) => kinds.test(entry))
      .sort()) {
      yield* readUnrecorded(join(path, name))
    }
    return
  }
  if (!kinds.test(path)) throw new FormatError(`${path} is no .json, .jsonl or .jsonl.gz file`)
  const bytes = readFileSync(path)
  const content = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  for (const text of path.endsWith('.json') ? [content] : content.split('\n')) {
    if (text.trim() === '') continue
    const scenario = JSON.parse(text) as Unrecorded & { expected?: unknown }
    delete scenario.expected
    yield scenario
  }
}
