/**
 * Everything CI runs, in order, with what was skipped and why (D1):
 *
 *   npm test [-- unit|kafka|e2e|static …]      default: all of them
 *
 * A part the machine cannot have is skipped with its reason; with CI=true it is a failure.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { chromiumPath } from './chromium.ts'
import { kafkaAvailable } from './local-kafka.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)
const isCi = process.env['CI'] === 'true'
const wanted = new Set(process.argv.slice(2).filter((argument) => !argument.startsWith('-')))
const isWanted = (part: string): boolean => wanted.size === 0 || wanted.has(part)

interface Part {
  readonly name: string
  readonly group: 'static' | 'unit' | 'kafka' | 'e2e'
  readonly command: readonly string[]
  /** Why it cannot run here; null when it can. */
  readonly missing?: () => string | null
}

/** What vitest's JSON reporter writes, as far as it is read here. */
interface TestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly TestFile[]
}

interface TestFile {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

const parts: readonly Part[] = [
  { name: 'format', group: 'static', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'lint', group: 'static', command: [bin('oxlint'), '--type-aware', '.'] },
  { name: 'tidy', group: 'static', command: [process.execPath, 'scripts/tidy.ts'] },
  { name: 'types', group: 'static', command: [bin('tsc'), '--noEmit'] },
  { name: 'conformance', group: 'unit', command: [process.execPath, 'conformance/run.ts'] },
  { name: 'unit', group: 'unit', command: [bin('vitest'), 'run', '--project', 'unit'] },
  {
    name: 'kafka',
    group: 'kafka',
    command: [bin('vitest'), 'run', '--project', 'kafka'],
    missing: () => (process.env['KAFKA_BROKERS'] ? null : kafkaAvailable()),
  },
  {
    name: 'browser',
    group: 'e2e',
    command: [bin('vitest'), 'run', '--project', 'e2e'],
    missing: () => (chromiumPath() ? null : 'no Chromium found: install it, or set CHROMIUM to its path'),
  },
]

const counts = { passed: 0, failed: 0, skipped: 0 }
const summary: string[] = []
/** Named again at the very end, because a log may be cut there. */
const failures: string[] = []
const results = mkdtempSync(join(tmpdir(), 'stream-core-test-'))

for (const part of parts) {
  if (!isWanted(part.group) && !isWanted(part.name)) continue
  const reason = part.missing?.() ?? null
  if (reason !== null && !isCi) {
    counts.skipped++
    summary.push(`skipped  ${part.name}: ${reason}`)
    continue
  }
  if (reason !== null) {
    counts.failed++
    summary.push(`FAILED   ${part.name}: ${reason} (with CI=true nothing is skipped)`)
    continue
  }
  process.stdout.write(`\n=== ${part.name}\n`)
  const startedMs = Date.now()
  const report = join(results, `${part.name}.json`)
  const isVitest = part.command[0] === bin('vitest')
  const extra = isVitest ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []
  const code = await run([...part.command, ...extra])
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  if (isVitest && existsSync(report)) {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as TestReport
    failures.push(...testResults.flatMap(failuresOf))
    counts.passed += numPassedTests
    counts.failed += numFailedTests + (code !== 0 && numFailedTests === 0 ? 1 : 0)
    counts.skipped += numPendingTests
  } else if (code === 0) counts.passed++
  else counts.failed++
  summary.push(`${code === 0 ? 'passed ' : 'FAILED '}  ${part.name} (${seconds} s)`)
}

rmSync(results, { recursive: true, force: true })
process.stdout.write(`\n${summary.join('\n')}\n\n`)
if (failures.length > 0) process.stdout.write(`${failures.join('\n')}\n\n`)
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed > 0 ? 1 : 0

/** A line for each test that failed, with the first line of the reason. */
function failuresOf({ name, status, message, assertionResults }: TestFile): string[] {
  const file = relative(root, name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [`FAILED   ${file}: ${firstLine(message)}`] : []
  return failed.map((test) => `FAILED   ${file} > ${test.fullName}: ${firstLine(test.failureMessages[0] ?? '')}`)
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.slice(0, 300)
}

function run(command: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', () => resolve(1))
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
