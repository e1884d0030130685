/** `node main.ts [seconds] [seed] [log file]`: chaos on a real Kafka, by default ten minutes. Exit code 1 if anything is wrong. */
import { runChaos } from './chaos.ts'

const [seconds = '600', seed = String(Date.now() % 100_000), logFile] = process.argv.slice(2)
const report = await runChaos({
  seed: Number(seed),
  durationMs: Number(seconds) * 1000,
  instances: 3,
  log: (text) => process.stderr.write(`${text}\n`),
  ...(logFile !== undefined && { logFile }),
})
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
const isWell = report.lost === 0 && report.doubled === 0 && report.wrong.length === 0 && report.failures.length === 0
process.exitCode = isWell ? 0 : 1
