/**
 * Records what Kafka Streams does with scenarios:
 *
 *   npm run conformance:record -- <path…> --out <file or folder>
 *
 * A path is a .json, .jsonl or .jsonl.gz file or a folder of those; `expected` is added, or made anew. --out: a .jsonl or
 * .jsonl.gz file, or a folder for one readable file of each scenario. Needs Java 17, and Maven on first use. Exit code 1: some
 * scenarios cannot be recorded.
 */
import { parseArgs } from 'node:util'
import { JavaRecorder, RecorderError } from './recorder/java-recorder.ts'
import { readUnrecorded } from './recorder/read-unrecorded.ts'
import { writeRecorded } from './recorder/write-recorded.ts'

/** How many scenarios Java may be behind: enough to keep it busy, few enough to hold in memory. */
const inFlightMax = 64

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } })
if (values.out === undefined || positionals.length === 0) {
  process.stderr.write('usage: npm run conformance:record -- <path…> --out <file or folder>\n')
  process.exitCode = 2
} else {
  try {
    await recordAll(positionals, values.out)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 2
  }
}

async function recordAll(paths: readonly string[], out: string): Promise<void> {
  const recorder = new JavaRecorder()
  const writer = writeRecorded(out)
  let [recorded, failed] = [0, 0]
  const inFlight: { readonly id: string; readonly line: Promise<string> }[] = []
  const finishOldest = async (): Promise<void> => {
    const { id, line } = inFlight.shift()!
    try {
      writer.write(id, await line)
      recorded++
    } catch (error) {
      if (!(error instanceof RecorderError)) throw error
      process.stderr.write(`${error.message}\n`)
      failed++
    }
  }
  for (const path of paths) {
    for (const scenario of readUnrecorded(path)) {
      const line = recorder.recordLine(scenario)
      line.catch(() => undefined) // looked at when its turn comes
      inFlight.push({ id: scenario.id, line })
      if (inFlight.length >= inFlightMax) await finishOldest()
    }
  }
  while (inFlight.length > 0) await finishOldest()
  writer.close()
  await recorder.close()
  console.log(`${recorded} recorded, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}
