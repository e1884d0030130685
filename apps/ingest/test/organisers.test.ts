import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createByForm,
  newOrganiser,
  type OrganiserClient,
  sendForm,
  signInAsOperator,
} from './support/organiser-client.ts'
import { openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
let mary: OrganiserClient
let zoe: OrganiserClient
beforeAll(async () => {
  // No mail is sent here.
  system = await openTestIngest({ mail: { smtpUrl: 'smtp://127.0.0.1:1', from: 'a@b.example' } })
  mary = await newOrganiser(system, 'Mary')
  zoe = await newOrganiser(system, 'Zoe')
})
afterAll(() => system.close())

const url = (path: string): string => `${system.ingest.url}${path}`

/** What everybody may ask for: it shows nothing that only an organiser may see. */
const forEverybody = new Set([
  'GET /',
  'GET /p/:slug',
  'POST /p/:slug',
  'POST /p/:slug/review',
  'POST /p/:slug/cast',
  'POST /p/:slug/mail',
  'GET /p/:slug/mail',
  'GET /p/:slug/confirm',
  'POST /p/:slug/confirm',
  'POST /p/:slug/leave',
  'GET /s/:short',
  'GET /receipts',
  'GET /receipts/:receipt',
  'GET /api/receipts/:receipt',
  'POST /api/polls/:id/ballots',
  'GET /assets/:version/:name',
  'GET /openapi.json',
  'GET /organiser/join',
  'POST /organiser/session',
  'POST /organiser/session/passkey/options',
  'POST /organiser/session/passkey',
])

/** What an organiser asks for without naming a poll. */
const withoutPoll = new Set([
  'GET /organiser',
  'GET /organiser/account',
  'POST /organiser/polls',
  'POST /organiser/session/end',
  'POST /organiser/sessions/:session/end',
  'POST /organiser/passkeys',
  'POST /organiser/passkeys/options',
  'POST /organiser/passkeys/:passkey/remove',
  'POST /api/polls',
  'POST /api/organisers',
])

const routes = (): string[] => system.ingest.routes.filter((route) => !route.startsWith('HEAD '))
const ofPolls = (): string[] => routes().filter((route) => !forEverybody.has(route) && !withoutPoll.has(route))

/** Fields with which every form of a poll does what it is for. */
const everyField = {
  confirm: 'close',
  count: '1',
  addresses: 'x@y.example',
  extra_hours: '1',
  reason: 'Because',
  title: 'Changed',
  options: 'X\nY',
}
/** Routes that are for drafts. */
const forDrafts = /\/(?:publish|discard|edit)$|^PUT /

/** Everything that is kept of a poll. */
async function kept(id: string): Promise<unknown> {
  const { rows } = await system.database.pool.query(
    `SELECT to_jsonb(p) AS poll, (SELECT count(*) FROM codes WHERE poll_id = p.id) AS codes,
       (SELECT count(*) FROM poll_events WHERE poll_id = p.id) AS events FROM polls p WHERE id = $1`,
    [id],
  )
  return rows[0]
}

async function ask(route: string, pollId: string, client: OrganiserClient): Promise<Response> {
  const [method, path] = route.split(' ') as [string, string]
  const address = path.replace(':id', pollId)
  if (address.startsWith('/api/')) {
    const answer = { method, headers: { ...organiser, 'content-type': 'application/json' } }
    const closesAt = new Date(Date.now() + 7_200_000).toISOString()
    const fields = { count: 1, addresses: ['x@y.example'], reason: 'Because', ...system.definition(), closesAt }
    return fetch(url(address), { ...answer, ...(method !== 'GET' && { body: JSON.stringify(fields) }) })
  }
  return method === 'GET' ? client.get(address) : client.post(address, everyField)
}

test('every route is known to this test as one for everybody, one without a poll, or one of a poll', () => {
  for (const route of [...forEverybody, ...withoutPoll]) expect(routes()).toContain(route)
  for (const route of ofPolls()) expect(route).toMatch(/^(?:GET|POST|PUT) \/(?:organiser|api)\/polls\/:id(?:\/|$)/)
})

test('no route lets an organiser see or touch the poll of another, and each works for its owner', async () => {
  const title = 'Only for Mary'
  const hers = await createByForm(mary, { title })
  const before = await kept(hers)
  for (const route of ofPolls()) {
    const answer = await ask(route, hers, zoe)
    expect([route, answer.status]).toEqual([route, 404])
    expect(await answer.text()).not.toContain(title)
    expect([route, await kept(hers)]).toEqual([route, before])
  }
  for (const route of routes().filter((route) => route.startsWith('GET /organiser') && !route.includes(':'))) {
    const text = await (await ask(route, '', zoe)).text()
    expect(text).not.toContain(title)
    expect(text).not.toContain(hers)
  }
  expect(await mary.page('/organiser')).toContain(title)
  for (const route of ofPolls()) {
    const isApi = route.includes('/api/')
    const draft = forDrafts.test(route)
    const eligibility = route.endsWith('/addresses') ? { kind: 'addresses' } : { kind: 'codes' }
    const created = isApi && (await send(url('/api/polls'), { ...system.definition(), eligibility, draft }, organiser))
    const own = created
      ? String(created.body['id'])
      : await createByForm(mary, { eligibility: eligibility.kind, ...(draft && { save_as: 'draft' }) })
    const answer = await ask(route, own, mary)
    expect([route, answer.status < 400 ? 'done' : await answer.text()]).toEqual([route, 'done'])
  }
})

test('no route of organisers answers who is not signed in', async () => {
  const own = await createByForm(mary)
  const before = await kept(own)
  const stranger = { ...mary, cookie: '' }
  for (const route of ofPolls().filter((route) => !route.includes('/api/'))) {
    const [method, path] = route.split(' ') as [string, string]
    const address = url(path.replace(':id', own))
    const answer =
      method === 'GET'
        ? await fetch(address, { redirect: 'manual' })
        : await sendForm(address, { ...everyField, form_token: stranger.formToken })
    expect([route, answer.status]).toEqual([route, method === 'GET' ? 303 : 403])
    expect(await kept(own)).toEqual(before)
  }
})

test('no form is taken from another site, whichever way the browser says so', async () => {
  const own = await createByForm(mary)
  const forms = routes().filter((route) => route.startsWith('POST /') && !route.includes('/api/'))
  expect(forms.length).toBeGreaterThan(8)
  for (const route of forms) {
    const address = url(route.split(' ')[1]!.replace(':id', own).replace(/:\w+/, 'x'))
    const body = new URLSearchParams({ ...everyField, form_token: mary.formToken })
    for (const foreign of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const headers = { cookie: mary.cookie, ...foreign } as Record<string, string>
      const answer = await fetch(address, { method: 'POST', body, headers, redirect: 'manual' })
      expect([route, foreign, answer.status]).toEqual([route, foreign, 403])
      expect(await answer.text()).toContain('another site')
    }
  }
  const { rows } = await system.database.pool.query('SELECT closed_at FROM polls WHERE id = $1', [own])
  expect(rows[0].closed_at).toBeNull()
})

test('a form of our own pages passes by Origin where the browser has no fetch metadata', async () => {
  const body = new URLSearchParams({ form_token: zoe.formToken, title: '', options: '' })
  const headers = { cookie: zoe.cookie, origin: system.ingest.url }
  const answer = await fetch(url('/organiser/polls'), { method: 'POST', body, headers, redirect: 'manual' })
  expect(answer.status).toBe(400)
})

test('a session ends when it was not used for half an hour, and after eight hours however much it is used', async () => {
  const { pool } = system.database
  for (const [column, stillGood, tooOld] of [
    ['last_used_at', '29 minutes', '31 minutes'],
    ['created_at', '7 hours 59 minutes', '8 hours 1 minute'],
  ] as const) {
    const client = await newOrganiser(system, 'Old')
    const age = (by: string) =>
      pool.query(`UPDATE sessions SET ${column} = now() - $1::interval WHERE subject = $2`, [by, client.id])
    await age(stillGood)
    expect((await client.get('/organiser/account')).status).toBe(200)
    await age(tooOld)
    expect((await client.get('/organiser/account')).status).toBe(303)
    expect((await client.post('/organiser/polls')).status).toBe(403)
  }
})

test('organisers see their sessions and end any of them, and nobody else can', async () => {
  const [here, there] = [await signInAsOperator(system), await signInAsOperator(system)]
  const page = await here.page('/organiser/account')
  expect(page).toContain('This one')
  const ends = [...page.matchAll(/action="(\/organiser\/sessions\/[\w-]{43}\/end)"/g)].map((match) => match[1]!)
  expect(ends.length).toBeGreaterThanOrEqual(2)
  const current = /This one[\s\S]*?action="([^"]+)"/.exec(page)![1]!
  const other = /This one[\s\S]*?action="([^"]+)"/.exec(await there.page('/organiser/account'))![1]!
  expect(other).not.toBe(current)
  expect((await zoe.post(other)).status).toBe(404)
  expect((await there.get('/organiser/account')).status).toBe(200)
  expect((await here.post(other)).status).toBe(303)
  expect((await there.get('/organiser/account')).status).toBe(303)
  expect((await here.get('/organiser/account')).status).toBe(200)
})

