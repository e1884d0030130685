import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPoll, newNonce, post } from './support/api.ts'
import { launchBrowser } from './support/browser.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

let dataDir: string
let system: DemoProcess
let browser: Browser

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

const vote = (poll: { id: string; codes: string[] }, i: number, option: string) =>
  post(`${system.ready.ingest}/api/polls/${poll.id}/ballots`, { code: poll.codes[i]!, option, nonce: newNonce() })

async function openResults(slug: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options)
  await page.goto(`${system.ready.viewer}/p/${slug}`)
  return page
}

const text = (page: Page, selector: string) => async () => (await page.locator(selector).textContent())?.trim()

test('a page that is open when the poll closes says so everywhere, and keeps its zone and its format', async () => {
  const poll = await createPoll(system.ready, 'first', 2)
  await vote(poll, 0, 'a')
  const page = await openResults(poll.slug, { timezoneId: 'Asia/Tokyo', locale: 'de-DE' })
  await page.getByText('Live', { exact: true }).waitFor()
  await expect.poll(text(page, '#voters'), { timeout: 5000 }).toBe('1')
  expect(await text(page, '#when')()).toMatch(/^Open until .* UTC\.$/)
  expect(await page.getByText('Cast a ballot').isVisible()).toBe(true)
  const asOf = await text(page, '#as-of')()
  expect(asOf).toMatch(/^(\w+ \d+, \d{4}, )?\d+:\d\d:\d\d.[AP]M UTC$/)
  const painted = await (await fetch(page.url())).text()
  expect(/id="as-of">([^<]*)</.exec(painted)![1]!.replace(/\s/g, ' ')).toBe(asOf!.replace(/\s/g, ' '))

  await post(`${system.ready.ingest}/api/polls/${poll.id}/close`, {}, system.ready.organiserToken)
  await expect.poll(text(page, '#status'), { timeout: 5000 }).toMatch(/^Final/)
  await expect.poll(text(page, '#when'), { timeout: 5000 }).toMatch(/^Closed\. It was open from .* to .* UTC\.$/)
  expect(await page.getByText('Cast a ballot').isVisible()).toBe(false)
})

test('where WebSockets are blocked the page keeps itself current all the same', async () => {
  const poll = await createPoll(system.ready, 'first', 2)
  const page = await browser.newPage()
  // Every try fails as behind a proxy that knows no WebSockets; without jitter, three of them take no time.
  await page.addInitScript(() => {
    Math.random = () => 0
    const Real = WebSocket
    Object.assign(globalThis, {
      WebSocket: class extends Real {
        constructor() {
          super('/no-socket-here')
        }
      },
    })
  })
  await page.goto(`${system.ready.viewer}/p/${poll.slug}`)
  await page.getByText('Looking every 5 seconds').waitFor()
  await vote(poll, 0, 'b')
  await expect.poll(text(page, '#voters'), { timeout: 15_000 }).toBe('1')
  expect(await text(page, '#results tr[data-option=b] [data-cell=share]')()).toBe('100.0%')
})

test('long words and many options leave no page wider than a phone', async () => {
  const labels = [
    'Grundstücksverkehrsgenehmigung erteilen',
    'X'.repeat(90),
    ...Array.from({ length: 10 }, (_, i) => `Option ${i}`),
  ]
  const { body: poll } = await post<{ slug: string; id: string }>(
    `${system.ready.ingest}/api/polls`,
    {
      title: 'Soll die Straßenverkehrszulassungsbehörde umziehen?',
      options: labels.map((label, i) => ({ id: `o${i}`, label })),
      regions: ['Verwaltungsgemeinschaft', 'Y'.repeat(60)],
      opensAt: new Date(Date.now() - 1000).toISOString(),
      closesAt: new Date(Date.now() + 3_600_000).toISOString(),
      revote: 'first',
    },
    system.ready.organiserToken,
  )
  const other = await createPoll(system.ready, 'first', 1)
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
  for (const address of [
    `${system.ready.viewer}/p/${poll.slug}`,
    `${system.ready.viewer}/p/${other.slug}`,
    `${system.ready.ingest}/p/${poll.slug}`,
    `${system.ready.ingest}/`,
  ]) {
    await page.goto(address)
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    expect([address, overflow]).toEqual([address, 0])
  }
})
