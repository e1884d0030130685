import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Answer, newNonce, openTestIngest, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
beforeAll(async () => {
  system = await openTestIngest()
})
afterAll(() => system.close())
afterEach(() => {
  system.log.fault = 'none'
})

const organiser = { authorization: 'Bearer the-organiser' }
const url = (path: string): string => `${system.ingest.url}${path}`
const iso = (inMs: number): string => new Date(Date.now() + inMs).toISOString()

async function newPoll(
  options: { revote?: string; opensInMs?: number; closesInMs?: number } = {},
): Promise<{ id: string; codes: string[] }> {
  const { revote = 'first', opensInMs = -1000, closesInMs = 3_600_000 } = options
  const poll = await send(
    url('/api/polls'),
    {
      title: 'Which?',
      options: [
        { id: 'a', label: 'A' },
        { id: 'b', label: 'B' },
      ],
      regions: ['north'],
      opensAt: iso(opensInMs),
      closesAt: iso(closesInMs),
      revote,
    },
    organiser,
  )
  expect(poll.status).toBe(201)
  const id = poll.body['id'] as string
  const codes = await send(url(`/api/polls/${id}/codes`), { count: 5, region: 'north' }, organiser)
  expect(codes.status).toBe(201)
  return { id, codes: codes.body['codes'] as string[] }
}

const cast = (poll: string, code: string, option = 'a', nonce = newNonce()): Promise<Answer> =>
  send(url(`/api/polls/${poll}/ballots`), { code, option, nonce })

test('a ballot is recorded with a receipt, and the same ballot again gets the same receipt', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  const first = await cast(id, codes[0]!, 'a', nonce)
  expect(first.status).toBe(201)
  expect(first.body).toMatchObject({
    status: 'recorded',
    receipt: expect.stringMatching(/^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$/),
  })
  expect(Date.parse(first.body['recordedAt'] as string)).toBeGreaterThan(Date.now() - 10_000)
  const again = await cast(id, codes[0]!.toLowerCase().replaceAll('-', ' '), 'a', nonce)
  expect(again.status).toBe(200)
  expect(again.body['receipt']).toBe(first.body['receipt'])
  const receipt = await fetch(url(`/api/receipts/${String(first.body['receipt'])}`))
  expect(await receipt.json()).toEqual({ status: 'recorded' })
})

test.each([
  ['no nonce', { code: 'x', option: 'a' }],
  ['a nonce that is too short', { code: 'x', option: 'a', nonce: 'short' }],
  ['a nonce with other characters', { code: 'x', option: 'a', nonce: 'ä'.repeat(20) }],
  ['an option that is no text', { code: 'x', option: 1, nonce: 'n'.repeat(20) }],
  ['a list', []],
  ['no JSON', '{"code":'],
])('%s is malformed, before anything else is looked at', async (_what, body) => {
  const answer = await send(url('/api/polls/no-such-poll/ballots'), body)
  expect(answer.status).toBe(400)
  expect(answer.body['code']).toBe('malformed')
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
})

test('a body that is too large is refused as such', async () => {
  const answer = await send(url('/api/polls/no-such-poll/ballots'), { code: 'x'.repeat(100_000) })
  expect(answer.status).toBe(413)
})

test('refusals come in the order of the contract', async () => {
  const { id, codes } = await newPoll()
  const future = await newPoll({ opensInMs: 60_000 })
  const closed = await newPoll()
  expect((await send(url(`/api/polls/${closed.id}/close`), {}, organiser)).status).toBe(200)
  const nothingRight = async (poll: string) => (await cast(poll, 'no-such-code', 'no-such-option')).body
  expect(await nothingRight('no-such-poll')).toMatchObject({ status: 404, code: 'unknown-poll' })
  expect(await nothingRight(future.id)).toMatchObject({ status: 403, code: 'not-open' })
  expect(await nothingRight(closed.id)).toMatchObject({ status: 410, code: 'closed' })
  expect(await nothingRight(id)).toMatchObject({ status: 403, code: 'bad-code' })
  expect((await cast(id, codes[0]!, 'no-such-option')).body).toMatchObject({ status: 422, code: 'unknown-option' })
  // None of these used the code up.
  expect((await cast(id, codes[0]!)).status).toBe(201)
})

test('a code of one poll is no code of another', async () => {
  const [one, other] = [await newPoll(), await newPoll()]
  expect((await cast(one.id, other.codes[0]!)).body['code']).toBe('bad-code')
})

test('under "first" another ballot of a voter is already-voted, and another choice under the same nonce is nonce-reused', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  await cast(id, codes[0]!, 'a', nonce)
  expect((await cast(id, codes[0]!, 'b', nonce)).body).toMatchObject({ status: 409, code: 'nonce-reused' })
  expect((await cast(id, codes[0]!, 'b')).body).toMatchObject({ status: 409, code: 'already-voted' })
})

