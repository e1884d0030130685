import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

export interface CliRun {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command as a process of its own. This one goes on: a local Kafka stands still when nobody reads what it prints. */
export async function runCli(...args: string[]): Promise<CliRun> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, out, err }
}
