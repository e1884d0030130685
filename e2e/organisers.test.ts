import type { Browser, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  newPoll,
  openTestIngest,
  organiser,
  send,
  type TestIngest,
} from '../apps/ingest/test/support/running-ingest.ts'
import { createByForm, newOrganiser, type OrganiserClient } from '../apps/ingest/test/support/organiser-client.ts'
import { texts as all } from '../apps/ingest/src/messages/index.ts'
import { expectSoundPage, expectSoundPages } from './support/axe.ts'
import { launchBrowser } from './support/browser.ts'

let system: TestIngest
let browser: Browser
beforeAll(async () => {
  // No mail is sent here.
  system = await openTestIngest({ mail: { smtpUrl: 'smtp://127.0.0.1:1', from: 'a@b.example' } })
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await system?.close()
})

const cookieOf = ({ cookie }: OrganiserClient) => {
  const [name = '', value = ''] = cookie.split('=')
  return { name, value, url: 'https://localhost/', secure: true }
}

/** Passkeys are for names: the same server, by its name. */
const named = (url: string): string => url.replace('127.0.0.1', 'localhost')

/** A browser of somebody's own, with an authenticator that verifies its user when it is asked. */
async function openBrowser(): Promise<{ page: Page; devtools: CDPSession; authenticatorId: string }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { page, devtools, authenticatorId }
}

async function invite(name: string): Promise<string> {
  const { body } = await send(`${system.ingest.url}/api/organisers`, { name }, organiser)
  return String(body['invitation'])
}

