/**
 * How long from `npm start` to the first simulated vote on the chart, on an installed checkout and an empty data folder:
 * `node scripts/bootstrap.mjs bench/first-vote.ts`. Prints one JSON line. Needs Chromium.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { newDataDir, removeDataDir } from '../e2e/support/demo-process.ts'
import { chromiumPath } from '../scripts/chromium.ts'

const root = join(import.meta.dirname, '..')
const executablePath = chromiumPath()
if (executablePath === null) throw new Error('no Chromium found: set CHROMIUM to its path')
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] })
const page = await browser.newPage()
const dataDir = newDataDir()

const startedMs = Date.now()
const since = (): number => Date.now() - startedMs
const child: ChildProcess = spawn(
  'npm',
  ['start', '--silent', '--', '--json', '--data-dir', dataDir, '--ingest-port', '0', '--viewer-port', '0'],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
)
const exited = new Promise((resolve) => child.on('exit', resolve))
try {
  const line = await new Promise<string>((resolve) => child.stdout!.once('data', (chunk) => resolve(String(chunk))))
  const readyMs = since()
  const { viewer } = JSON.parse(line) as { viewer: string }
  await page.goto(viewer)
  const voters = page.locator('#voters')
  while ((await voters.textContent()) === '0') await page.waitForTimeout(10)
  // The canvas has ink where the first step of a line is: anything that is not transparent.
  const hasInk = (): Promise<boolean> =>
    page.locator('#chart canvas').evaluate((element) => {
      const canvas = element as unknown as {
        width: number
        height: number
        getContext(kind: '2d'): {
          getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray }
        }
      }
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return data.some((value) => value !== 0)
    })
  while (!(await hasInk())) await page.waitForTimeout(10)
  process.stdout.write(
    `${JSON.stringify({ bench: 'first-vote', ready_ms: readyMs, first_vote_on_chart_ms: since() })}\n`,
  )
} finally {
  child.kill('SIGINT')
  await exited
  await browser.close()
  removeDataDir(dataDir)
}
