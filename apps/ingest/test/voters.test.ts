import { type AddressInfo, createServer } from 'node:net'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Mailer } from '../src/sign-in/mailer.ts'
import { IdentityProvider, logIn } from './support/identity-provider.ts'
import { Mailbox, type ReceivedMail } from './support/mailbox.ts'
import { newNonce, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'
import { TinyBrowser } from './support/tiny-browser.ts'

let mailbox: Mailbox
let provider: IdentityProvider
let system: TestIngest
const url = (path: string): string => `${system.ingest.url}${path}`

beforeAll(async () => {
  mailbox = await Mailbox.open()
  provider = await IdentityProvider.reserve({
    mia: { name: 'Mia', groups: ['members'] },
    guest: { name: 'Guest', groups: [] },
  })
  system = await openTestIngest({
    mail: { smtpUrl: mailbox.smtpUrl, from: 'Elections <elections@city.example>' },
    oidc: provider.options({ claim: 'groups', value: 'organisers' }),
  })
  provider.serve(url('/sign-in/callback'))
})
afterAll(async () => {
  await system.close()
  await provider.close()
  await mailbox.close()
})

async function newPoll(eligibility: object, terms: object = {}): Promise<{ id: string; slug: string }> {
  const poll = await send(url('/api/polls'), { ...system.definition(), ...terms, eligibility }, organiser)
  expect(poll.status).toBe(201)
  return poll.body as { id: string; slug: string }
}

/** A poll for these addresses. */
async function mailPoll(...addresses: string[]): Promise<{ id: string; slug: string }> {
  const poll = await newPoll({ kind: 'addresses' })
  const listed = await send(url(`/api/polls/${poll.id}/addresses`), { addresses, region: 'north' }, organiser)
  expect([listed.status, listed.body]).toEqual([201, { listed: addresses.length }])
  return poll
}

/** Goes through review to the receipt. */
async function vote(browser: TinyBrowser, option: string): Promise<TinyBrowser> {
  await browser.submit({ option }, '/review')
  return browser.submit({}, '/cast')
}

/** Asks for a mail; null when none comes, which is known when that for another address does. */
async function askForMail(browser: TinyBrowser, slug: string, address: string): Promise<ReceivedMail | null> {
  const before = mailbox.mails.length
  await browser.goto(url(`/p/${slug}`))
  await browser.submit({ address }, '/mail')
  expect([browser.status, browser.text.includes('If the address is listed for this poll')]).toEqual([200, true])
  const end = Date.now() + (address.startsWith('no-mail') ? 300 : 10_000)
  while (mailbox.mails.length === before && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  return mailbox.mails[before] ?? null
}

const linkIn = (mail: ReceivedMail | null): string => /http:\S+\/confirm\?token=[\w-]{43}/.exec(mail!.text)![0]
const codeIn = (mail: ReceivedMail | null): string => /^[0-9A-Z]{4}-[0-9A-Z]{4}/m.exec(mail!.text)![0]

test('a listed address gets a link, and who opens it in the same browser votes once, in the region of the list', async () => {
  const { id, slug } = await mailPoll('Ann@City.example')
  const browser = new TinyBrowser()
  const mail = await askForMail(browser, slug, ' ann@city.example ')
  expect(mail).toMatchObject({ to: 'ann@city.example', from: 'elections@city.example' })
  expect(mail!.text).toContain('Subject: Vote: Which?')
  await browser.goto(linkIn(mail))
  // A program that follows links has not used it up.
  await browser.goto(linkIn(mail))
  await browser.submit({}, '/confirm')
  expect(browser.url).toBe(url(`/p/${slug}`))
  expect(browser.text).not.toContain('Your voter code')
  await vote(browser, 'a')
  expect(browser.text).toContain('Recorded')
  await browser.goto(url(`/p/${slug}`))
  await vote(browser, 'b')
  expect(browser.text).toContain('A ballot was already recorded')
  const { rows } = await system.database.pool.query('SELECT region FROM codes WHERE poll_id = $1', [id])
  expect(rows).toEqual([{ region: 'north' }])
})

test('one voter stays one voter in another browser, and however the address is written', async () => {
  const { slug } = await mailPoll('bob@city.example')
  const [one, other] = [new TinyBrowser(), new TinyBrowser()]
  const mail = await askForMail(one, slug, 'bob@city.example')
  await one.submit({ code: codeIn(mail).toLowerCase().replace('-', ' ') }, '/confirm')
  await vote(one, 'a')
  expect(one.text).toContain('Recorded')
  await other.goto(linkIn(await askForMail(other, slug, 'BOB@city.example')))
  await other.submit({}, '/confirm')
  await vote(other, 'b')
  expect(other.text).toContain('A ballot was already recorded')
})

test('an address that is not listed gets no mail, and its page looks the same', async () => {
  const { slug } = await mailPoll('carl@city.example')
  const browser = new TinyBrowser()
  expect(await askForMail(browser, slug, 'no-mail@city.example')).toBeNull()
  const unlisted = browser.text
  await askForMail(browser, slug, 'carl@city.example')
  expect(browser.text).toBe(unlisted)
})

test('a link is of no use in another browser, twice, or after ten minutes', async () => {
  const { slug } = await mailPoll('dora@city.example')
  const [browser, thief] = [new TinyBrowser(), new TinyBrowser()]
  const link = linkIn(await askForMail(browser, slug, 'dora@city.example'))
  await thief.goto(link)
  expect(thief.text).toContain('Open this link where you asked for it')
  await askForMail(thief, slug, 'no-mail@city.example')
  await thief.goto(link)
  await thief.submit({}, '/confirm')
  expect(thief.status).toBe(403)
  await browser.goto(link)
  await browser.submit({}, '/confirm')
  expect(browser.status).toBe(200)
  await browser.goto(link)
  expect(browser.text).toContain('Open this link where you asked for it')

  const late = new TinyBrowser()
  const lateLink = linkIn(await askForMail(late, slug, 'dora@city.example'))
  await system.database.pool.query("UPDATE sign_in_attempts SET expires_at = now() - interval '1 second'")
  await late.goto(lateLink)
  expect(late.text).toContain('Open this link where you asked for it')
})

test('a code that was mistyped five times is worth nothing, and nobody gets more than three mails in ten minutes', async () => {
  const { slug } = await mailPoll('eve@city.example')
  const browser = new TinyBrowser()
  const code = codeIn(await askForMail(browser, slug, 'eve@city.example'))
  for (let i = 0; i < 4; i++) {
    await browser.submit({ code: '0000-0000' }, '/confirm')
    expect(browser.text).toContain('This is not the code from the newest mail')
  }
  await browser.submit({ code: '0000-0000' }, '/confirm')
  expect(browser.text).toContain('mistyped too often')
  await browser.goto(url(`/p/${slug}/mail`))
  await browser.submit({ code }, '/confirm')
  expect(browser.status).toBe(403)
  const before = mailbox.mails.length
  for (let i = 0; i < 2; i++) await askForMail(browser, slug, 'eve@city.example')
  await browser.goto(url(`/p/${slug}`))
  await browser.submit({ address: 'eve@city.example' }, '/mail')
  await askForMail(new TinyBrowser(), (await mailPoll('fay@city.example')).slug, 'fay@city.example')
  expect(mailbox.mails.slice(before).map(({ to }) => to)).toEqual([
    'eve@city.example',
    'eve@city.example',
    'fay@city.example',
  ])
})

test('who has asked too often is refused alike for a listed address and one that is not', async () => {
  const strict = await system.another({ failuresPerMinute: 2 })
  const { slug } = await mailPoll('jo@city.example')
  const ask = async (address: string) => {
    const body = new URLSearchParams({ address })
    return (await fetch(`${strict.url}/p/${slug}/mail`, { method: 'POST', body, redirect: 'manual' })).status
  }
  expect([await ask('jo@city.example'), await ask('no-mail@city.example')]).toEqual([303, 303])
  expect([await ask('jo@city.example'), await ask('no-mail@city.example')]).toEqual([429, 429])
  await strict.close()
})

test('no address is kept, and nothing with which a mail could be used', async () => {
  const { slug } = await mailPoll('secret.person@city.example')
  const mail = await askForMail(new TinyBrowser(), slug, 'secret.person@city.example')
  const token = linkIn(mail).split('token=')[1]!
  const tables = ['codes', 'sign_in_attempts', 'sent_mails', 'sessions', 'claims', 'polls', 'poll_events']
  for (const table of tables) {
    const { rows } = await system.database.pool.query(
      `SELECT coalesce(jsonb_agg(t), '[]')::text AS text FROM ${table} t`,
    )
    for (const secret of ['secret.person', token, codeIn(mail)])
      expect([table, rows[0].text.includes(secret)]).toEqual([table, false])
  }
})

test('a voter who signs out is out at once; another form of theirs is refused, and one without the session’s token, too', async () => {
  const { slug } = await mailPoll('gil@city.example')
  const browser = new TinyBrowser()
  await browser.goto(linkIn(await askForMail(browser, slug, 'gil@city.example')))
  await browser.submit({}, '/confirm')
  const fields = { option: 'a', nonce: newNonce() }
  const cookie = browser.cookies(url('/'))
  const cast = (form: Record<string, string>) =>
    fetch(url(`/p/${slug}/cast`), { method: 'POST', body: new URLSearchParams(form), headers: { cookie } })
  const formToken = /name="form_token" value="([^"]+)"/.exec(browser.text)![1]!
  expect((await cast(fields)).status).toBe(403)
  expect((await cast({ ...fields, form_token: 'x'.repeat(43) })).status).toBe(403)
  await browser.submit({}, '/leave')
  expect(browser.text).toContain('Send the mail')
  const refused = await cast({ ...fields, form_token: formToken })
  expect(refused.status).toBe(403)
  expect(await refused.text()).toContain('You are not signed in any more')
})

