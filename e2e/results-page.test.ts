import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { listen, urlOf } from '@voting/election/ops-server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectSoundPages } from './support/axe.ts'
import { createPoll, eventually, get, newNonce, post, type Results } from './support/api.ts'
import { launchBrowser } from './support/browser.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

let dataDir: string
let system: DemoProcess
let browser: Browser

beforeAll(async () => {
  dataDir = newDataDir()
  // Nobody votes now, but there is a past.
  system = await DemoProcess.start(dataDir, ['--rate', '0'])
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

interface Analytics {
  readonly minutes: { readonly start: string[]; readonly votes: number[]; readonly turnout: number[] }
  readonly leads: { readonly to: string }[]
  readonly flows: { readonly voters: number }[]
  readonly bursts: { readonly recorded: number }[]
  readonly rejections: Record<string, number>
}

test('the start has an election of the past, counted by the tally, and this one is compared with it', async () => {
  const { viewer } = system.ready
  const { body } = await get<{ polls: { slug: string; status: string; voters: number }[] }>(`${viewer}/api/polls`)
  const [current, past] = body.polls
  const result = await eventually('the past election is final', async () => {
    const answer = await get<Results>(`${viewer}/api/polls/${past!.slug}/results`)
    return answer.body.status === 'final' && answer.body.accounting.recorded > 1800 ? answer.body : null
  })
  const { recorded, accepted, superseded, rejected, duplicates } = result.accounting
  expect(recorded).toBe(accepted + superseded + rejected + duplicates)
  expect([accepted, rejected, duplicates]).toEqual([1750, 7, 4])

  const { body: found } = await get<Analytics>(`${viewer}/api/polls/${past!.slug}/analytics`)
  expect(found.minutes.votes.reduce((sum, votes) => sum + votes, 0)).toBe(accepted + superseded)
  expect(found.minutes.turnout.at(-1)).toBeCloseTo(1750 / 4000, 5)
  expect(found.leads.map(({ to }) => to).slice(-2)).toEqual(['homes', 'park'])
  expect(found.flows.every(({ voters }) => voters >= 10)).toBe(true)
  expect(found.flows.length).toBeGreaterThan(0)
  expect(found.bursts).toHaveLength(1)
  expect(found.rejections).toEqual({ closed: 7 })

  const page = await browser.newPage()
  await page.goto(`${viewer}/polls`)
  await page.getByRole('link', { name: 'Compare with run 1' }).click()
  await page.locator('#compare-table').waitFor()
  expect(new URL(page.url()).pathname).toBe(`/p/${current!.slug}`)
  expect(new URL(page.url()).searchParams.get('cmp')).toBe(past!.slug)
  // Five options of this poll and five of that, in one picture; and the votes per minute of both.
  await page.getByText('The chart as a table').click()
  await expect.poll(() => page.locator('#trend-table thead th').count()).toBe(13)
  await page.close()
})

test('a page that is open when the poll closes says so everywhere, and keeps its zone and its format', async () => {
  const poll = await createPoll(system.ready, 'first', 2)
  await vote(poll, 0, 'a')
  const page = await openResults(poll.slug, { timezoneId: 'Asia/Tokyo', locale: 'de-DE' })
  await page.getByText('Live', { exact: true }).waitFor()
  await expect.poll(text(page, '#voters'), { timeout: 5000 }).toBe('1')
  expect(await text(page, '#when')()).toMatch(/^Open until .* UTC\.$/)
  expect(await page.getByText('Cast a ballot').isVisible()).toBe(true)
  const asOf = await text(page, '#as-of')()
  expect(asOf).toMatch(/^(\w+ \d+, \d{4}, )?\d+:\d\d:\d\d.[AP]M$/)
  const painted = await (await fetch(page.url())).text()
  expect(/id="as-of">([^<]*)</.exec(painted)![1]!.replace(/\s/g, ' ')).toBe(asOf!.replace(/\s/g, ' '))

  await post(`${system.ready.ingest}/api/polls/${poll.id}/close`, {}, system.ready.organiserToken)
  await expect.poll(text(page, '#status'), { timeout: 5000 }).toMatch(/^Final/)
  await expect.poll(text(page, '#when'), { timeout: 5000 }).toMatch(/^It was open from .* to .* UTC\.$/)
  expect(await page.getByText('Cast a ballot').isVisible()).toBe(false)
})

test('where WebSockets are blocked the page keeps itself current all the same', async () => {
  const poll = await createPoll(system.ready, 'first', 2)
  const page = await browser.newPage()
  await page.clock.install()
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
  await page.getByText('Live, every 5 seconds').waitFor()
  await vote(poll, 0, 'b')
  // Each time five seconds of the page's own time pass.
  await expect
    .poll(
      async () => {
        await page.clock.runFor(5000)
        return text(page, '#voters')()
      },
      { timeout: 15_000 },
    )
    .toBe('1')
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

test('axe finds nothing serious on any page of results, in either language, and none is wider than its window', async () => {
  const poll = await createPoll(system.ready, 'last', 3)
  for (const [i, option] of ['a', 'b', 'b'].entries()) await vote(poll, i, option)
  const { viewer } = system.ready
  const { body } = await get<{ polls: { slug: string; status: string }[] }>(`${viewer}/api/polls`)
  const past = body.polls.find(({ status }) => status === 'final')!.slug
  const hidden = await createPoll(system.ready, 'first', 1, { resultsVisible: 'after-close' })
  await expectSoundPages(browser, [
    `${viewer}/`,
    `${viewer}/p/${poll.slug}?mode=share&range=all&sort=votes`,
    `${viewer}/p/${hidden.slug}`,
    `${viewer}/embed/${poll.slug}`,
    `${viewer}/p/no-such-poll`,
    `${viewer}/polls`,
    `${viewer}/p/${poll.slug}?cmp=${past}`,
    `${viewer}/p/${past}`,
    `${viewer}/p/${past}?at=${new Date().toISOString()}`,
  ])
})

test('a page that is paused says so and stands still; resumed, it shows what is true now', async () => {
  const poll = await createPoll(system.ready, 'first', 2)
  const page = await openResults(poll.slug)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Pause updates' }).click()
  expect(await text(page, '#status')()).toBe('Paused by you')
  const other = await openResults(poll.slug)
  await vote(poll, 0, 'a')
  await expect.poll(text(other, '#voters'), { timeout: 5000 }).toBe('1')
  expect(await text(page, '#voters')()).toBe('0')
  await page.getByRole('button', { name: 'Resume updates' }).click()
  await expect.poll(text(page, '#voters'), { timeout: 5000 }).toBe('1')
  expect(await text(page, '#status')()).toBe('Live')
})

test('the chart is stepped through with the keyboard, point by point and line by line, to its row in the table', async () => {
  const poll = await createPoll(system.ready, 'first', 3)
  for (const [i, option] of ['a', 'a', 'b'].entries()) await vote(poll, i, option)
  const page = await openResults(poll.slug)
  await expect.poll(text(page, '#voters'), { timeout: 5000 }).toBe('3')
  const slider = page.getByRole('slider', { name: 'Step through the chart' })
  await slider.focus()
  const said = async () => ((await slider.getAttribute('aria-valuetext')) ?? '').replace(/[\u2066-\u2069]/g, '')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('End')
  await expect.poll(said).toMatch(/: A 2, B 1, C 0, New votes per minute 3$/)
  await page.keyboard.press('ArrowDown')
  await expect.poll(said).toMatch(/: A 2$/)
  await page.keyboard.press('Home')
  await expect.poll(said).toMatch(/: A 0$/)
  expect(await text(page, '#readout')()).toContain('A')
  await page.keyboard.press('Enter')
  const row = page.locator('#trend-table tr:focus')
  await row.waitFor()
  expect(await row.locator('td').allTextContents()).toEqual(['0', '0', '0', '0'])
  // Outside of the chart the letter is a letter.
  const before = await slider.inputValue()
  await page.keyboard.press('l')
  expect(await slider.inputValue()).toBe(before)
})

test('the view is in the address, and whoever opens it sees the same', async () => {
  const poll = await createPoll(system.ready, 'first', 1)
  const page = await openResults(poll.slug, { locale: 'en' })
  await page.locator('#controls').getByText('Share').click()
  await page.getByText('1 hour', { exact: true }).click()
  expect(new URL(page.url()).search).toBe('?mode=share&range=1h')
  const other = await browser.newPage()
  await other.goto(page.url())
  expect(
    await other
      .locator('#controls input[type=radio]:checked')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('value'))),
  ).toEqual(['share', '1h'])
  await other.getByRole('link', { name: 'العربية' }).click()
  expect(await other.locator('html').getAttribute('dir')).toBe('rtl')
  expect(new URL(other.url()).searchParams.get('range')).toBe('1h')

  // Which lines: chosen here, named by the address and by every link to the same page, and drawn again from it.
  await page.locator('#lines summary').click()
  await page.getByLabel('B', { exact: true }).uncheck()
  expect(new URL(page.url()).searchParams.get('opts')).toBe('1,3')
  await page.getByRole('link', { name: 'العربية' }).click()
  await page.locator('#chart canvas').waitFor()
  expect(new URL(page.url()).searchParams.get('opts')).toBe('1,3')
  expect(
    await page
      .locator('#lines input')
      .evaluateAll((nodes) => nodes.map((node) => (node as unknown as { checked: boolean }).checked)),
  ).toEqual([true, false, true])
  const slider = page.locator('#step')
  await slider.focus()
  const spoken = async () => (await slider.getAttribute('aria-valuetext')) ?? ''
  const atTheFirst = async () => {
    // There is nothing to step through before the first numbers have come.
    for (const key of ['End', 'Home']) await page.keyboard.press(key)
    return spoken()
  }
  await expect.poll(atTheFirst, { timeout: 30_000 }).toMatch(/A.*C/)
  expect(await spoken()).not.toContain('B')
  // One moment is marked in the chart and in the strip below it.
  const marks = () =>
    page
      .locator('.u-cursor-x')
      .evaluateAll((nodes) =>
        nodes.map((node) => (node as unknown as { style: { transform: string } }).style.transform),
      )
  const [above, below] = await marks()
  expect(above).toMatch(/translate/)
  expect(below).toBe(above)
  await page.locator('#strip .u-over').hover()
  await expect.poll(async () => (await marks())[0]).not.toBe(above)
  expect((await marks())[0]).toBe((await marks())[1])
})

test('the embedded page is live inside a page of somebody else, and tells its height', async () => {
  const poll = await createPoll(system.ready, 'first', 1)
  const city = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(
      `<!doctype html><title>City</title><script>addEventListener('message', ({ data }) => { globalThis.told = data })</script>
       <iframe title="Result" src="${system.ready.viewer}/embed/${poll.slug}" width="400"></iframe>`,
    )
  })
  await listen(city, 0, '127.0.0.1')
  const page = await browser.newPage()
  await page.goto(urlOf(city, '127.0.0.1'))
  const frame = page.frameLocator('iframe')
  await frame.getByText('Live', { exact: true }).waitFor()
  await vote(poll, 0, 'b')
  await expect
    .poll(() => frame.locator('tr[data-option=b] [data-cell=votes]').textContent(), { timeout: 5000 })
    .toBe('1')
  expect(await page.evaluate('told')).toMatchObject({ type: 'tally:height', height: expect.any(Number) })
  await page.close()
  city.close()
})