test('under "last" a voter may vote again, with a receipt of its own', async () => {
  const { id, codes } = await newPoll({ revote: 'last' })
  const first = await cast(id, codes[0]!, 'a')
  const second = await cast(id, codes[0]!, 'b')
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.body['receipt']).not.toBe(first.body['receipt'])
})

test('a repeat of a recorded ballot is answered as before, also after the close', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  const first = await cast(id, codes[0]!, 'a', nonce)
  await send(url(`/api/polls/${id}/close`), {}, organiser)
  const again = await cast(id, codes[0]!, 'a', nonce)
  expect(again.status).toBe(200)
  expect(again.body['receipt']).toBe(first.body['receipt'])
  expect((await cast(id, codes[1]!, 'a')).status).toBe(410)
})

test('a poll closes by itself at its time', async () => {
  const { id, codes } = await newPoll({ closesInMs: 300 })
  await new Promise((resolve) => setTimeout(resolve, 350))
  expect((await cast(id, codes[0]!)).body['code']).toBe('closed')
})

test('a ballot the log certainly does not have is not-recorded, and the voter may begin anew', async () => {
  const { id, codes } = await newPoll()
  system.log.fault = 'not-written'
  const refused = await cast(id, codes[0]!)
  expect(refused.body).toMatchObject({ status: 503, code: 'not-recorded' })
  expect(refused.headers.get('retry-after')).toBe('2')
  system.log.fault = 'none'
  expect((await cast(id, codes[0]!, 'b')).status).toBe(201)
})

test('a ballot whose fate nobody knows is unconfirmed; the same form may be sent again, another one has to wait', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  system.log.fault = 'written-but-unknown'
  expect((await cast(id, codes[0]!, 'a', nonce)).body).toMatchObject({ status: 503, code: 'unconfirmed' })
  system.log.fault = 'none'
  expect((await cast(id, codes[0]!, 'b')).body).toMatchObject({ status: 409, code: 'vote-pending' })
  expect((await cast(id, codes[0]!, 'a', nonce)).status).toBe(201)
  expect((await cast(id, codes[0]!, 'a', nonce)).status).toBe(200)
})

test('once a try is unconfirmed, a later one that was certainly not written does not make it not-recorded', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  system.log.fault = 'unknown'
  await cast(id, codes[0]!, 'a', nonce)
  system.log.fault = 'not-written'
  expect((await cast(id, codes[0]!, 'a', nonce)).body['code']).toBe('unconfirmed')
})

test('a ballot whose fate is open at the close stays unconfirmed, until the log is found to have it', async () => {
  const { id, codes } = await newPoll()
  const nonce = newNonce()
  system.log.fault = 'written-but-unknown'
  await cast(id, codes[0]!, 'a', nonce)
  system.log.fault = 'none'
  expect((await send(url(`/api/polls/${id}/close`), {}, organiser)).status).toBe(200)
  const answer = await cast(id, codes[0]!, 'a', nonce)
  expect(answer.body).toMatchObject({ status: 503, code: 'unconfirmed' })
  expect(answer.body['detail']).toContain('has closed')
  expect((await cast(id, codes[0]!, 'b', nonce)).body).toMatchObject({ status: 410, code: 'closed' })
  expect((await cast(id, codes[0]!, 'a')).body).toMatchObject({ status: 410, code: 'closed' })
  // As the tally's receipts do.
  await system.database.pool.query("UPDATE claims SET state = 'recorded', recorded_at = now() WHERE poll_id = $1", [id])
  expect((await cast(id, codes[0]!, 'a', nonce)).status).toBe(200)
})

test('of many first ballots of one code at the same moment exactly one is recorded', async () => {
  const { id, codes } = await newPoll()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => cast(id, codes[0]!, i % 2 ? 'a' : 'b')))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  for (const { status, body } of answers) {
    if (status !== 201) expect(body['code']).toBeOneOf(['already-voted', 'vote-pending'])
  }
})

test('organisers need their token, and are told what is wrong with a poll', async () => {
  expect((await send(url('/api/polls'), {})).status).toBe(401)
  expect((await send(url('/api/polls'), {}, { authorization: 'Bearer wrong' })).status).toBe(401)
  const wrong = await send(url('/api/polls'), { title: 'x', options: [{ id: 'a', label: 'A' }] }, organiser)
  expect(wrong.body).toMatchObject({ status: 400, code: 'malformed', detail: 'options must be a list of 2 to 20.' })
  const proto = { id: '__proto__', label: 'A' }
  const trick = await send(url('/api/polls'), { title: 'x', options: [proto, { id: 'b', label: 'B' }] }, organiser)
  expect(trick.body['detail']).toContain('got "__proto__"')
  const { id } = await newPoll()
  const codes = await send(url(`/api/polls/${id}/codes`), { count: 10_001 }, organiser)
  expect(codes.body).toMatchObject({ status: 400, detail: 'count must be a whole number from 1 to 10000, got 10001.' })
  const region = await send(url(`/api/polls/${id}/codes`), { count: 1, region: 'nowhere' }, organiser)
  expect(region.body['detail']).toContain('"nowhere"')
})
