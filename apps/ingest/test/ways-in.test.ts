import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newOrganiser, type OrganiserClient, signInAsOperator } from './support/organiser-client.ts'
import { Mailbox } from './support/mailbox.ts'
import { openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'
import { TinyBrowser } from './support/tiny-browser.ts'

let mailbox: Mailbox
let system: TestIngest
beforeAll(async () => {
  mailbox = await Mailbox.open()
  system = await openTestIngest({
    failuresPerMinute: 4,
    mail: { smtpUrl: mailbox.smtpUrl, from: 'Elections <elections@city.example>' },
  })
})
afterAll(async () => {
  await system.close()
  await mailbox.close()
})

async function addPasskey({ id }: OrganiserClient): Promise<string> {
  const credentialId = randomBytes(16).toString('base64url')
  await system.database.pool.query("INSERT INTO passkeys VALUES ($1, $2, '', 0)", [credentialId, id])
  return credentialId
}
const beganWith = (client: OrganiserClient, credentialId: string | null) =>
  system.database.pool.query('UPDATE sessions SET credential_id = $1 WHERE subject = $2', [credentialId, client.id])
const remove = async (client: OrganiserClient, credentialId: string): Promise<number> =>
  (await client.post(`/organiser/passkeys/${credentialId}/remove`)).status
const isSignedIn = async (client: OrganiserClient): Promise<boolean> =>
  (await client.get('/organiser/account')).status === 200

test('removing a passkey ends the sessions that were begun with it, and no other', async () => {
  const mary = await newOrganiser(system, 'Mary')
  const [lost, kept] = [await addPasskey(mary), await addPasskey(mary)]
  await beganWith(mary, kept)
  const { pool } = system.database
  const others = async (): Promise<unknown[]> =>
    (await pool.query('SELECT id_hash AS id FROM sessions WHERE subject = $1 ORDER BY 1', [mary.id])).rows
  const before = await others()
  for (const [id, credential] of [
    ['of-the-lost-one', lost],
    ['of-before', null],
  ]) {
    const values = [id, mary.id, credential]
    await pool.query(
      "INSERT INTO sessions (id_hash, subject, method, credential_id) VALUES ($1, $2, 'passkey', $3)",
      values,
    )
  }
  expect(await remove(mary, lost)).toBe(303)
  expect(await others()).toEqual(before)
  expect(await isSignedIn(mary)).toBe(true)
})

test('the last way in stays, also when two are removed at once; who comes in by another way may do without a passkey', async () => {
  const zoe = await newOrganiser(system, 'Zoe')
  const passkeys = [await addPasskey(zoe), await addPasskey(zoe)]
  const { pool } = system.database
  await beganWith(zoe, 'none of these')
  const answers = await Promise.all(passkeys.map((id) => remove(zoe, id)))
  expect(answers.toSorted((a, b) => a - b)).toEqual([303, 409])
  const { rows } = await pool.query<{ id: string }>(
    'SELECT credential_id AS id FROM passkeys WHERE organiser_id = $1',
    [zoe.id],
  )
  expect(rows).toHaveLength(1)
  const refused = await zoe.post(`/organiser/passkeys/${rows[0]!.id}/remove`)
  expect([refused.status, (await refused.text()).includes('your only way in')]).toEqual([409, true])

  // A provider that is not set up any more lets nobody in.
  await pool.query("INSERT INTO organiser_identities VALUES ('https://id.example', 'zoe', $1)", [zoe.id])
  expect(await remove(zoe, rows[0]!.id)).toBe(409)
  const operator = await signInAsOperator(system)
  expect(await remove(operator, await addPasskey(operator))).toBe(303)
})

test('asking for mails is counted apart from guesses: whoever asks too often may still enter the code, and the other way round', async () => {
  const poll = await send(
    `${system.ingest.url}/api/polls`,
    { ...system.definition(), eligibility: { kind: 'addresses' } },
    organiser,
  )
  const slug = String(poll.body['slug'])
  const browser = new TinyBrowser()
  const ask = async (): Promise<number> => {
    await browser.goto(`${system.ingest.url}/p/${slug}`)
    return (await browser.submit({ address: 'ann@city.example' }, '/mail')).status
  }
  const guess = async (): Promise<number> => (await fetch(`${system.ingest.url}/receipts/GUESS`)).status
  for (let i = 0; i < 4; i++) expect(await ask()).toBe(200)
  expect(await ask()).toBe(429)
  expect(browser.text).toContain('Too many mails')
  for (let i = 0; i < 4; i++) expect(await guess()).toBe(404)
  expect(await guess()).toBe(429)
})

test('mails that count no more are forgotten when the next one is sent', async () => {
  const another = await system.another()
  const { pool } = system.database
  const poll = await send(
    `${another.url}/api/polls`,
    { ...system.definition(), eligibility: { kind: 'addresses' } },
    organiser,
  )
  const { id, slug } = poll.body as { id: string; slug: string }
  await pool.query(
    `INSERT INTO sent_mails (poll_id, code_id, at)
     SELECT $1, 'row ' || n, now() - n * interval '1 minute' FROM generate_series(1, 100) n`,
    [id],
  )
  await send(`${another.url}/api/polls/${id}/addresses`, { addresses: ['ann@city.example'] }, organiser)
  const browser = await new TinyBrowser().goto(`${another.url}/p/${slug}`)
  const before = mailbox.mails.length
  await browser.submit({ address: 'ann@city.example' }, '/mail')
  await expect.poll(() => mailbox.mails.length, { timeout: 10_000 }).toBe(before + 1)
  const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM sent_mails')
  expect(Number(rows[0]!.count)).toBeLessThanOrEqual(11)
  await another.close()
})

test('a voter who is signed in on two devices can sign out on both', async () => {
  const another = await system.another()
  const poll = await send(
    `${another.url}/api/polls`,
    { ...system.definition(), eligibility: { kind: 'addresses' } },
    organiser,
  )
  const { id, slug } = poll.body as { id: string; slug: string }
  await send(`${another.url}/api/polls/${id}/addresses`, { addresses: ['bob@city.example'] }, organiser)
  const signIn = async (): Promise<TinyBrowser> => {
    const browser = await new TinyBrowser().goto(`${another.url}/p/${slug}`)
    const before = mailbox.mails.length
    await browser.submit({ address: 'bob@city.example' }, '/mail')
    await expect.poll(() => mailbox.mails.length, { timeout: 10_000 }).toBe(before + 1)
    return browser.submit({ code: /^[0-9A-Z]{4}-[0-9A-Z]{4}/m.exec(mailbox.mails.at(-1)!.text)![0] }, '/confirm')
  }
  const first = await signIn()
  expect(first.text).not.toContain('on all devices')
  const second = await signIn()
  expect(second.text).toContain('Sign out on all devices')
  await second.submit({ everywhere: 'yes' }, '/leave')
  expect((await first.goto(`${another.url}/p/${slug}`)).text).toContain('Enter yours')
  await another.close()
})
