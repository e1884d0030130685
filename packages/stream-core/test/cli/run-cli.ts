import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

export interface CliRun {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command as a process of its own. The test's own process stands still meanwhile. */
export function runCli(...args: string[]): CliRun {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}