test('the chart can be taken away as a picture that says of what it is, and in what state the poll was', async () => {
  const poll = await createPoll(system.ready, 'first', 3)
  for (const [i, option] of ['a', 'a', 'b'].entries()) await vote(poll, i, option)
  for (const lang of ['en', 'ar']) {
    const page = await browser.newPage()
    // What is written into the picture is noted as it is written.
    await page.addInitScript(() => {
      const canvas = globalThis as unknown as {
        CanvasRenderingContext2D: { prototype: { fillText: Function } }
        written: string[]
      }
      const { prototype } = canvas.CanvasRenderingContext2D
      const { fillText } = prototype
      canvas.written = []
      prototype.fillText = function (this: unknown, text: string, ...rest: unknown[]) {
        canvas.written.push(text)
        return fillText.call(this, text, ...rest)
      }
    })
    await page.goto(`${system.ready.viewer}/p/${poll.slug}?lang=${lang}`)
    await expect.poll(text(page, '#voters'), { timeout: 10_000 }).toBe('3')
    await page.locator('#chart canvas').waitFor()
    // Names stand at the ends of the lines, so that the key is not needed.
    const written = () => page.evaluate<string[]>('written')
    for (const name of ['A', 'B', 'C']) await expect.poll(written).toContain(name)
    expect(await page.locator('#legend').isVisible()).toBe(false)
    await page.locator('details.menu').first().locator('summary').click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#png').click()])
    expect(download.suggestedFilename()).toBe(`${poll.slug}.png`)
    const file = readFileSync(await download.path())
    expect(file.subarray(1, 4).toString()).toBe('PNG')
    // Width and height are in the first chunk: wider than the chart by its margins.
    const chartWidth = await page
      .locator('#chart canvas')
      .evaluate((canvas) => (canvas as unknown as { width: number }).width)
    expect(file.readUInt32BE(16)).toBe(chartWidth + 48)
    const all = (await written()).join('\n')
    for (const part of [
      await text(page, 'h1')(),
      await text(page, '#status')(),
      await text(page, '#as-of')(),
      poll.slug,
    ]) {
      expect(all.replaceAll('\n', ' ')).toContain(part)
    }
    await page.close()
  }
})

