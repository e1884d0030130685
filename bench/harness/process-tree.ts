import { readdirSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

/** Clock ticks of the kernel's accounting, 100 everywhere but in theory. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const sessionField = 3
const userField = 11
const systemField = 12

/**
 * CPU time and memory of every process of one session, those that have ended included as they were last seen. A
 * contestant's program begins a session of its own, so that what it starts is counted with it.
 */
export class ProcessTree {
  readonly #sessionId: number
  readonly #cpuSeconds = new Map<string, number>()
  readonly #peakMegabytes = new Map<string, number>()

  constructor(sessionId: number) {
    this.#sessionId = sessionId
  }

  /** Looks again; returns the CPU seconds so far, user and system, all threads. */
  sample(): number {
    for (const pid of readdirSync('/proc')) {
      if (pid >= '0' && pid <= '99999999') this.#look(pid)
    }
    return sum(this.#cpuSeconds)
  }

  /** The sum of each process's peak. */
  get peakMegabytes(): number {
    return sum(this.#peakMegabytes)
  }

  #look(pid: string): void {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The name of the program, in brackets, may have spaces in it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(fields[sessionField]) !== this.#sessionId) return
      const ticks = Number(fields[userField]) + Number(fields[systemField])
      this.#cpuSeconds.set(pid, ticks / ticksPerSecond)
      const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      if (peak !== undefined) this.#peakMegabytes.set(pid, Number(peak) / 1024)
    } catch (error) {
      // It ended while we looked: what was seen last stands.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

const sum = (numbers: ReadonlyMap<string, number>): number => [...numbers.values()].reduce((all, one) => all + one, 0)