test('who is invited adds a passkey, creates a poll, signs out and in again with it; the invitation works once', async () => {
  const { page } = await openBrowser()
  const invitation = await invite('Ada')
  await page.goto(invitation)
  expect(new URL(page.url()).hash).toBe('')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('heading', { name: 'Your polls' }).waitFor()
  await page.getByLabel('Question').fill('Ada’s question?')
  await page.getByLabel('Options, one a line').fill('Yes\nNo')
  await page.getByRole('button', { name: 'Create and open' }).click()
  await page.getByRole('heading', { name: 'Ada’s question?' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('link', { name: 'Ada’s question?' }).waitFor()

  const { page: other } = await openBrowser()
  await other.goto(invitation)
  await other.getByRole('button', { name: 'Add a passkey' }).click()
  await other.getByText('the invitation was used or has expired').waitFor()
})

test('a passkey that the site does not know, or whose owner is not verified, signs nobody in', async () => {
  const { page, devtools, authenticatorId } = await openBrowser()
  await page.goto(await invite('Ben'))
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('heading', { name: 'Your polls' }).waitFor()
  await page.getByRole('link', { name: 'Ben' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  const useOne = () => page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await useOne()
  await page.getByText('No passkey was used.').waitFor()
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  await system.database.pool.query('DELETE FROM passkeys')
  await useOne()
  await page.getByText('This passkey is not known here.').waitFor()
  expect(await (await page.goto(named(`${system.ingest.url}/organiser/account`)))!.text()).not.toContain('Your account')
})

test('an organiser who is signed in adds a passkey and removes it', async () => {
  const { page } = await openBrowser()
  await page.goto(named(`${system.ingest.url}/organiser`))
  await page.getByLabel('Organiser token').fill(system.ingest.organiserToken)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('link', { name: 'Operator' }).click()
  await page.getByText('There is none yet.').waitFor()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByText(/never used/).waitFor()
  await page.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('There is none yet.').waitFor()
})

test('who scans a slip has its code in the form and not in the address, and votes with it', async () => {
  const { id, codes } = await newPoll(system)
  const { rows } = await system.database.pool.query('SELECT short_code FROM polls WHERE id = $1', [id])
  const page = await browser.newPage()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`${system.ingest.url}/s/${rows[0].short_code}#${codes[0]}`)
  await expect.poll(() => page.getByLabel('Your voter code').inputValue()).toBe(codes[0])
  expect(new URL(page.url()).hash).toBe('')
  expect(asked.join()).not.toContain(codes[0])
  await page.getByLabel('B').check()
  await page.getByRole('button', { name: 'Review your ballot' }).click()
  await page.getByRole('button', { name: 'Cast this ballot' }).click()
  await page.getByRole('heading', { name: 'Recorded' }).waitFor()
})

/** What a tally would have published of a poll: its organiser's page then has pictures and tables. */
async function countSome(poll: string): Promise<void> {
  const { pool } = system.database
  const accounting = { recorded: 9, accepted: 8, superseded: 0, rejected: 1, duplicates: 0 }
  const result = {
    poll,
    epoch: 7,
    voters: 8,
    totals: { o1: 3, o2: 5 },
    accounting,
    rejections: { closed: 1 },
    regions: {},
  }
  await pool.query('INSERT INTO results VALUES ($1, 7, 1, $2, 1)', [poll, result])
  for (const minute of [0, 60_000]) {
    const happened = { kind: 'minute', accepted: 4, changed: 0, rejections: {} }
    const stood = { kind: 'standing', voters: 8, totals: { o1: 3, o2: 5 }, margin: 2 }
    const lead = {
      kind: 'lead',
      at: minute,
      from: minute === 0 ? null : 'o1',
      to: minute === 0 ? 'o1' : 'o2',
      margin: 1,
      voters: 1,
    }
    for (const document of [happened, stood, lead]) {
      const values = [poll, document.kind, minute, document]
      await pool.query('INSERT INTO analytics VALUES ($1, $2, $3, 7, 1, $4, 1)', values)
    }
  }
}

test('axe finds nothing serious on any page of voters and organisers, and none is wider than its window', async () => {
  const mary = await newOrganiser(system, 'Mary with a rather long name')
  const terms = { regions: 'North\nSouth', max_choices: '2', allow_blank: 'yes', visible: 'after-voting' }
  const title = 'What should the old harbour become, now that the ferries are gone?'
  const open = await createByForm(mary, { ...terms, title })
  await mary.post(`/organiser/polls/${open}/extend`, { extra_hours: '1', reason: 'Rain' })
  const draft = await createByForm(mary, { save_as: 'draft' })
  const link = await createByForm(mary, { eligibility: 'link' })
  const mail = await createByForm(mary, { eligibility: 'addresses' })
  const closed = await createByForm(mary)
  await mary.post(`/organiser/polls/${closed}/close`, { confirm: 'close' })
  await countSome(closed)
  const { rows } = await system.database.pool.query<{ id: string; slug: string }>('SELECT id, slug FROM polls')
  const ballotOf = (id: string): string => `/p/${rows.find((row) => row.id === id)!.slug}`
  const forVoters = [
    '/',
    ballotOf(open),
    ballotOf(link),
    ballotOf(mail),
    `${ballotOf(mail)}/mail`,
    `${ballotOf(mail)}/confirm`,
    ballotOf(closed),
    '/receipts',
    '/receipts/NONE',
    '/p/none',
  ]
  const forOrganisers = [
    '/organiser',
    '/organiser/account',
    `/organiser/polls/${open}`,
    `/organiser/polls/${mail}`,
    `/organiser/polls/${closed}`,
    `/organiser/polls/${draft}`,
    `/organiser/polls/${draft}/edit`,
    `/organiser/polls/${open}/poster`,
  ]
  const at = (path: string): string => named(`${system.ingest.url}${path}`)
  await expectSoundPages(browser, [...forVoters, '/organiser', '/organiser/join'].map(at))
  await expectSoundPages(browser, forOrganisers.map(at), [cookieOf(mary)])
})

test('nor on what a form is answered: a review, a mistake, codes, a receipt, in either language', async () => {
  const mary = await newOrganiser(system, 'Mary')
  const id = await createByForm(mary, { title: 'Tea or coffee?' })
  for (const [lang, texts] of [
    ['en', all.en],
    ['ar', all.ar],
  ] as const) {
    const context = await browser.newContext({ colorScheme: lang === 'en' ? 'dark' : 'light' })
    const page = await context.newPage()
    const press = async (text: string): Promise<void> => {
      await page.getByRole('button', { name: text, exact: true }).click()
      await expectSoundPage(page, lang)
    }
    await context.addCookies([cookieOf(mary), { name: 'language', value: lang, domain: 'localhost', path: '/' }])
    await page.goto(named(`${system.ingest.url}/organiser/polls/${id}`))
    await press(texts.issueCodes)
    const code = (await page.locator('.codes li code').first().textContent())!
    await page.goto(named(`${system.ingest.url}/organiser/polls/${id}`))
    await press(texts.issueSheet)
    await page.goto(named(`${system.ingest.url}/organiser/polls/${id}`))
    await page.locator('#confirm').fill('no')
    await press(texts.closeNow)
    const { rows } = await system.database.pool.query<{ slug: string }>('SELECT slug FROM polls WHERE id = $1', [id])
    await page.goto(named(`${system.ingest.url}/p/${rows[0]!.slug}`))
    await page.getByLabel('B').check()
    await page.locator('#code').fill('wrong')
    await press(texts.review)
    await page.locator('#code').fill(code)
    await press(texts.review)
    await press(texts.cast)
    await page.getByRole('heading', { name: texts.statusRecorded }).waitFor()
    await context.close()
  }
})
