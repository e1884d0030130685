import { afterAll, beforeAll, expect, test } from 'vitest'
import { IdentityProvider } from './support/identity-provider.ts'
import { Mailbox } from './support/mailbox.ts'
import { newNonce, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let mailbox: Mailbox
let provider: IdentityProvider
let system: TestIngest
const url = (path: string): string => `${system.ingest.url}${path}`

beforeAll(async () => {
  mailbox = await Mailbox.open()
  provider = await IdentityProvider.reserve({})
  system = await openTestIngest({
    mail: { smtpUrl: mailbox.smtpUrl, from: 'Elections <elections@city.example>' },
    oidc: provider.options({ claim: 'groups', value: 'organisers' }),
  })
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

const mailsTo = (address: string): string[] => mailbox.mails.filter(({ to }) => to === address).map(({ text }) => text)
const codeIn = (mail: string): string => /^[0-9A-Z]{4}-[0-9A-Z]{4}/m.exec(mail)![0]

/** Asks for a mail, and resolves with the cookie of the browser that asked. */
async function ask(slug: string, address: string): Promise<string> {
  const asked = { method: 'POST', body: new URLSearchParams({ address }), redirect: 'manual' } as const
  return (await fetch(url(`/p/${slug}/mail`), asked)).headers.getSetCookie()[0]!.split(';', 1)[0]!
}

const confirm = (slug: string, cookie: string, code: string): Promise<Response> =>
  fetch(url(`/p/${slug}/confirm`), {
    method: 'POST',
    body: new URLSearchParams({ code }),
    headers: { cookie },
    redirect: 'manual',
  })

test('tries that come all at once are no more than five, and no more than three mails go out', async () => {
  const { id, slug } = await newPoll({ kind: 'addresses' })
  await send(url(`/api/polls/${id}/addresses`), { addresses: ['max@city.example', 'ned@city.example'] }, organiser)
  const [cookie] = await Promise.all(Array.from({ length: 6 }, () => ask(slug, 'max@city.example')))
  await expect.poll(() => mailsTo('max@city.example').length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3)
  await ask(slug, 'ned@city.example')
  await expect.poll(() => mailsTo('ned@city.example').length, { timeout: 10_000 }).toBe(1)
  expect(mailsTo('max@city.example')).toHaveLength(3)

  const guess = async () => (await confirm(slug, cookie!, '0000-0000')).text()
  const answers = await Promise.all(Array.from({ length: 8 }, guess))
  expect(answers.filter((text) => text.includes('This is not the code from the newest mail'))).toHaveLength(4)
})

/** Gives a poll other terms. */
const changeTo = async (id: string, terms: object): Promise<void> => {
  const response = await fetch(url(`/api/polls/${id}`), {
    method: 'PUT',
    headers: { ...organiser, 'content-type': 'application/json' },
    body: JSON.stringify({ ...system.definition(), ...terms }),
  })
  expect(response.status).toBe(200)
}

test('a code that was issued before the poll became one for listed addresses opens it no more', async () => {
  const { id } = await newPoll({ kind: 'codes' }, { draft: true })
  const issued = await send(url(`/api/polls/${id}/codes`), { count: 1 }, organiser)
  await changeTo(id, { eligibility: { kind: 'addresses' } })
  expect((await send(url(`/api/polls/${id}/publish`), {}, organiser)).status).toBe(200)
  const code = (issued.body['codes'] as string[])[0]!
  const cast = await send(url(`/api/polls/${id}/ballots`), { code, option: 'a', nonce: newNonce() })
  expect([cast.status, cast.body['code']]).toEqual([403, 'bad-code'])
})

test('who has signed in by mail signs in anew once the poll is for others', async () => {
  const { id, slug } = await newPoll({ kind: 'addresses' }, { opensAt: new Date(Date.now() + 3e6).toISOString() })
  await send(url(`/api/polls/${id}/addresses`), { addresses: ['lea@city.example'] }, organiser)
  const attempt = await ask(slug, 'lea@city.example')
  await expect.poll(() => mailsTo('lea@city.example').length, { timeout: 10_000 }).toBe(1)
  const confirmed = await confirm(slug, attempt, codeIn(mailsTo('lea@city.example')[0]!))
  const cookie = confirmed.headers
    .getSetCookie()
    .find((text) => text.includes('voter-'))!
    .split(';', 1)[0]!
  await changeTo(id, {
    opensAt: new Date(Date.now() + 3e6).toISOString(),
    eligibility: { kind: 'claim', claim: 'groups', value: 'members' },
  })
  await system.database.pool.query("UPDATE polls SET opens_at = now() - interval '1 second' WHERE id = $1", [id])
  const page = async () => (await fetch(url(`/p/${slug}`), { headers: { cookie } })).text()
  await expect.poll(page, { timeout: 10_000 }).not.toContain('not open yet')
  expect(await page()).toContain('Sign in with Example City')
})
