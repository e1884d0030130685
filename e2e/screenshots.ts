/**
 * Every page of both apps as a picture, for eyes: at 360 and 1440 pixels, light and dark, in every language, and each such
 * set on one sheet. `node e2e/screenshots.ts <folder>`; `--only <text>`: pages whose name has it; `--set <texts>`: such sets only,
 * as `360-light-ar,1440`. Needs Chromium; takes minutes.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { languageNames } from '@voting/election/languages'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { createByForm, newOrganiser, signInAsOperator } from '../apps/ingest/test/support/organiser-client.ts'
import { openTestIngest, type TestIngest } from '../apps/ingest/test/support/running-ingest.ts'
import { eventually, get, newNonce, post } from './support/api.ts'
import { launchBrowser } from './support/browser.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

const [folderName, ...options] = process.argv.slice(2)
if (folderName === undefined) throw new Error('name the folder for the pictures: node e2e/screenshots.ts <folder>')
const folder = resolve(folderName)
const option = (name: string): string => (options.includes(name) ? (options[options.indexOf(name) + 1] ?? '') : '')
const [only, onlySet] = [option('--only'), option('--set')]
mkdirSync(folder, { recursive: true })

/** A page, and what to do there before its picture is taken. */
interface Shot {
  readonly name: string
  readonly url: string
  readonly cookie?: string
  readonly act?: (page: Page) => Promise<void>
}

const dataDir = newDataDir()
const system = await DemoProcess.start(dataDir, ['--rate', '8'])
// The demo sends no mails and knows no provider: what needs them is shown by an ingest of its own.
const desk = await openTestIngest({
  mail: { smtpUrl: 'smtp://127.0.0.1:1', from: 'a@city.example' },
  oidc: {
    issuer: 'http://127.0.0.1:1',
    clientId: 'voting',
    clientSecret: null,
    scope: 'openid',
    name: 'City of Example',
    organisers: 'everybody',
    allowsHttp: true,
  },
})
const browser = await launchBrowser()
try {
  const shots = [...(await ofVoters()), ...(await ofOrganisers(desk)), ...(await ofResults())]
  const wanted = shots.filter(({ name }) => name.includes(only))
  for (const width of [360, 1440]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const lang of languageNames) await takeAll(browser, wanted, { width, colorScheme, lang })
    }
  }
} finally {
  await browser.close()
  await desk.close()
  await system.stop()
  removeDataDir(dataDir)
}

interface Setting {
  readonly width: number
  readonly colorScheme: 'light' | 'dark'
  readonly lang: string
}

async function takeAll(from: Browser, shots: readonly Shot[], setting: Setting): Promise<void> {
  const { width, colorScheme, lang } = setting
  if (!onlySet.split(',').some((name) => `${width}-${colorScheme}-${lang}`.includes(name))) return
  const context = await from.newContext({ colorScheme, viewport: { width, height: 800 } })
  const set = `${width}-${colorScheme}-${lang}`
  for (const shot of shots) {
    const page = await openShot(context, shot, lang)
    await page.screenshot({ path: join(folder, `${shot.name}-${set}.png`), fullPage: true })
    await page.close()
  }
  await context.close()
  await contactSheet(from, set)
}

async function openShot(context: BrowserContext, { url, cookie, act }: Shot, lang: string): Promise<Page> {
  await context.clearCookies()
  if (cookie !== undefined) {
    const [name = '', value = ''] = cookie.split('=')
    await context.addCookies([{ name, value, url: 'https://127.0.0.1/', secure: true }])
  }
  const page = await context.newPage()
  const address = new URL(url)
  address.searchParams.set('lang', lang)
  await page.goto(address.href)
  await act?.(page)
  // A chart is drawn a moment after its data has come.
  if ((await page.locator('#chart').count()) > 0) await page.waitForTimeout(1500)
  return page
}

async function contactSheet(from: Browser, set: string): Promise<void> {
  const names = readdirSync(folder).filter((name) => name.endsWith(`-${set}.png`) && !name.startsWith('sheet-'))
  const cells = names.map((name) => `<figure><figcaption>${name}</figcaption><img src="${name}"></figure>`)
  const style =
    'body{display:flex;flex-wrap:wrap;gap:12px;background:#777;font:12px sans-serif}figure{margin:0;width:300px}img{width:300px;max-height:700px;object-fit:cover;object-position:top}'
  writeFileSync(
    join(folder, `${set}.html`),
    `<!doctype html><meta charset="utf-8"><style>${style}</style>${cells.join('')}`,
  )
  const page = await from.newPage({ viewport: { width: 1900, height: 1000 } })
  await page.goto(`file://${join(folder, `${set}.html`)}`)
  await page.screenshot({ path: join(folder, `sheet-${set}.png`), fullPage: true })
  await page.close()
}

