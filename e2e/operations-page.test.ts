import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPoll, newNonce, post } from './support/api.ts'
import { seriousViolations } from './support/axe.ts'
import { launchBrowser } from './support/browser.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

let dataDir: string
let system: DemoProcess
let browser: Browser
let pollId: string
const complaints: string[] = []

beforeAll(async () => {
  dataDir = newDataDir()
  system = await DemoProcess.start(dataDir)
  browser = await launchBrowser()
  const poll = await createPoll(system.ready, 'first', 1)
  pollId = poll.id
  const ballot = { code: poll.codes[0]!, option: 'a', nonce: newNonce() }
  await post(`${system.ready.ingest}/api/polls/${pollId}/ballots`, ballot)
})
afterAll(async () => {
  await browser?.close()
  await system?.stop()
  removeDataDir(dataDir)
})

async function open(query = '', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options)
  // What the content security policy refuses is told here, too.
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.clock.install()
  await page.goto(`${system.ready.ops.tally}/operations${query}`)
  return page
}

const said = (page: Page, selector: string) => async () => (await page.locator(selector).textContent())?.trim() ?? ''

test('the page of the tally keeps itself current, and leaves alone what somebody is busy with', async () => {
  const page = await open()
  await page.getByText('All is well').first().waitFor()
  expect(await page.locator('#topology svg.graph').count()).toBe(2)
  expect(await page.locator('#tasks tbody tr').count()).toBe(8)
  await page.getByText('The same as a table').click()
  await page.getByRole('textbox', { name: 'Key' }).fill('half a key')
  // Its own time passes as fast as is asked for.
  const later = async (): Promise<string> => {
    await page.clock.runFor(2100)
    return said(page, '#about')()
  }
  const first = await said(page, '#about')()
  await expect.poll(later, { timeout: 15_000 }).not.toBe(first)
  expect(await page.getByRole('textbox', { name: 'Key' }).inputValue()).toBe('half a key')
  expect(await page.locator('#topology details').getAttribute('open')).not.toBe(null)

  await page.getByRole('button', { name: 'Pause updates' }).click()
  const paused = await said(page, '#about')()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.clock.runFor(60_000)
  expect(asked).toEqual([])
  expect(await said(page, '#about')()).toBe(paused)
  await page.getByRole('button', { name: 'Go on updating' }).click()
  await expect.poll(later, { timeout: 15_000 }).not.toBe(paused)
  await page.close()
})

test.each([
  [360, 'light'],
  [1440, 'dark'],
] as const)(
  'at %i px, %s, nothing serious is found by axe, and nothing is wider than the screen',
  async (width, colorScheme) => {
    const page = await open(`?store=results&key=${pollId}`, { viewport: { width, height: 800 }, colorScheme })
    await page.getByText('The same as a table').click()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBe(0)
    await page.close()
  },
)

test('without a script it is whole, a key is explained by a form, and its value stays inside', async () => {
  const page = await open('', { javaScriptEnabled: false })
  expect(await page.getByText('Load it again').isVisible()).toBe(true)
  await page.getByRole('combobox', { name: 'Store' }).selectOption('results')
  await page.getByRole('textbox', { name: 'Key' }).fill(pollId)
  await page.getByRole('textbox', { name: 'Key' }).press('Enter')
  const section = page.locator('#key')
  await section.getByText('there is one; showValues is off').first().waitFor()
  expect(await section.getByText('tally-results-changelog-').count()).toBe(1)
  expect(await section.getByRole('textbox', { name: 'Key' }).inputValue()).toBe(pollId)
  await page.close()
})

test('a page whose instance is gone says so, and since when', async () => {
  const page = await open()
  await page.getByText('All is well').first().waitFor()
  expect(complaints).toEqual([])
  await system.stop()
  await page.getByText(/This instance has not answered since \d\d:\d\d:\d\dZ/).waitFor({ timeout: 20_000 })
  await page.close()
})
