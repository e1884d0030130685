import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newPoll, openTestIngest, send, type TestIngest } from './support/running-ingest.ts'

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

/** An organiser's session, and the token of its forms. */
async function signedIn(): Promise<{ session: { cookie: string }; form_token: string }> {
  const signIn = await form('/organiser/session', { token: 'the-organiser' })
  const session = { cookie: signIn.headers.getSetCookie()[0]!.split(';', 1)[0]! }
  const page = await (await fetch(`${system.ingest.url}/organiser`, { headers: session })).text()
  return { session, form_token: /name="form_token" value="([^"]+)"/.exec(page)![1]! }
}

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
  expect(text).toContain('href="#code"')
  expect(text).toMatch(/aria-invalid="true"\s+aria-describedby="code-problem code-hint"/)
  expect(text).toMatch(/<title>Problem: /)
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
  expect(unknown).not.toContain('Nothing is recorded until you cast it')
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

test('without a choice the form comes back with the code in it, and says which part is missing', async () => {
  const text = await (await form(`/p/${slug}/review`, { code: codes[2]!, nonce: 'c'.repeat(22) })).text()
  expect(text).toContain('href="#option-t"')
  expect(text).toContain('id="option-problem"')
  expect(text).toContain(`value="${codes[2]!}"`)
})

test('the whole way needs no script: ballot, review, change, cast, receipt, counted', async () => {
  const ballot = await fetch(`${system.ingest.url}/p/${slug}`)
  const nonce = /name="nonce" value="([\w-]{22})"/.exec(await ballot.text())![1]!
  const fields = { code: codes[2]!, option: 't', nonce }
  const review = await (await form(`/p/${slug}/review`, fields)).text()
  expect(review).toContain('Nothing is recorded until you cast it')
  const changed = await (await form(`/p/${slug}`, fields)).text()
  expect(changed).toContain(`value="${nonce}"`)
  const cast = await form(`/p/${slug}/cast`, { ...fields, option: 'c' })
  const address = `${system.ingest.url}${cast.headers.get('location')!}`
  const recorded = await (await fetch(address)).text()
  expect(recorded).toMatch(/<noscript>\s*<meta http-equiv="refresh" content="2"/)
  expect(recorded).toMatch(/<h1 id="receipt-title">Recorded/)
  for (const page of [review, changed, recorded]) {
    expect(page).not.toMatch(/<script(?![^>]*src=)|\son\w+=|\sstyle=/)
  }
  await system.database.pool.query(
    `INSERT INTO receipts SELECT receipt, poll_id, ballot_id, 'counted', NULL, now() FROM claims WHERE receipt = $1`,
    [address.split('/').pop()],
  )
  const counted = await (await fetch(address)).text()
  expect(counted).toMatch(/<h1 id="receipt-title">Counted/)
  expect(counted).not.toContain('http-equiv="refresh"')
  // A double click, or the back button and once more: the same ballot, the same receipt.
  const again = await form(`/p/${slug}/cast`, { ...fields, option: 'c' })
  expect(again.headers.get('location')).toBe(cast.headers.get('location'))
})

test('a poll that closes while the form is open says so and keeps the choice', async () => {
  const poll = await newPoll(system)
  await send(`${system.ingest.url}/api/polls/${poll.id}/close`, {}, { authorization: 'Bearer the-organiser' })
  const fields = { code: poll.codes[0]!, option: 'b', nonce: 'd'.repeat(22) }
  for (const step of ['review', 'cast']) {
    const response = await form(`/p/${poll.slug}/${step}`, fields)
    expect(response.status).toBe(410)
    const text = await response.text()
    expect(text).toContain('This poll has closed. Your ballot was not recorded.')
    expect(text).toMatch(/value="b"\s+required\s+checked/)
  }
})

test('a ballot that was on its way at the close is not denied: not when it is sent again, and not when its review is', async () => {
  const poll = await newPoll(system)
  const fields = { code: poll.codes[0]!, option: 'b', nonce: 'e'.repeat(22) }
  system.log.fault = 'written-but-unknown'
  await form(`/p/${poll.slug}/cast`, fields)
  system.log.fault = 'none'
  await send(`${system.ingest.url}/api/polls/${poll.id}/close`, {}, { authorization: 'Bearer the-organiser' })
  for (const step of ['review', 'cast']) {
    const response = await form(`/p/${poll.slug}/${step}`, fields)
    expect(response.status).toBe(503)
    const text = await response.text()
    expect(text).toContain('it is not yet known whether your ballot was recorded before')
    expect(text).toContain('Cast this ballot')
    expect(text).not.toContain('was not recorded')
  }
  await system.database.pool.query("UPDATE claims SET state = 'recorded' WHERE poll_id = $1", [poll.id])
  for (const step of ['review', 'cast']) {
    const response = await form(`/p/${poll.slug}/${step}`, fields)
    expect(response.headers.get('location')).toMatch(/^\/receipts\//)
  }
})

test('styles and scripts are named by their content and may be kept for ever', async () => {
  const text = await (await fetch(`${system.ingest.url}/`)).text()
  const path = /href="(\/assets\/[\w-]{12}\/ballot\.css)"/.exec(text)![1]!
  const css = await fetch(`${system.ingest.url}${path}`)
  expect(css.headers.get('cache-control')).toContain('immutable')
  expect(await css.text()).toContain('prefers-color-scheme: dark')
  const other = path.replace(/assets\/[\w-]{12}/, 'assets/000000000000')
  expect((await fetch(`${system.ingest.url}${other}`)).status).toBe(404)
})

test('an organiser may set a later opening and the number of entitled voters', async () => {
  const { session, form_token } = await signedIn()
  const opens = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16)
  const fields = { title: 'Later', options: 'A\nB', regions: '', opens, hours: '2', electorate: '30', revote: 'last' }
  const created = await form('/organiser/polls', { ...fields, form_token }, session)
  expect(created.status).toBe(303)
  const text = await (
    await fetch(`${system.ingest.url}${created.headers.get('location')!}`, { headers: session })
  ).text()
  expect(text).toContain('<strong>scheduled</strong>')
  expect(text).toContain('http://results.example/p/later-')
  const wrong = await form('/organiser/polls', { ...fields, opens: 'tomorrow', form_token }, session)
  expect(wrong.status).toBe(400)
  expect(await wrong.text()).toContain('The time of the opening is no time.')
})

test('an organiser who mistypes the hours is told, and nothing is created', async () => {
  const { session, form_token } = await signedIn()
  for (const hours of ['99999', '0', '-1', 'two', '']) {
    const fields = { title: `For ${hours} hours`, options: 'A\nB', regions: '', hours, revote: 'last', form_token }
    const response = await form('/organiser/polls', fields, session)
    expect([hours, response.status]).toEqual([hours, 400])
    const text = await response.text()
    expect(text).toContain('must be a number above 0 and up to 8,760')
    expect(text).toContain(`value="For ${hours} hours"`)
  }
})

test('a poll that is closed before it opens has no times in the wrong order', async () => {
  const poll = await newPoll(system, { opensInMs: 1_800_000 })
  await send(`${system.ingest.url}/api/polls/${poll.id}/close`, {}, { authorization: 'Bearer the-organiser' })
  const { session } = await signedIn()
  const text = await (await fetch(`${system.ingest.url}/organiser/polls/${poll.id}`, { headers: session })).text()
  expect(text).toMatch(/Closed \w+ \d+, \d{4}, .* UTC, before it was to open at .* UTC\./)
})