test('the database holds nothing that a session could be taken over with', async () => {
  const client = await signInAsOperator(system)
  const secret = client.cookie.split('=')[1]!
  const { rows } = await system.database.pool.query('SELECT to_jsonb(s)::text AS text FROM sessions s')
  expect(rows.length).toBeGreaterThan(0)
  for (const { text } of rows) expect(text).not.toContain(secret)
})

test('signing in gives a new session and ends the one this browser had', async () => {
  const before = await signInAsOperator(system)
  const again = await sendForm(
    url('/organiser/session'),
    { token: system.ingest.organiserToken },
    { cookie: before.cookie },
  )
  expect(again.headers.getSetCookie()[0]).not.toContain(before.cookie.split('=')[1])
  expect((await before.get('/organiser/account')).status).toBe(303)
})

test('in production the token opens the API and not the pages, and the generated one opens nothing', async () => {
  const production = await system.another({ isProduction: true, organiserToken: 'chosen-by-the-operator' })
  try {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const create = (token: string) => send(`${production.url}/api/polls`, system.definition(), bearer(token))
    expect((await create('chosen-by-the-operator')).status).toBe(201)
    const page = await (await fetch(`${production.url}/organiser`)).text()
    expect(page).not.toContain('Organiser token')
    const signIn = await sendForm(`${production.url}/organiser/session`, { token: 'chosen-by-the-operator' })
    expect(signIn.status).toBe(403)
    expect(signIn.headers.getSetCookie()).toEqual([])
  } finally {
    await production.close()
  }
  const development = await system.another({ organiserToken: null })
  const { organiserToken: generated } = development
  await development.close()
  const start = (organiserToken: string | null) => system.another({ isProduction: true, organiserToken })
  await expect(start(generated)).rejects.toThrow('the token that was generated for development')
  await expect(start(null)).rejects.toThrow('set ORGANISER_TOKEN')
})

test('who has the operator token invites organisers, and nobody else does', async () => {
  const invited = await send(url('/api/organisers'), { name: 'Ada' }, organiser)
  expect(invited.status).toBe(201)
  expect(invited.body['invitation']).toMatch(/\/organiser\/join#[\w-]{43}$/)
  for (const wrong of [{ name: ' ' }, {}, { operator: false }, { operator: true, name: 5 }]) {
    const answer = await send(url('/api/organisers'), wrong, organiser)
    expect([wrong, answer.status]).toEqual([wrong, 400])
  }
  const own = await send(url('/api/organisers'), { operator: true }, organiser)
  expect([own.status, own.body['id']]).toEqual([201, 'operator'])
  expect((await send(url('/api/organisers'), { name: 'Ada' })).status).toBe(401)
})

test('at an address that is a number the page says where passkeys work, and an invitation leads there', async () => {
  const named = system.ingest.url.replace('127.0.0.1', 'localhost')
  expect(await (await fetch(url('/organiser'))).text()).toContain(`href="${named}/organiser">`)
  const { body } = await send(url('/api/organisers'), { name: 'Ada' }, organiser)
  expect(String(body['invitation'])).toContain(`${named}/organiser/join#`)
})
