import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Where a command says what it has to say: results, and everything else. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** What a process that ran a command ends with. */
export const exitCode = {
  done: 0,
  failed: 1,
  /** Nothing was done, for the application runs. */
  refused: 2,
  /** `describe --lint` has found something. */
  findings: 3,
  /** The command cannot be understood. */
  usage: 64,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export interface Command {
  readonly help: string
  run(args: readonly string[], output: Output): Promise<ExitCode>
}

/** The words of the command are wrong: the message says which, and what they may be. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Nothing may be changed while the application runs. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

type Options = NonNullable<ParseArgsConfig['options']>

/** Arguments by the names of their options. Throws a UsageError that names what is unknown, missing or empty. */
export function readArguments<const O extends Options>(command: string, args: readonly string[], options: O) {
  const parsed = (() => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    } catch (error) {
      // Node's text goes on with advice about positional arguments.
      const [first] = (error as Error).message.split(/\. (?=To )/)
      throw new UsageError(`${first}; "stream-core ${command} --help" lists the options`)
    }
  })()
  for (const [name, value] of Object.entries(parsed.values)) {
    if (value === '') throw new UsageError(`--${name} is empty: give it a value, or leave it out`)
  }
  return parsed
}

export function required(name: string, value: string | undefined, what: string): string {
  if (value !== undefined) return value
  throw new UsageError(`--${name} is missing: ${what}`)
}

export function noPositionals(command: string, positionals: readonly string[]): void {
  const [first] = positionals
  if (first === undefined) return
  throw new UsageError(
    `${JSON.stringify(first)} is no option of "${command}": everything it takes is named, as --name value`,
  )
}

/** `a,b`: names with commas between. */
export function listOf(name: string, value: string | undefined): readonly string[] | null {
  if (value === undefined) return null
  const list = [...new Set(value.split(',').map((text) => text.trim()))]
  if (list.includes('')) throw new UsageError(`--${name} ${JSON.stringify(value)} has an empty name in it`)
  return list
}

export function wholeNumber(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value)
  throw new UsageError(`--${name} must be a whole number, 1 or more; got ${JSON.stringify(value)}`)
}
