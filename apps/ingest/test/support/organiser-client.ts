import { createHash, randomBytes } from 'node:crypto'
import type { TestIngest } from './running-ingest.ts'

/** Somebody who is signed in: fetches pages and sends forms as a browser would. */
export interface OrganiserClient {
  readonly id: string
  readonly cookie: string
  readonly formToken: string
  get(path: string): Promise<Response>
  /** The text of a page. */
  page(path: string): Promise<string>
  /** Sends a form with the session's token. */
  post(path: string, fields?: Record<string, string>): Promise<Response>
}

/** A form as the browser sends it from our own page. */
export const sendForm = (
  url: string,
  fields: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    redirect: 'manual',
  })

/** A browser with this cookie. */
export async function organiserClient(system: TestIngest, id: string, cookie: string): Promise<OrganiserClient> {
  const get = (path: string): Promise<Response> =>
    fetch(`${system.ingest.url}${path}`, { headers: { cookie }, redirect: 'manual' })
  const page = async (path: string): Promise<string> => (await get(path)).text()
  const formToken = /name="form_token" value="([^"]+)"/.exec(await page('/organiser/account'))?.[1]
  if (formToken === undefined) throw new Error('not signed in')
  return {
    id,
    cookie,
    formToken,
    get,
    page,
    post: (path, fields = {}) =>
      sendForm(`${system.ingest.url}${path}`, { form_token: formToken, ...fields }, { cookie }),
  }
}

/** Signs in with the token of development. */
export async function signInAsOperator(system: TestIngest): Promise<OrganiserClient> {
  const answer = await sendForm(`${system.ingest.url}/organiser/session`, { token: system.ingest.organiserToken })
  return organiserClient(system, 'operator', answer.headers.getSetCookie()[0]!.split(';', 1)[0]!)
}

/** A new organiser with a session, whichever way they came in. */
export async function newOrganiser(system: TestIngest, name: string): Promise<OrganiserClient> {
  const { pool } = system.database
  const id = `o${randomBytes(6).toString('hex')}`
  const secret = randomBytes(32).toString('base64url')
  await pool.query('INSERT INTO organisers (id, name) VALUES ($1, $2)', [id, name])
  await pool.query("INSERT INTO sessions (id_hash, subject, method) VALUES ($1, $2, 'passkey')", [
    createHash('sha256').update(secret).digest('base64url'),
    id,
  ])
  return organiserClient(system, id, `__Host-organiser=${secret}`)
}

/** Creates a poll in the organiser's form, and its id. */
export async function createByForm(client: OrganiserClient, fields: Record<string, string> = {}): Promise<string> {
  const form = { title: 'Which?', options: 'A\nB', regions: '', hours: '2', revote: 'first', ...fields }
  const answer = await client.post('/organiser/polls', form)
  if (answer.status !== 303) throw new Error(`no poll: ${answer.status} ${await answer.text()}`)
  return answer.headers.get('location')!.split('/').pop()!
}