async function ofVoters(): Promise<Shot[]> {
  const { ingest, organiserToken } = system.ready
  const nowMs = Date.now()
  const { body: poll } = await post<{ id: string; slug: string }>(
    `${ingest}/api/polls`,
    {
      title: 'Which two of these should the council build first?',
      options: ['A swimming pool', 'A library', 'حديقة عامة', 'A bridge for bicycles'].map((label, i) => ({
        id: `o${i}`,
        label,
      })),
      opensAt: new Date(nowMs - 1000).toISOString(),
      closesAt: new Date(nowMs + 86_400_000).toISOString(),
      revote: 'last',
      maxChoices: 2,
      allowBlank: true,
    },
    organiserToken,
  )
  const { body } = await post<{ codes: string[] }>(
    `${ingest}/api/polls/${poll.id}/codes`,
    { count: 40 },
    organiserToken,
  )
  const ballot = `${ingest}/p/${poll.slug}`
  let used = 0
  const fill = async (page: Page): Promise<void> => {
    await page.locator('#code').fill(body.codes[used++]!)
    await page.locator('#option-o1').check()
    await page.locator('#option-o2').check()
  }
  const send = (page: Page): Promise<void> => page.locator('main form button').first().click()
  return [
    { name: 'v-list', url: `${ingest}/` },
    { name: 'v-ballot', url: ballot, act: fill },
    {
      name: 'v-wrong-code',
      url: ballot,
      async act(page) {
        await page.locator('#code').fill('0000')
        await page.locator('#option-o1').check()
        await send(page)
      },
    },
    {
      name: 'v-review',
      url: ballot,
      async act(page) {
        await fill(page)
        await send(page)
      },
    },
    {
      name: 'v-receipt',
      url: ballot,
      async act(page) {
        await fill(page)
        await send(page)
        await send(page)
        await page.locator('.receipt.counted').waitFor()
      },
    },
    { name: 'v-receipts', url: `${ingest}/receipts` },
    { name: 'v-receipt-unknown', url: `${ingest}/receipts/NONE` },
    { name: 'v-no-poll', url: `${ingest}/p/none` },
  ]
}

async function ofOrganisers(of: TestIngest): Promise<Shot[]> {
  const { url } = of.ingest
  const terms = {
    title: 'Which name for the new school?',
    options: 'Ada Lovelace\nIbn al-Haytham\nمريم الأسطرلابي',
    hours: '48',
  }
  const ada = await newOrganiser(of, 'Ada Example')
  const [link, mail, claim, draft, open, closed] = [
    await createByForm(ada, { ...terms, eligibility: 'link' }),
    await createByForm(ada, { ...terms, eligibility: 'addresses' }),
    await createByForm(ada, { ...terms, eligibility: 'claim', claim: 'groups', claim_value: 'citizens' }),
    await createByForm(ada, { ...terms, save_as: 'draft', max_choices: '2' }),
    await createByForm(ada, { ...terms, regions: 'North\nSouth', electorate: '3000' }),
    await createByForm(ada, { ...terms, title: 'Should the market stay open on Sundays?' }),
  ]
  await ada.post(`/organiser/polls/${open}/extend`, { extra_hours: '2', reason: 'The hall was locked until ten' })
  await ada.post(`/organiser/polls/${closed}/close`, { confirm: 'close' })
  await ada.post(`/organiser/polls/${closed}/clone`)
  await of.database.pool.query("INSERT INTO passkeys VALUES ('one', $1, '', 0)", [ada.id])
  await of.database.pool.query(
    `UPDATE sessions SET user_agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36'`,
  )
  await of.database.pool.query(
    `INSERT INTO sessions (id_hash, subject, method, user_agent)
     VALUES ('other', $1, 'passkey', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')`,
    [ada.id],
  )
  const { rows } = await of.database.pool.query<{ id: string; slug: string }>('SELECT id, slug FROM polls')
  const ballot = (id: string): string => `${url}/p/${rows.find((row) => row.id === id)!.slug}`
  const { cookie } = ada
  const own = (name: string, path: string, act?: Shot['act']): Shot => ({
    name: `o-${name}`,
    url: `${url}/organiser${path}`,
    cookie,
    ...(act && { act }),
  })
  const press = (selector: string) => (page: Page) => page.locator(selector).click()
  return [
    { name: 'v-indicative', url: ballot(link) },
    { name: 'v-address', url: ballot(mail) },
    { name: 'v-mail-sent', url: `${ballot(mail)}/mail` },
    { name: 'v-other-browser', url: `${ballot(mail)}/confirm` },
    { name: 'v-provider', url: ballot(claim) },
    { name: 'v-closed', url: ballot(closed) },
    { name: 'o-sign-in', url: `${url}/organiser` },
    { name: 'o-join', url: `${url}/organiser/join` },
    own('polls', ''),
    own('account', '/account'),
    own('poll-open', `/polls/${open}`),
    own('poll-mail', `/polls/${mail}`),
    own('poll-draft', `/polls/${draft}`),
    own('poll-edit', `/polls/${draft}/edit`),
    own('poll-closed', `/polls/${closed}`),
    own('poster', `/polls/${open}/poster`),
    own('codes', `/polls/${open}`, press('form[action$=codes] button:not([name])')),
    own('sheet', `/polls/${open}`, press('form[action$=codes] button[name=as]')),
    own('wrong', `/polls/${open}`, async (page) => {
      await page.locator('#confirm').fill('no')
      await page.locator('button.danger').click()
    }),
  ]
}

