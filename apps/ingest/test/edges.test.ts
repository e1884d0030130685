import { request } from 'node:http'
import { hasClaim } from '../src/sign-in/oidc.ts'
import { checkPollInput } from '../src/poll-input.ts'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { definitionHash } from '@voting/election/definition-hash'
import { newNonce, newPoll, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
beforeAll(async () => {
  system = await openTestIngest()
})
afterAll(() => system.close())
afterEach(() => {
  system.log.fault = 'none'
})

const url = (path: string): string => `${system.ingest.url}${path}`
const cast = (poll: string, code: string, option = 'a', nonce = newNonce()) =>
  send(url(`/api/polls/${poll}/ballots`), { code, option, nonce })

test.each([
  ['an empty one', ''],
  ['a long one', 'x'.repeat(5000)],
  ['one with a NUL', 'a\u0000b'],
  ['half a character', '\ud800'],
])('any string is a well-formed code: %s is only unknown', async (_what, code) => {
  const { id } = await newPoll(system)
  expect((await cast(id, code)).body).toMatchObject({ status: 403, code: 'bad-code' })
})

test('any string is a well-formed option', async () => {
  const { id, codes } = await newPoll(system)
  for (const option of ['', 'x'.repeat(5000), '\u0000']) {
    expect((await cast(id, codes[0]!, option)).body).toMatchObject({ status: 422, code: 'unknown-option' })
  }
})

test.each(['%00', 'x'.repeat(500), '%F0%9F%97%B3', 'P%20'])('the poll %s is unknown, not an error', async (name) => {
  expect((await cast(name, 'x')).body).toMatchObject({ status: 404, code: 'unknown-poll' })
  expect((await fetch(url(`/p/${name}`))).status).toBe(404)
  expect((await fetch(url(`/api/receipts/${name}`))).status).toBe(404)
})

test.each(['/s/%00', '/receipts?receipt=a&receipt=b', '/receipts?receipt=%00'])(
  '%s is not found, not an error',
  async (path) => {
    expect((await fetch(url(path))).status).toBe(404)
  },
)

test.each(['constructor', 'toString', 'valueOf', '__proto__'])('no option and no region is called %s', async (name) => {
  const [a, b] = [
    { id: 'a', label: 'A' },
    { id: 'b', label: 'B' },
  ]
  for (const terms of [{ options: [a, { ...b, id: name }] }, { regions: [name] }]) {
    const answer = await send(url('/api/polls'), { ...system.definition(), ...terms }, organiser)
    expect([answer.status, answer.body['code']]).toEqual([400, 'malformed'])
  }
})

test('a host that is part of no address is malformed, not an error', async () => {
  const { hostname, port } = new URL(system.ingest.url)
  const status = await new Promise((resolve, reject) => {
    const asked = request(
      { hostname, port, path: '/organiser', setHost: false, headers: { host: 'a b%%' } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    asked.on('error', reject).end()
  })
  expect(status).toBe(400)
})

test('a passkey whose name has a NUL in it is unknown, not an error', async () => {
  const begun = await send(url('/organiser/session/passkey/options'), {})
  const cookie = begun.headers.getSetCookie()[0]!.split(';', 1)[0]!
  const answer = await send(url('/organiser/session/passkey'), { response: { id: 'a\u0000' } }, { cookie })
  expect(answer.body).toMatchObject({ status: 403, code: 'not-signed-in' })
})

test('a claim that somebody does not have has no value, whatever is asked for', () => {
  const claims = { groups: ['members'], age: 7, none: null }
  const has = (claim: string, value: string) => hasClaim({ claims }, { claim, value })
  expect([has('groups', 'members'), has('age', '7')]).toEqual([true, true])
  expect([has('other', 'undefined'), has('none', 'null')]).toEqual([false, false])
})

test('an address that is no address is a problem document too', async () => {
  const answer = await cast('%E0%A4%A', 'x')
  expect(answer.body).toMatchObject({ status: 400, code: 'malformed' })
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
})

test.each([
  ['a NUL in the title', { title: 'a\u0000b' }],
  ['half a character in the title', { title: '\ud83d' }],
  [
    'a control character in a label',
    {
      options: [
        { id: 'a', label: 'A\u0007' },
        { id: 'b', label: 'B' },
      ],
    },
  ],
  ['half a character in a region', { regions: ['\udc00'] }],
  ['a day that does not exist', { opensAt: '2026-13-45T00:00:00Z' }],
])('a poll with %s is malformed, and the field is named', async (_what, wrong) => {
  const answer = await send(url('/api/polls'), { ...system.definition(), ...wrong }, organiser)
  expect(answer.body).toMatchObject({ status: 400, code: 'malformed' })
  expect(answer.body['detail']).toMatch(/title|label|regions|opensAt/)
})

test('the definition is hashed as it was sent, white space and all', async () => {
  const { title, options } = {
    title: ' Which? ',
    options: [
      { id: 'a', label: ' A' },
      { id: 'b', label: 'B ' },
    ],
  }
  const answer = await send(url('/api/polls'), { ...system.definition(), title, options, electorate: 7 }, organiser)
  expect(answer.body['definitionHash']).toBe(
    definitionHash({ title, options, regions: ['north'], revote: 'first', electorate: 7 }),
  )
})

test('a time without a zone is UTC, wherever the process runs', () => {
  const { TZ } = process.env
  process.env['TZ'] = 'America/New_York'
  const input = checkPollInput({ ...system.definition(), opensAt: '2026-01-01T00:00:00.123456' }, Date.now())
  if (TZ === undefined) delete process.env['TZ']
  else process.env['TZ'] = TZ
  expect(input).toMatchObject({ opensAtMs: Date.UTC(2026, 0, 1, 0, 0, 0, 123) })
})

test('closing needs no body, and a second close is as good as the first', async () => {
  const { id } = await newPoll(system)
  const close = (headers: Record<string, string>) =>
    fetch(url(`/api/polls/${id}/close`), { method: 'POST', headers: { ...organiser, ...headers } })
  expect((await close({ 'content-type': 'application/json' })).status).toBe(200)
  expect((await close({})).status).toBe(200)
})

test('a poll that is closed before it opens is closed', async () => {
  const { id, codes } = await newPoll(system, { opensInMs: 60_000 })
  expect((await cast(id, codes[0]!)).body['code']).toBe('not-open')
  expect((await send(url(`/api/polls/${id}/close`), {}, organiser)).status).toBe(200)
  expect((await cast(id, codes[0]!)).body['code']).toBe('closed')
})

test('a close that the log does not confirm stops ballots at once, and is written as soon as the log answers', async () => {
  const { id, codes } = await newPoll(system)
  system.log.fault = 'not-written'
  const close = await send(url(`/api/polls/${id}/close`), {}, organiser)
  expect(close.body).toMatchObject({ status: 503, code: 'unconfirmed' })
  expect(close.body['detail']).toContain(id)
  expect((await cast(id, codes[0]!)).body['code']).toBe('closed')
  system.log.fault = 'none'
  await expect
    .poll(
      async () =>
        (await system.database.pool.query('SELECT closed_at FROM polls WHERE id = $1', [id])).rows[0]?.closed_at,
      { timeout: 5000 },
    )
    .not.toBeNull()
})

test('a poll that the log did not take opens by itself, and its definition is in the topic of polls', async () => {
  system.log.fault = 'not-written'
  const answer = await send(url('/api/polls'), system.definition(), organiser)
  expect(answer.body).toMatchObject({ status: 503, code: 'unconfirmed' })
  const id = /Poll (\w+) /.exec(String(answer.body['detail']))![1]!
  const openedAt = async () =>
    (await system.database.pool.query('SELECT opened_at FROM polls WHERE id = $1', [id])).rows[0]?.opened_at
  expect(await openedAt()).toBeNull()
  system.log.fault = 'none'
  await expect.poll(openedAt, { timeout: 5000 }).not.toBeNull()
  expect(await system.pollsInLog()).toContain(id)
})

test('where PostgreSQL does not answer a ballot is unconfirmed, and the same form works later', async () => {
  const { id, codes } = await newPoll(system)
  const nonce = newNonce()
  await system.database.pool.query('ALTER TABLE claims RENAME TO claims_away')
  const refused = await cast(id, codes[0]!, 'a', nonce)
  await system.database.pool.query('ALTER TABLE claims_away RENAME TO claims')
  expect(refused.body).toMatchObject({ status: 503, code: 'unconfirmed' })
  expect((await cast(id, codes[0]!, 'a', nonce)).status).toBe(201)
})

test('a repeat says the same time of recording as the first answer', async () => {
  const { id, codes } = await newPoll(system)
  const nonce = newNonce()
  const first = await cast(id, codes[0]!, 'a', nonce)
  expect((await cast(id, codes[0]!, 'a', nonce)).body).toEqual(first.body)
})

test('the metrics count ballots by their answer and time the log', async () => {
  const { id, codes } = await newPoll(system)
  await cast(id, codes[0]!)
  await send(url(`/api/polls/${id}/ballots`), '{')
  const text = await (await fetch(`${system.ingest.ops}/metrics`)).text()
  expect(text).toMatch(/vote_submissions_total\{result="recorded"\} \d/)
  expect(text).toMatch(/vote_submissions_total\{result="malformed"\} \d/)
  expect(text).toMatch(/vote_produce_duration_seconds_count [1-9]/)
  expect((await fetch(`${system.ingest.ops}/livez`)).status).toBe(200)
  expect((await fetch(`${system.ingest.ops}/readyz`)).status).toBe(200)
})