test('a voter’s session ends when it was not used for half an hour, and after twelve hours', async () => {
  const { id, slug } = await mailPoll('ivy@city.example')
  const browser = new TinyBrowser()
  await browser.goto(linkIn(await askForMail(browser, slug, 'ivy@city.example')))
  await browser.submit({}, '/confirm')
  const isIn = async (unused: string, age: string) => {
    const set = 'UPDATE sessions SET last_used_at = now() - $2::interval, created_at = now() - $3::interval'
    await system.database.pool.query(`${set} WHERE audience = $1`, [id, unused, age])
    return (await browser.goto(url(`/p/${slug}`))).text.includes('You are signed in to this poll')
  }
  expect(await isIn('29 minutes', '1 hour')).toBe(true)
  expect(await isIn('31 minutes', '1 hour')).toBe(false)
  expect(await isIn('1 minute', '11 hours 59 minutes')).toBe(true)
  expect(await isIn('1 minute', '12 hours 1 minute')).toBe(false)
})

test('a session for one poll is none for another', async () => {
  const one = await mailPoll('hal@city.example')
  const other = await mailPoll('hal@city.example')
  const browser = new TinyBrowser()
  await browser.goto(linkIn(await askForMail(browser, one.slug, 'hal@city.example')))
  await browser.submit({}, '/confirm')
  const value = /voter-[^=]+=([\w-]+)/.exec(browser.cookies(url('/')))![1]!
  const headers = { cookie: `__Host-voter-${other.id}=${value}` }
  expect(await (await fetch(url(`/p/${other.slug}`), { headers })).text()).toContain('Send the mail')
})

