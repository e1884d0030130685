import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const parentField = 1
const userField = 11
/** User and system time of the process, and of its children that have ended. */
const timeFields = 4
const pageBytes = 4096
const residentField = 21

/**
 * CPU seconds and resident megabytes of a process and all it has started, what they share counted for each of them; null where
 * there is no /proc.
 */
export function processFamily(pid: number): { readonly cpuSeconds: number; readonly rssMb: number } | null {
  if (!existsSync('/proc/self/stat')) return null
  const stats = new Map<number, readonly string[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The name of the program, in brackets, may have spaces in it.
      stats.set(Number(name), stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    } catch {
      // it has ended while we looked
    }
  }
  let [ticks, pages] = [0, 0]
  const visit = (one: number): void => {
    const fields = stats.get(one)
    if (!fields) return
    for (let i = 0; i < timeFields; i++) ticks += Number(fields[userField + i])
    pages += Number(fields[residentField])
    for (const [child, of] of stats) if (Number(of[parentField]) === one) visit(child)
  }
  visit(pid)
  return { cpuSeconds: ticks / ticksPerSecond(), rssMb: Math.round((pages * pageBytes) / 1e6) }
}

let known = 0
/** Of the kernel's accounting: 100 everywhere but in theory. */
const ticksPerSecond = (): number => (known ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })))
