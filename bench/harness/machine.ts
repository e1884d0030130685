import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'

/** What a figure was measured on, for its line of JSON. */
export interface Machine {
  readonly commit: string
  readonly cores: number
  readonly cpu: string
  readonly memory_gb: number
  readonly date: string
}

export function machine(): Machine {
  return {
    commit: commit(),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memory_gb: Math.round(totalmem() / 2 ** 30),
    date: new Date().toISOString().slice(0, 10),
  }
}

/** How busy it is: more than the run itself means that neighbours were measured with it. */
export const load = (): number => Number(loadavg()[0]!.toFixed(1))

function commit(): string {
  const git = (...command: string[]): string =>
    execFileSync('git', command, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes')
  } catch {
    return 'unknown'
  }
}
