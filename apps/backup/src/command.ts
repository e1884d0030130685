import { parseArgs } from 'node:util'
import { explain, say } from '@voting/election/app-process'

/** A mistake in the command line. */
export class UsageError extends Error {}

export interface CommandOptions {
  readonly dataDir: string | undefined
  readonly out: string | undefined
  readonly from: string | undefined
}

/** `--data-dir` and the options with these names. Throws a UsageError for what there is not, and for what is empty. */
export function readOptions(names: readonly ('out' | 'from')[]): CommandOptions {
  const known = ['data-dir', ...names]
  const options = Object.fromEntries(known.map((name) => [name, { type: 'string' }] as const))
  let values: Record<string, string | boolean | undefined>
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const empty = Object.entries(values).find(([, value]) => String(value).trim() === '')
  if (empty) throw new UsageError(`--${empty[0]} is empty, expected the path of a folder`)
  const text = (name: string): string | undefined => values[name] as string | undefined
  return { dataDir: text('data-dir'), out: text('out'), from: text('from') }
}

/** Runs a command to its end: the exit code is what it resolves with, 2 for a refusal or a failure, which is said. */
export async function runCommand(help: string, run: () => Promise<number>): Promise<never> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${help}\n`)
    process.exit(0)
  }
  try {
    process.exit(await run())
  } catch (error) {
    say(error instanceof UsageError ? `error: ${error.message}\n\n${help}` : `error: ${explain(error)}`)
    process.exit(2)
  }
}
