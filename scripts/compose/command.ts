import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Passed on to our own standard error while it runs. */
  readonly isShown?: boolean
  /** Ended when this is over. Default ten minutes. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface CommandResult {
  readonly code: number | null
  readonly output: string
}

/** Runs a program to its end; what it says on both channels is the output. */
export function tryCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { env, cwd, isShown = false, timeoutMs = 600_000, signal } = options
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      ...(env && { env }),
      ...(cwd && { cwd }),
      ...(signal && { signal }),
    })
    let output = ''
    const take = (chunk: unknown): void => {
      output += String(chunk)
      if (isShown) process.stderr.write(String(chunk))
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => resolve({ code: null, output: `${output}${error.message}` }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** The same; throws with the end of what it said when it fails. */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, output } = await tryCommand(command, options)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output.slice(-4000)}`)
  return output
}
