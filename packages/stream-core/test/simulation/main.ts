/** `node main.ts [count] [first seed]`: simulates seeds; exit code 1 and the seeds if anything is wrong. */
import { simulate } from './simulation.ts'

const [count = '200', first = '1', verbose = ''] = process.argv.slice(2)
process.on('unhandledRejection', (error) => {
  process.stdout.write(`unhandled rejection: ${(error as Error)?.stack ?? String(error)}\n`)
  process.exitCode = 1
})
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
process.exitCode = failed.length > 0 ? 1 : process.exitCode
process.exit()
