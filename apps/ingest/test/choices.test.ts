import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, newNonce, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
beforeAll(async () => {
  system = await openTestIngest()
})
afterAll(() => system.close())

const url = (path: string): string => `${system.ingest.url}${path}`

async function newPoll(terms: object): Promise<{ id: string; slug: string; codes: string[] }> {
  const poll = await send(url('/api/polls'), { ...system.definition(), ...terms }, organiser)
  expect(poll.status).toBe(201)
  const { id, slug } = poll.body as { id: string; slug: string }
  const issued = await send(url(`/api/polls/${id}/codes`), { count: 5 }, organiser)
  return { id, slug, codes: issued.body['codes'] as string[] }
}

const cast = (id: string, code: string, chosen: object, nonce = newNonce()): Promise<Answer> =>
  send(url(`/api/polls/${id}/ballots`), { code, nonce, ...chosen })

const form = (path: string, fields: [string, string][]): Promise<Response> =>
  fetch(url(path), {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'sec-fetch-site': 'same-origin' },
    redirect: 'manual',
  })

test('several choices are recorded, and the same ones in another order under the same nonce are the same ballot', async () => {
  const { id, codes } = await newPoll({ maxChoices: 2 })
  const nonce = newNonce()
  const first = await cast(id, codes[0]!, { choices: ['b', 'a'] }, nonce)
  expect(first.status).toBe(201)
  const again = await cast(id, codes[0]!, { choices: ['a', 'b'] }, nonce)
  expect([again.status, again.body['receipt']]).toEqual([200, first.body['receipt']])
  expect((await cast(id, codes[0]!, { choices: ['a'] }, nonce)).body['code']).toBe('nonce-reused')
  // One choice may be said in either way.
  const other = newNonce()
  expect((await cast(id, codes[1]!, { option: 'a' }, other)).status).toBe(201)
  expect((await cast(id, codes[1]!, { choices: ['a'] }, other)).status).toBe(200)
})

test.each([
  ['too many choices', { choices: ['a', 'b'] }, 422, 'too-many-choices'],
  ['no choice', { choices: [] }, 422, 'blank-not-allowed'],
  ['an option that is none', { choices: ['z'] }, 422, 'unknown-option'],
  ['one option twice', { choices: ['a', 'a'] }, 400, 'malformed'],
  ['both an option and choices', { option: 'a', choices: ['a'] }, 400, 'malformed'],
  ['choices that are no list', { choices: 'a' }, 400, 'malformed'],
])(
  '%s is refused where the poll takes one choice, and the code is not used up',
  async (_what, chosen, status, code) => {
    const poll = await newPoll({})
    expect((await cast(poll.id, poll.codes[0]!, chosen)).body).toMatchObject({ status, code })
    expect((await cast(poll.id, poll.codes[0]!, { option: 'a' })).status).toBe(201)
  },
)

test.each([
  ['maxChoices', 0],
  ['maxChoices', 3],
  ['maxChoices', '2'],
  ['allowBlank', 'yes'],
  ['resultsVisible', 'never'],
  ['resultsVisible', { from: 0 }],
  ['resultsVisible', { from: 5, to: 6 }],
])('a poll with %s %j is refused with the name of what is wrong', async (member, value) => {
  const answer = await send(url('/api/polls'), { ...system.definition(), [member]: value }, organiser)
  expect([answer.status, answer.body['code']]).toEqual([400, 'malformed'])
  expect(answer.body['detail']).toContain(member)
  expect(answer.body['detail']).toContain(JSON.stringify(value))
})

test('a poll keeps when its results are to be seen', async () => {
  for (const resultsVisible of ['after-voting', 'after-close', { from: 10 }]) {
    const { id } = await newPoll({ resultsVisible })
    const { rows } = await system.database.pool.query('SELECT results_visible FROM polls WHERE id = $1', [id])
    expect(rows[0].results_visible).toEqual(resultsVisible)
  }
})

test('on the ballot page several options and a blank ballot can be chosen, reviewed, changed and cast', async () => {
  const { slug, codes } = await newPoll({ maxChoices: 2, allowBlank: true })
  const page = await (await fetch(url(`/p/${slug}`))).text()
  expect(page).toContain('Your choices, up to 2')
  expect(page.match(/type="checkbox"/g)).toHaveLength(3)
  const nonce = newNonce()
  const both: [string, string][] = [
    ['code', codes[0]!],
    ['option', 'a'],
    ['option', 'b'],
    ['nonce', nonce],
  ]
  const review = await (await form(`/p/${slug}/review`, both)).text()
  expect(review).toMatch(/<dd><bdi>A<\/bdi><\/dd>\s*<dd><bdi>B<\/bdi><\/dd>/)
  const changed = await (await form(`/p/${slug}`, both)).text()
  expect(changed.match(/ checked/g)).toHaveLength(2)
  const mixed = await form(`/p/${slug}/review`, [...both, ['option', '*blank']])
  expect(mixed.status).toBe(400)
  expect(await mixed.text()).toContain('You have chosen too many options')
  const nothing = await form(`/p/${slug}/cast`, [
    ['code', codes[0]!],
    ['nonce', nonce],
  ])
  expect(nothing.status).toBe(422)
  const blank = await form(`/p/${slug}/review`, [
    ['code', codes[0]!],
    ['option', '*blank'],
    ['nonce', nonce],
  ])
  expect(await blank.text()).toContain('<dd><bdi>None of these: a blank ballot</bdi></dd>')
  expect((await form(`/p/${slug}/cast`, both)).status).toBe(303)
})