test('a mail server that is away is logged and hides nothing else: the page is the same', async () => {
  const away = await system.another({ mail: { smtpUrl: 'smtp://127.0.0.1:1', from: 'a@b.example' } })
  const { slug } = await mailPoll('ida@city.example')
  const browser = await new TinyBrowser().goto(`${away.url}/p/${slug}`)
  await browser.submit({ address: 'ida@city.example' }, '/mail')
  expect(browser.text).toContain('If the address is listed for this poll')
  await away.close()
})

test('a mail server that says nothing is given up, and the log says so without the address', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const said: string[] = []
  const logger = {
    ...silentLogger,
    error: (fields: object, text: string) => void said.push(JSON.stringify(fields) + text),
  }
  const mailer = await Mailer.open({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'a@b.example', timeoutMs: 200 }, logger)
  mailer.send({ to: 'kim@city.example', subject: 'x', text: 'x' })
  await mailer.close()
  expect(said).toEqual([expect.stringContaining('"code":"ETIMEDOUT"')])
  expect(said.join()).not.toContain('kim')
  server.close()
})

test('anyone with the link votes once per browser, and the ballot says that the poll is indicative', async () => {
  const { slug } = await newPoll({ kind: 'link' })
  const [one, other] = [new TinyBrowser(), new TinyBrowser()]
  for (const browser of [one, other]) {
    await browser.goto(url(`/p/${slug}`))
    expect(browser.text).toContain('Indicative poll.')
    await vote(browser, 'a')
    expect(browser.text).toContain('Recorded')
  }
  await one.goto(url(`/p/${slug}`))
  await vote(one, 'b')
  expect(one.text).toContain('A ballot was already recorded')
})

