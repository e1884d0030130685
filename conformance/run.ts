/**
 * Runs recorded scenarios on the library and compares with what Kafka Streams did:
 *
 *   npm run conformance -- [path…] [--only <id>]
 *
 * A path is a .json, .jsonl or .jsonl.gz file or a folder of those; default: conformance/scenarios. One line for each
 * scenario that differs, with the first difference; last line: how many passed and failed. Exit code 0: none failed; 1: some
 * did; 2: an input could not be read, or names something that the format does not define.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runScenario } from './runner/execute.ts'
import { FormatError } from './runner/format.ts'
import { readScenarios } from './runner/read-scenarios.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } })
const paths = positionals.length > 0 ? positionals : [join(import.meta.dirname, 'scenarios')]

let [passed, failed] = [0, 0]
let isUnreadable = false

const unreadable = (what: string, error: unknown): void => {
  isUnreadable = true
  console.log(`ERROR ${what}: ${(error as Error).message}`)
}

for (const path of paths) {
  try {
    runAll(path)
  } catch (error) {
    unreadable(path, error)
  }
}
if (values.only !== undefined && passed + failed === 0 && !isUnreadable) {
  unreadable(values.only, new FormatError('no scenario has this id'))
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = isUnreadable ? 2 : failed > 0 ? 1 : 0

function runAll(path: string): void {
  for (const scenario of readScenarios(path)) {
    if (values.only !== undefined && scenario.id !== values.only) continue
    try {
      const { divergence } = runScenario(scenario)
      if (divergence === null) passed++
      else {
        failed++
        const [expected, got] = [JSON.stringify(divergence.expected), JSON.stringify(divergence.got)]
        console.log(`FAIL ${scenario.id} ${divergence.place}: expected ${expected}, got ${got}`)
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      unreadable(scenario.id, error)
    }
  }
}
