/**
 * Compares the library with Kafka Streams on scenarios that nobody has written:
 *
 *   npm run conformance:fuzz -- [--count <n>] [--seed <n>] [--batch <n>] [--first <number>] [--shrink <n>]
 *
 * Each scenario comes from the seed and its number, is recorded with Java and run on the library. One line for each that
 * differs; it goes to conformance/generator/out, and a minimal one with it for the first `--shrink` of each kind (default 2).
 * What takes Java too long is counted, and not compared, as is what lacks a serde that the recorder needs. Last line: how many passed and failed; exit code 1 if any did. Needs Java 17, and Maven on first use.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { forgetful, generate } from './generator/generate.ts'
import { shrink } from './generator/shrink.ts'
import { JavaRecorder, RecorderError, TooLargeError } from './recorder/java-recorder.ts'
import { readable } from './recorder/write-recorded.ts'
import type { Divergence } from './runner/compare.ts'
import { runScenario } from './runner/execute.ts'
import { FormatError, type Json, type Scenario } from './runner/format.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    batch: { type: 'string', default: '500' },
    first: { type: 'string', default: '0' },
    shrink: { type: 'string', default: '2' },
  },
})
const [count, seed, batchSize, first, shrinkMax] = [
  values.count,
  values.seed,
  values.batch,
  values.first,
  values.shrink,
].map(Number) as [number, number, number, number, number]
const out = join(import.meta.dirname, 'generator', 'out')

let [passed, failed, broken, tooLarge, unreadable] = [0, 0, 0, 0, 0]
const budgetMs = 5000
/** With what must stay the same when they shrink. */
const failures: (readonly [Scenario, kind: string])[] = []

try {
  await fuzz()
} catch (error) {
  process.stderr.write(`${(error as Error).stack}\n`)
  process.exitCode = 2
}

async function fuzz(): Promise<void> {
  mkdirSync(out, { recursive: true })
  const recorder = new JavaRecorder({ budgetMs })
  try {
    await fuzzWith(recorder)
    await shrinkFailures(recorder)
  } finally {
    await recorder.close()
  }
  if (tooLarge > 0) console.log(`${tooLarge} not compared: more than ${budgetMs / 1000} s of Java`)
  if (unreadable > 0) console.log(`${unreadable} without serdes not compared: the recorder cannot read what they wrote`)
  console.log(`${passed} passed, ${failed} failed${broken > 0 ? `, ${broken} without a verdict` : ''}`)
  process.exitCode = broken > 0 ? 2 : failed > 0 ? 1 : 0
}

async function fuzzWith(recorder: JavaRecorder): Promise<void> {
  let next = batch(recorder, first)
  for (let from = first; from < first + count; from += batchSize) {
    const recordings = await next
    // Java records the next batch while the library runs this one.
    if (from + batchSize < first + count) next = batch(recorder, from + batchSize)
    for (const recording of recordings) {
      if (recording instanceof TooLargeError) tooLarge++
      else if (recording instanceof Error && recording.message.includes(forgetful)) unreadable++
      else if (recording instanceof Error) reportBroken(recording.message)
      else check(recording)
      // The library runs synchronously: without a pause Java would wait for input.
      await new Promise((resolve) => setImmediate(resolve))
    }
    process.stderr.write(`${passed + failed + broken + tooLarge + unreadable} of ${count}\n`)
  }
}

function batch(recorder: JavaRecorder, from: number): Promise<(Scenario | Error)[]> {
  const length = Math.min(batchSize, first + count - from)
  return Promise.all(
    Array.from({ length }, async (_, i) => {
      try {
        return await recorder.record(generate(seed, from + i))
      } catch (error) {
        if (!(error instanceof RecorderError)) throw error
        return error
      }
    }),
  )
}

function reportBroken(what: string): void {
  broken++
  console.log(`ERROR ${what}`)
}

function check(scenario: Scenario): void {
  let divergence: Divergence | null
  try {
    divergence = runScenario(scenario).divergence
  } catch (error) {
    reportBroken(`${scenario.id}: ${error instanceof FormatError ? error.message : (error as Error).stack}`)
    write(scenario)
    return
  }
  if (divergence === null) {
    passed++
    return
  }
  failed++
  console.log(`FAIL ${scenario.id} ${text(divergence)}`)
  write(scenario)
  failures.push([scenario, kindOf(divergence)])
}

/** At the end, when Java has nothing else to record. */
async function shrinkFailures(recorder: JavaRecorder): Promise<void> {
  const shrunkOfKind = new Map<string, number>()
  for (const [scenario, kind] of failures) {
    const shrunk = shrunkOfKind.get(kind) ?? 0
    if (shrunk >= shrinkMax) continue
    shrunkOfKind.set(kind, shrunk + 1)
    const minimal = await shrink(scenario, recorder, (candidate) => {
      const found = runScenario(candidate).divergence
      return found !== null && kindOf(found) === kind
    })
    write({ ...minimal, id: `${scenario.id}-minimal` })
  }
}

function text({ place, expected, got }: Divergence): string {
  return `${place}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`
}

/** What must stay the same while a scenario shrinks, or it would turn into another failure. */
function kindOf({ place, expected, got }: Divergence): string {
  const part = /^[a-zA-Z]+/.exec(place)?.[0] ?? ''
  if (part === 'error') return `error ${errorKind(expected)} ${errorKind(got)}`
  return `${part} ${expected === null ? 'missing' : ''} ${got === null ? 'surplus' : ''}`
}

function errorKind(side: unknown): string {
  const error = side as { readonly class?: string; readonly rootCause?: string; readonly message?: string } | null
  // The beginning of the message, without the names in it.
  return `${error?.class} ${error?.rootCause} ${/^\w+(?: \w+){0,4}/.exec(error?.message ?? '')?.[0]}`
}

function write(scenario: Scenario): void {
  const json = readable(scenario as unknown as { [field: string]: Json })
  writeFileSync(join(out, `${scenario.id}.json`), json)
}
