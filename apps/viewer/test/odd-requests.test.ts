import { request } from 'node:http'
import { silentLogger } from 'stream-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { startViewer } from '../src/service.ts'
import { insertPoll } from './support/live-client.ts'

let database: TestDatabase
let viewer: Awaited<ReturnType<typeof startViewer>>

beforeAll(async () => {
  database = await openTestDatabase()
  viewer = await startViewer({
    databaseUrl: database.url,
    host: '127.0.0.1',
    port: 0,
    opsHost: '127.0.0.1',
    opsPort: 0,
    ballotUrl: null,
    tickMs: 20,
    connectionsMax: 100,
    allowedOrigins: [],
    logger: silentLogger,
  })
  await insertPoll(database, Date.now() - 120_000)
})
afterAll(async () => {
  await viewer.close()
  await database.drop()
})

test('a definition that is changed is another result, also before the first vote', async () => {
  const url = `${viewer.url}/api/polls/which/results`
  const etag = (await fetch(url)).headers.get('etag')!
  await database.pool.query("UPDATE polls SET definition_hash = 'h2'")
  const changed = await fetch(url, { headers: { 'if-none-match': etag } })
  expect(changed.status).toBe(200)
  expect(await changed.json()).toMatchObject({ definitionHash: 'h2' })
})

test('a parameter that is given twice is refused, not an error of ours', async () => {
  const answer = await fetch(`${viewer.url}/api/polls/which/compare?with=a&with=b`)
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'malformed' }])
})

/** The text of an address that a browser's URL would put in order first. */
const textOf = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(viewer.url)
    const asked = request({ hostname, port, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject).end()
  })

test.each(['//evil.example/x', '/\\evil.example/x', '///evil.example', '/%zz', '//evil.example/%zz'])(
  'the page that says that there is no %s links to no other site',
  async (path) => {
    const links = [...(await textOf(path)).matchAll(/href="(\/[^"]*)"/g)]
    const sites = links.map(([, href]) => new URL(href!, viewer.url).origin)
    expect(sites.length).toBeGreaterThan(0)
    expect(sites.filter((site) => site !== viewer.url)).toEqual([])
  },
)
