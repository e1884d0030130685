import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Scenario } from '../runner/format.ts'
import { classPath, provideJavaModule } from './java-module.ts'

/** A scenario that may still be without its `expected`. */
export type Unrecorded = Omit<Scenario, 'expected'>

/** Java could not record a scenario: it names something that the format does not define, or the recorder has a bug. */
export class RecorderError extends Error {
  override readonly name: string = 'RecorderError'
}

/** It would take Java too long: joins of joins of everything with everything, or stores of a year in minutes. */
export class TooLargeError extends RecorderError {}

interface Waiting {
  readonly resolve: (line: string) => void
  readonly reject: (error: Error) => void
}

/**
 * Kafka Streams in one JVM that lives until `close`. Each scenario is one line to its standard input and one line back, in
 * order, so callers may ask for many at once.
 */
export class JavaRecorder {
  readonly #java: ChildProcessWithoutNullStreams
  readonly #stateDir: string
  readonly #waiting: Waiting[] = []
  readonly #exited: Promise<void>
  /** The end of what Java said; only of interest if it dies. */
  #complaints = ''

  /** `budgetMs`: how long one scenario may take. Default one minute. */
  constructor({ budgetMs = 60_000 }: { readonly budgetMs?: number } = {}) {
    provideJavaModule()
    this.#stateDir = mkdtempSync(join(tmpdir(), 'conformance-recorder-'))
    // The fast compiler only: scenarios are short, so what the slow one gains never pays.
    const limits = ['-Xmx1g', `-Dscenario.budget.ms=${budgetMs}`]
    const flags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...limits]
    this.#java = spawn('java', [...flags, '-cp', classPath, 'streamcore.oracle.Recorder', this.#stateDir])
    this.#java.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-4000)
    })
    // A JVM that died refuses what is written to it; `exit` says why.
    this.#java.stdin.on('error', () => undefined)
    createInterface({ input: this.#java.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(line))
    this.#exited = new Promise((resolve) => {
      this.#java.once('close', (code) => {
        rmSync(this.#stateDir, { recursive: true, force: true })
        const error = new Error(`The recorder ended with exit code ${code}:\n${this.#complaints}`)
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        resolve()
      })
    })
  }

  /** The scenario with what Java did as its `expected`, as a line of JSON. */
  async recordLine(scenario: Unrecorded): Promise<string> {
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#java.stdin.write(`${JSON.stringify(scenario)}\n`)
    })
    if (line.includes('Budget$ScenarioTooLarge')) throw new TooLargeError(`${scenario.id} is too large: ${line}`)
    if (line.includes('"recorderFailure"')) throw new RecorderError(`${scenario.id} cannot be recorded: ${line}`)
    return line
  }

  async record(scenario: Unrecorded): Promise<Scenario> {
    return JSON.parse(await this.recordLine(scenario)) as Scenario
  }

  async close(): Promise<void> {
    this.#java.stdin.end()
    await this.#exited
  }
}
