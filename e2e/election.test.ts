import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from './support/browser.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

let dataDir: string
let system: DemoProcess
let browser: Browser
const pageErrors: string[] = []

beforeAll(async () => {
  dataDir = newDataDir()
  system = await DemoProcess.start(dataDir)
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
  removeDataDir(dataDir)
})

async function openPage(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options)
  page.on('pageerror', (error) => pageErrors.push(error.message))
  // A refused ballot is answered with a status that the browser also reports; that is no error of the page.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      pageErrors.push(message.text())
  })
  return page
}

async function vote(page: Page, ballotUrl: string, code: string, option: string): Promise<void> {
  await page.goto(ballotUrl)
  await page.getByLabel('Your voter code').fill(code)
  await page.getByLabel(option).check()
  await page.getByRole('button', { name: 'Review your ballot' }).click()
  await page.getByRole('button', { name: 'Cast this ballot' }).click()
}

/** An organiser signs in, creates a poll and issues codes, all by hand. */
async function createPollByHand(revote: string): Promise<{ ballotUrl: string; resultsUrl: string; codes: string[] }> {
  const page = await openPage({ baseURL: system.ready.ingest })
  await page.goto('/organiser')
  await page.getByLabel('Organiser token').fill(system.ready.organiserToken)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByLabel('Question').fill('Tea or coffee?')
  await page.getByLabel('Options, one a line').fill('Tea\nCoffee')
  await page.getByLabel(revote).check()
  await page.getByRole('button', { name: 'Create and open' }).click()
  await page.getByLabel('How many').fill('3')
  await page.getByRole('button', { name: 'Issue codes' }).click()
  const codes = await page.locator('.codes li code').allTextContents()
  const ballotUrl = (await page.getByRole('link', { name: 'Ballot' }).getAttribute('href'))!
  const resultsUrl = (await page.getByRole('link', { name: 'Results' }).getAttribute('href'))!
  await page.close()
  return { ballotUrl, resultsUrl, codes }
}

test('a vote cast in a browser moves a live chart, and its receipt turns from recorded to counted', async () => {
  const { ballotUrl, resultsUrl, codes } = await createPollByHand('The first ballot counts')
  expect(codes).toHaveLength(3)

  const results = await openPage()
  await results.goto(resultsUrl)
  await results.getByText('Live', { exact: true }).waitFor()
  expect(await results.locator('#voters').textContent()).toBe('0')
  const drawn = (): Promise<string> =>
    results.locator('#chart canvas').evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL())
  const chartBefore = await drawn()

  // The voter's browser runs no script at all.
  const voter = await openPage({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } })
  await vote(voter, ballotUrl, codes[0]!, 'Coffee')
  const receiptUrl = voter.url()
  expect(receiptUrl).toMatch(/\/receipts\/[0-9A-Z-]{23}$/)

  await expect.poll(() => results.locator('#voters').textContent(), { timeout: 5000 }).toBe('1')
  const coffee = results.locator('#results tr', { hasText: 'Coffee' })
  expect(await coffee.locator('[data-cell=votes]').textContent()).toBe('1')
  expect(await coffee.locator('[data-cell=share]').textContent()).toBe('100.0%')
  await expect.poll(drawn, { timeout: 5000 }).not.toBe(chartBefore)

  await expect
    .poll(
      async () => {
        await voter.goto(receiptUrl)
        return voter.locator('#receipt-title').textContent()
      },
      { timeout: 10_000 },
    )
    .toBe('Counted')

  // A second vote with the same code is refused in this poll, and the choice stays in the form.
  await vote(voter, ballotUrl, codes[0]!, 'Tea')
  expect(await voter.getByRole('alert').textContent()).toContain('A ballot was already recorded with this code')
  expect(await voter.getByLabel('Tea').isChecked()).toBe(true)
  expect(await results.locator('#voters').textContent()).toBe('1')
  expect(pageErrors).toEqual([])
})

test('where the last ballot counts, a second vote moves the first', async () => {
  const { ballotUrl, resultsUrl, codes } = await createPollByHand('The last ballot counts')
  const results = await openPage()
  await results.goto(resultsUrl)
  await results.getByText('Live', { exact: true }).waitFor()
  const voter = await openPage()
  await vote(voter, ballotUrl, codes[0]!, 'Coffee')
  const firstReceipt = voter.url()
  await vote(voter, ballotUrl, codes[0]!, 'Tea')
  const tea = results.locator('#results tr', { hasText: 'Tea' }).locator('[data-cell=votes]')
  await expect.poll(() => tea.textContent(), { timeout: 5000 }).toBe('1')
  expect(await results.locator('#voters').textContent()).toBe('1')
  expect(await results.locator('#accounting').textContent()).toContain('2 recorded = 1 counting now + 1 superseded')
  await voter.goto(firstReceipt)
  await expect.poll(() => voter.locator('#receipt-title').textContent(), { timeout: 5000 }).toBe('Replaced')
  expect(pageErrors).toEqual([])
})
