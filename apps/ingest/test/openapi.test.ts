import { afterAll, beforeAll, expect, test } from 'vitest'
import { openapi } from '../src/openapi.ts'
import { refusals } from '../src/refusals.ts'
import { openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
beforeAll(async () => {
  system = await openTestIngest()
})
afterAll(() => system.close())

interface Operation {
  readonly responses: { readonly [status: string]: { readonly description: string } }
}

const paths = openapi.paths as unknown as { readonly [path: string]: { readonly [method: string]: Operation } }
const documented = Object.entries(paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

test('the document is served as it is', async () => {
  const response = await fetch(`${system.ingest.url}/openapi.json`)
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openapi)))
})

test('the document names every route of the API, and no others', () => {
  const routes = system.ingest.routes
    .filter((route) => /^\w+ \/(?:api\/|openapi)/.test(route) && !route.startsWith('HEAD '))
    .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
  expect(routes.sort()).toEqual([...documented].sort())
})

test('every refusal of a ballot is in the document, under its status', () => {
  const { responses } = paths['/api/polls/{id}/ballots']!['post']!
  for (const { status, code } of Object.values(refusals)) expect(responses[status]?.description).toContain(code)
  for (const status of ['200', '201', '413', '429']) expect(responses[status]).toBeDefined()
})

test('what the schemas demand is what the routes demand', async () => {
  const { schemas } = openapi.components
  const whole = system.definition() as Record<string, unknown>
  for (const member of schemas.NewPoll.required) {
    const { [member]: _left, ...rest } = whole
    const answer = await send(`${system.ingest.url}/api/polls`, rest, organiser)
    expect([member, answer.status]).toEqual([member, 400])
  }
  const ballot: Record<string, unknown> = { code: 'x', option: 'a', nonce: 'n'.repeat(16) }
  for (const member of [...schemas.Ballot.required, 'option']) {
    const { [member]: _left, ...rest } = ballot
    const answer = await send(`${system.ingest.url}/api/polls/none/ballots`, rest)
    expect([member, answer.status]).toEqual([member, 400])
  }
  expect(Object.keys(whole).every((member) => member in schemas.NewPoll.properties)).toBe(true)
})

test('answers have the members that the document promises', async () => {
  const { schemas } = openapi.components
  const poll = await send(`${system.ingest.url}/api/polls`, system.definition(), organiser)
  expect(Object.keys(poll.body).sort()).toEqual([...schemas.CreatedPoll.required].sort())
  const path = `${system.ingest.url}/api/polls/${String(poll.body['id'])}`
  const codes = await send(`${path}/codes`, { count: 1 }, organiser)
  const nonce = 'n'.repeat(16)
  const cast = await send(`${path}/ballots`, { code: (codes.body['codes'] as string[])[0], option: 'a', nonce })
  expect(Object.keys(cast.body).sort()).toEqual([...schemas.Recorded.required].sort())
  const refused = await send(`${path}/ballots`, { code: 'x', option: 'a', nonce })
  expect(Object.keys(refused.body)).toEqual(expect.arrayContaining([...schemas.Problem.required]))
})