test('a program votes in a poll for anyone with a secret that it keeps, and with nothing shorter', async () => {
  const { id } = await newPoll({ kind: 'link' }, { revote: 'last' })
  const cast = (code: string, option: string) =>
    send(url(`/api/polls/${id}/ballots`), { code, option, nonce: newNonce() })
  const secret = newNonce()
  expect((await cast(secret, 'a')).status).toBe(201)
  expect((await cast(secret, 'b')).status).toBe(201)
  expect((await cast('short', 'a')).body['code']).toBe('bad-code')
  const { rows } = await system.database.pool.query('SELECT DISTINCT tag FROM claims WHERE poll_id = $1', [id])
  expect(rows).toHaveLength(1)
})

test('who has the claim of the poll votes by the provider’s word, once, whatever they are called; others are told', async () => {
  const { id, slug } = await newPoll({ kind: 'claim', claim: 'groups', value: 'members' })
  const mia = await new TinyBrowser().goto(url(`/p/${slug}`))
  expect(mia.text).toContain('Sign in with Example City')
  await logIn(await mia.goto(url(`/sign-in/voter/${slug}`)), 'mia')
  expect(mia.url).toBe(url(`/p/${slug}`))
  await vote(mia, 'a')
  expect(mia.text).toContain('Recorded')
  provider.users.get('mia')!.name = 'Mia Married'
  const again = new TinyBrowser()
  await logIn(await again.goto(url(`/sign-in/voter/${slug}`)), 'mia')
  await vote(again, 'b')
  expect(again.text).toContain('A ballot was already recorded')
  const guest = new TinyBrowser()
  await logIn(await guest.goto(url(`/sign-in/voter/${slug}`)), 'guest')
  expect([guest.status, guest.text.includes('this poll is for others')]).toEqual([403, true])
  // A voter is no organiser, and their name is not kept.
  await mia.goto(url('/organiser'))
  expect(mia.text).toContain('For organisers')
  const { rows } = await system.database.pool.query(
    'SELECT to_jsonb(c)::text AS text FROM codes c WHERE poll_id = $1',
    [id],
  )
  expect(rows).toHaveLength(1)
  expect(rows[0].text).not.toContain('mia')
})

test.each([
  ['codes', 'addresses', { addresses: ['x@y.example'] }],
  ['addresses', 'codes', { count: 1 }],
  ['link', 'codes', { count: 1 }],
])('a poll for %s takes no %s', async (kind, list, body) => {
  const { id } = await newPoll({ kind })
  expect((await send(url(`/api/polls/${id}/${list}`), body, organiser)).body).toMatchObject({
    status: 409,
    code: 'other-voters',
  })
})

test.each([
  [{ kind: 'friends' }],
  [{ kind: 'claim', claim: 'groups' }],
  [{ kind: 'codes', value: 'x' }],
  ['link'],
  [{ kind: 'link', more: 1 }],
])('the eligibility %j is refused', async (eligibility) => {
  const answer = await send(url('/api/polls'), { ...system.definition(), eligibility }, organiser)
  expect(answer.body).toMatchObject({ status: 400, code: 'malformed' })
  expect(answer.body['detail']).toContain('eligibility must be')
})

test('polls that need what is not set up are refused with the way out', async () => {
  const bare = await system.another({ mail: null, oidc: null })
  const create = (eligibility: object) =>
    send(`${bare.url}/api/polls`, { ...system.definition(), eligibility }, organiser)
  expect((await create({ kind: 'addresses' })).body['detail']).toContain('set SMTP_URL')
  expect((await create({ kind: 'claim', claim: 'a', value: 'b' })).body['detail']).toContain('set OIDC_ISSUER')
  await bare.close()
})

test('a list with something that is no address is refused as a whole, and one of three thousand is taken', async () => {
  const { id } = await newPoll({ kind: 'addresses' })
  const list = (addresses: string[]) => send(url(`/api/polls/${id}/addresses`), { addresses }, organiser)
  const wrong = await list(['ok@city.example', 'no address'])
  expect([wrong.status, String(wrong.body['detail']).includes('"no address" is no e-mail address')]).toEqual([
    400,
    true,
  ])
  const many = Array.from({ length: 3000 }, (_, i) => `a.rather.long.name.of.somebody.${i}@city.example`)
  expect((await list(many)).body).toEqual({ listed: 3000 })
  expect((await list([...many, 'ok@city.example'])).body).toEqual({ listed: 1 })
})
