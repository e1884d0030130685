import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openTestIngest, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
let slug: string
let codes: string[]

beforeAll(async () => {
  system = await openTestIngest()
  const organiser = { authorization: 'Bearer the-organiser' }
  const poll = await send(
    `${system.ingest.url}/api/polls`,
    {
      title: 'Tea <b>or</b> coffee?',
      options: [
        { id: 't', label: 'Tea' },
        { id: 'c', label: 'Coffee & cake' },
      ],
      opensAt: new Date(Date.now() - 1000).toISOString(),
      closesAt: new Date(Date.now() + 3_600_000).toISOString(),
      revote: 'first',
    },
    organiser,
  )
  slug = String(poll.body['slug'])
  const issued = await send(`${system.ingest.url}/api/polls/${String(poll.body['id'])}/codes`, { count: 5 }, organiser)
  codes = issued.body['codes'] as string[]
})
afterAll(() => system.close())
afterEach(() => {
  system.log.fault = 'none'
})

const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${system.ingest.url}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    redirect: 'manual',
  })

test('every page carries a strict policy and escapes what comes from a poll', async () => {
  const response = await fetch(`${system.ingest.url}/p/${slug}`)
  const text = await response.text()
  expect(text).toContain('Tea &lt;b&gt;or&lt;/b&gt; coffee?')
  expect(text).toContain('Coffee &amp; cake')
  const policy = response.headers.get('content-security-policy')!
  for (const directive of ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    expect(policy).toContain(directive)
  }
  expect(policy).not.toContain('unsafe')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('a wrong code keeps the choice and says what to do', async () => {
  const response = await form(`/p/${slug}/review`, { code: 'WRONG', option: 'c', nonce: 'n'.repeat(22) })
  expect(response.status).toBe(403)
  const text = await response.text()
  expect(text).toContain('role="alert"')
  expect(text).toMatch(/value="c"\s+required\s+checked/)
  expect(text).toContain(`value="${'n'.repeat(22)}"`)
})

test('when the log is away the page says truthfully that nothing was recorded, and the same form works later', async () => {
  const ballot = { code: codes[0]!, option: 't', nonce: 'a'.repeat(22) }
  system.log.fault = 'not-written'
  const refused = await form(`/p/${slug}/cast`, ballot)
  expect(refused.status).toBe(503)
  const text = await refused.text()
  expect(text).toContain('was NOT recorded')
  expect(text).toContain('Cast this ballot')
  expect(text).toContain(`value="${'a'.repeat(22)}"`)
  system.log.fault = 'unknown'
  const unknown = await (await form(`/p/${slug}/cast`, ballot)).text()
  expect(unknown).toContain('It is not yet known whether your ballot was recorded')
  system.log.fault = 'none'
  const cast = await form(`/p/${slug}/cast`, ballot)
  expect(cast.status).toBe(303)
  const receipt = await fetch(`${system.ingest.url}${cast.headers.get('location')!}`)
  expect(await receipt.text()).toContain('Recorded')
})

test('a form that another site sends is not accepted', async () => {
  const ballot = { code: codes[1]!, option: 't', nonce: 'b'.repeat(22) }
  expect((await form(`/p/${slug}/cast`, ballot, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  const byOrigin = await fetch(`${system.ingest.url}/p/${slug}/cast`, {
    method: 'POST',
    body: new URLSearchParams(ballot),
    headers: { origin: 'http://evil.example' },
    redirect: 'manual',
  })
  expect(byOrigin.status).toBe(403)
  expect((await form(`/p/${slug}/cast`, ballot)).status).toBe(303)
})

test('organisers sign in with the token, every form needs the token of the session, and signing out ends it at once', async () => {
  expect((await form('/organiser/session', { token: 'wrong' })).status).toBe(401)
  const signIn = await form('/organiser/session', { token: 'the-organiser' })
  expect(signIn.status).toBe(303)
  const [cookie] = signIn.headers.getSetCookie()
  expect(cookie).toMatch(/^__Host-organiser=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const session = { cookie: cookie!.split(';', 1)[0]! }
  const page = await (await fetch(`${system.ingest.url}/organiser`, { headers: session })).text()
  const formToken = /name="form_token" value="([^"]+)"/.exec(page)![1]!
  const fields = { title: 'New', options: 'A\nB', regions: '', hours: '2', revote: 'last' }
  expect((await form('/organiser/polls', fields, session)).status).toBe(403)
  expect((await form('/organiser/polls', { ...fields, form_token: 'x' }, session)).status).toBe(403)
  const created = await form('/organiser/polls', { ...fields, form_token: formToken }, session)
  expect(created.status).toBe(303)
  const pollPath = created.headers.get('location')!
  const unconfirmed = await form(`${pollPath}/close`, { confirm: 'no', form_token: formToken }, session)
  expect(unconfirmed.status).toBe(400)
  expect((await form(`${pollPath}/close`, { confirm: 'Close', form_token: formToken }, session)).status).toBe(303)
  expect((await form('/organiser/session/end', { form_token: formToken }, session)).status).toBe(303)
  expect((await form('/organiser/polls', { ...fields, form_token: formToken }, session)).status).toBe(403)
})
