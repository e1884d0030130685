/**
 * `node main.ts [count] [first seed] [verbose]`: simulates seeds; exit code 1 and the seeds if anything is wrong. In processes of a
 * few hundred seeds each: what a killed instance leaves behind in memory goes only with its process.
 */
import { spawn } from 'node:child_process'
import { simulate } from './simulation.ts'

const seedsPerProcess = 250
const [count = '200', first = '1', verbose = ''] = process.argv.slice(2)
process.on('unhandledRejection', (error) => {
  process.stdout.write(`unhandled rejection: ${(error as Error)?.stack ?? String(error)}\n`)
  process.exit(1)
})
process.exitCode = Number(count) > seedsPerProcess ? await inProcesses() : await here()
process.exit()

async function here(): Promise<number> {
  const failed: number[] = []
  const faults = new Map<string, number>()
  const startedMs = Date.now()
  for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
    const report = await simulate({ seed, ...(verbose && { log: (text) => process.stdout.write(`${text}\n`) }) })
    for (const [fault, times] of report.faults) faults.set(fault, (faults.get(fault) ?? 0) + times)
    if (report.wrong.length === 0) continue
    failed.push(seed)
    process.stdout.write(`seed ${seed}: ${report.wrong.slice(0, 5).join('\n  ')}\n`)
  }
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  process.stdout.write(`${count} seeds from ${first} in ${seconds} s, ${failed.length} failed ${failed.join(' ')}\n`)
  process.stdout.write(`${JSON.stringify(Object.fromEntries(faults))}\n`)
  return failed.length > 0 ? 1 : 0
}

async function inProcesses(): Promise<number> {
  let failed = 0
  for (let done = 0; done < Number(count); done += seedsPerProcess) {
    const part = Math.min(seedsPerProcess, Number(count) - done)
    const child = spawn(process.execPath, [import.meta.filename, String(part), String(Number(first) + done)], {
      stdio: 'inherit',
    })
    const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
    if (code !== 0) failed++
  }
  process.stdout.write(failed === 0 ? `${count} seeds, none failed\n` : `${failed} processes failed\n`)
  return failed === 0 ? 0 : 1
}