test('who uses a screen reader chooses what is announced, and it stays chosen', async () => {
  const poll = await createPoll(system.ready, 'first', 6)
  const [context] = [await browser.newContext()]
  const open = async (): Promise<Page> => {
    const page = await context.newPage()
    await page.clock.install()
    await page.goto(`${system.ready.viewer}/p/${poll.slug}`)
    await page.getByText('Live', { exact: true }).waitFor()
    return page
  }
  const pass = (page: Page) => page.clock.runFor(61_000)
  const said = (page: Page) => text(page, '#announce')
  const choose = async (page: Page, name: string): Promise<void> => {
    await page.locator('#announcements').evaluate((element) => element.setAttribute('open', ''))
    await page.getByLabel(name).check()
  }
  const page = await open()
  await vote(poll, 0, 'a')
  await expect.poll(text(page, '#voters'), { timeout: 10_000 }).toBe('1')
  await choose(page, 'How it stands, every minute')
  await pass(page)
  await expect.poll(said(page)).toContain('1 ballot counted. Lead: A, by 1')

  const again = await open()
  expect(await again.locator('#announcements input:checked').getAttribute('value')).toBe('minute')
  await choose(again, 'Nothing')
  for (const i of [1, 2, 3]) await vote(poll, i, 'b')
  await expect.poll(text(again, '#voters'), { timeout: 10_000 }).toBe('4')
  await pass(again)
  expect(await said(again)()).toBe('')
  await choose(again, 'Changes of the lead and of the state')
  for (const i of [4, 5]) await vote(poll, i, 'a')
  await expect.poll(text(again, '#voters'), { timeout: 10_000 }).toBe('6')
  await post(`${system.ready.ingest}/api/polls/${poll.id}/close`, {}, system.ready.organiserToken)
  await expect.poll(said(again), { timeout: 10_000 }).toContain('The poll is now')
  await context.close()
})
