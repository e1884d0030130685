import type { Browser, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  newPoll,
  openTestIngest,
  organiser,
  send,
  type TestIngest,
} from '../apps/ingest/test/support/running-ingest.ts'
import { launchBrowser } from './support/browser.ts'

let system: TestIngest
let browser: Browser
beforeAll(async () => {
  system = await openTestIngest()
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await system?.close()
})

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

test('at an address that is a number the page says where passkeys work', async () => {
  const { page } = await openBrowser()
  await page.goto(`${system.ingest.url}/organiser`)
  await page.getByRole('link', { name: named(`${system.ingest.url}/organiser`) }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
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