async function ofResults(): Promise<Shot[]> {
  const { viewer, ingest, organiserToken } = system.ready
  const { cookie } = await signInAsOperator({ ingest: { url: ingest, organiserToken } } as TestIngest)
  const terms = {
    title: 'A question whose answer comes later',
    regions: [],
    revote: 'first',
    resultsVisible: 'after-close',
  }
  const { body: hidden } = await post<{ slug: string; id: string }>(
    `${ingest}/api/polls`,
    {
      ...terms,
      options: ['Yes', 'No'].map((label, i) => ({ id: `o${i}`, label })),
      opensAt: new Date(Date.now() - 1000).toISOString(),
      closesAt: new Date(Date.now() + 86_400_000).toISOString(),
      eligibility: { kind: 'link' },
    },
    organiserToken,
  )
  await post(`${ingest}/api/polls/${hidden.id}/ballots`, { code: newNonce(), option: 'o0', nonce: newNonce() })
  const { polls } = await eventually(
    'the example has some votes',
    async () => {
      const { body } = await get<{ polls: { id: string; slug: string; status: string; voters: number }[] }>(
        `${viewer}/api/polls`,
      )
      return body.polls.some(({ status, voters }) => status === 'open' && voters > 150) ? body : null
    },
    90_000,
  )
  const past = polls.find(({ status }) => status === 'final')!.slug
  const live = polls.toSorted((a, b) => b.voters - a.voters).find(({ status }) => status === 'open')!.slug
  const { body } = await get<{ minutes: { start: string[] } }>(`${viewer}/api/polls/${past}/analytics`)
  const middle = body.minutes.start[Math.floor(body.minutes.start.length / 2)]!
  const of = (name: string, path: string): Shot => ({ name: `r-${name}`, url: `${viewer}${path}` })
  // The same as their organiser sees them.
  const organiser = (name: string, slug: string): Shot => ({
    name: `o-course-${name}`,
    url: `${ingest}/organiser/polls/${polls.find((poll) => poll.slug === slug)!.id}`,
    cookie,
    act: (page) => page.locator('details summary').first().click(),
  })
  return [
    organiser('live', live),
    organiser('final', past),
    organiser('hidden', hidden.slug),
    of('live', `/p/${live}`),
    of('share', `/p/${live}?mode=share&range=1h&sort=votes`),
    of('compare', `/p/${live}?cmp=${past}`),
    of('final', `/p/${past}`),
    of('turnout', `/p/${past}?mode=turnout`),
    of('frozen', `/p/${past}?at=${middle}`),
    of('hidden', `/p/${hidden.slug}`),
    of('polls', '/polls'),
    of('embed', `/embed/${live}`),
    of('none', '/p/none'),
  ]
}
