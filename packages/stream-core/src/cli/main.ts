import { StreamsError } from '../common/errors.ts'
import { type Command, exitCode, type ExitCode, type Output, RefusedError, UsageError } from './command.ts'

/** Loaded when it is asked for: each needs other parts of the library. */
const commands: readonly {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}[] = [
  {
    name: 'describe',
    summary: 'prints a topology: as text, as a Mermaid flowchart, or its traps',
    load: async () => (await import('./describe.ts')).describe,
  },
  {
    name: 'lag',
    summary: 'prints how far an application is behind, partition by partition',
    load: async () => (await import('./lag.ts')).lag,
  },
  {
    name: 'reset',
    summary: 'makes an application begin again: positions, internal topics and local state',
    load: async () => (await import('./reset.ts')).reset,
  },
  {
    name: 'dead-letters',
    summary: 'lists the records of a dead-letter topic, with what happened to them',
    load: async () => (await import('./dead-letters.ts')).deadLetters,
  },
]

const help = `Looks at topologies and applications, and resets them.

  stream-core <command> [options]

${commands.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join('\n')}

"stream-core <command> --help" lists the options of a command.

Exit codes: 0 done; 1 failed, with the reason; 2 refused, for the application runs; 3 describe --lint has found
something; 64 the command cannot be understood. Results go to standard output, everything else to standard error.`

/** Runs a command; never rejects. */
export async function runCli(args: readonly string[], output: Output): Promise<ExitCode> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    output.out(help)
    return name === undefined ? exitCode.usage : exitCode.done
  }
  const known = commands.find((candidate) => candidate.name === name)
  try {
    if (known === undefined) {
      const names = commands.map((candidate) => candidate.name).join(', ')
      throw new UsageError(`there is no command ${JSON.stringify(name)}; there are ${names}`)
    }
    const command = await known.load()
    if (rest.includes('--help') || rest.includes('-h')) {
      output.out(command.help)
      return exitCode.done
    }
    return await command.run(rest, output)
  } catch (error) {
    output.err(`stream-core: ${explain(error)}`)
    return codeOf(error)
  }
}

function codeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCode.usage
  if (error instanceof RefusedError) return exitCode.refused
  // A state folder, or the file of a log, that another process holds; a member that came while nobody looked.
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return code === 'LOG_LOCKED' || code === 'MEMBER_LOST' ? exitCode.refused : exitCode.failed
}

/** A sentence for what the user can mend; a stack for what he cannot. */
function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof RefusedError) return error.message
  if (error instanceof StreamsError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
