import { afterAll, beforeAll, expect, test } from 'vitest'
import { EnvironmentError, readEnvironment } from '@voting/election/environment'
import { ingestVariables } from '../src/config.ts'
import { checkOrganisersCanEnter, oidcOptions } from '../src/sign-in/configuration.ts'
import { IdentityProvider, logIn } from './support/identity-provider.ts'
import { openTestIngest, type TestIngest } from './support/running-ingest.ts'
import { TinyBrowser } from './support/tiny-browser.ts'

let provider: IdentityProvider
let system: TestIngest
const url = (path: string): string => `${system.ingest.url}${path}`

beforeAll(async () => {
  provider = await IdentityProvider.reserve({
    ada: { name: 'Ada Organiser', groups: ['staff', 'organisers'] },
    ben: { name: 'Ben Voter', groups: ['staff'] },
  })
  system = await openTestIngest({ oidc: provider.options({ claim: 'groups', value: 'organisers' }) })
})
afterAll(async () => {
  await system.close()
  await provider.close()
})

const begin = (browser: TinyBrowser): Promise<TinyBrowser> => browser.goto(url('/sign-in/organiser'))
const organisersNamed = async (name: string): Promise<string[]> => {
  const { rows } = await system.database.pool.query<{ id: string }>('SELECT id FROM organisers WHERE name = $1', [name])
  return rows.map(({ id }) => id)
}

test('while the provider does not answer the page says so, and nobody is signed in', async () => {
  const browser = await begin(new TinyBrowser())
  expect(browser.status).toBe(503)
  expect(browser.text).toContain('Example City does not answer at the moment')
  provider.serve(url('/sign-in/callback'))
})

test('who has the claim signs in, is the same organiser each time, also under another name', async () => {
  const browser = await logIn(await begin(new TinyBrowser()), 'ada')
  expect([browser.status, browser.url]).toEqual([200, url('/organiser')])
  expect(browser.text).toContain('Ada Organiser')
  const [id] = await organisersNamed('Ada Organiser')
  provider.users.get('ada')!.name = 'Ada Newname'
  const elsewhere = await logIn(await begin(new TinyBrowser()), 'ada')
  expect(elsewhere.text).toContain('Ada Newname')
  expect(await organisersNamed('Ada Newname')).toEqual([id])
  const { rows } = await system.database.pool.query('SELECT issuer, subject FROM organiser_identities')
  expect(rows).toEqual([{ issuer: provider.issuer, subject: 'ada' }])
})

test('who has not the claim is told so and gets no session', async () => {
  const browser = await logIn(await begin(new TinyBrowser()), 'ben')
  expect(browser.status).toBe(403)
  expect(browser.text).toContain('you may not organise polls here')
  expect(browser.cookies(url('/'))).not.toContain('organiser=')
  expect(await organisersNamed('Ben Voter')).toEqual([])
})

test('a way back is good once, and only in the browser that began it', async () => {
  const attacker = new TinyBrowser()
  attacker.holdsAt = url('/sign-in/callback')
  await logIn(await begin(attacker), 'ada')
  const wayBack = attacker.url
  expect(wayBack).toMatch(/\?code=/)
  // Whoever is made to open it would organise under the attacker's name; also with a sign-in of their own under way.
  const victim = await new TinyBrowser().goto(wayBack)
  expect([victim.status, victim.text.includes('was not begun in this browser')]).toEqual([403, true])
  victim.holdsAt = provider.issuer
  await begin(victim)
  await victim.goto(wayBack)
  expect([victim.status, victim.text.includes('did not sign you in')]).toEqual([403, true])
  expect(victim.cookies(url('/'))).not.toContain('organiser=')
  attacker.holdsAt = null
  expect((await attacker.goto(wayBack)).url).toBe(url('/organiser'))
  expect((await attacker.goto(wayBack)).status).toBe(403)
})

test('a sign-in that took longer than ten minutes is begun anew', async () => {
  const browser = await begin(new TinyBrowser())
  await system.database.pool.query("UPDATE sign_in_attempts SET expires_at = now() - interval '1 second'")
  await logIn(browser, 'ada')
  expect(browser.status).toBe(403)
  expect(browser.text).toContain('took too long')
})

test('a provider that is configured by half is a mistake that says what is missing', () => {
  const read = (given: Record<string, string>, isProduction = false) =>
    oidcOptions(
      readEnvironment(ingestVariables, { DATABASE_URL: 'postgres://x/y', KAFKA_BROKERS: 'k:9092', ...given }),
      isProduction,
    )
  const OIDC_ISSUER = 'http://idp.example'
  expect(read({})).toBeNull()
  expect(() => read({ OIDC_ISSUER })).toThrow('OIDC_CLIENT_ID is required with OIDC_ISSUER')
  expect(() => read({ OIDC_ISSUER, OIDC_CLIENT_ID: 'x' })).toThrow('OIDC_ORGANISERS is null, expected claim=value')
  const whole = { OIDC_ISSUER, OIDC_CLIENT_ID: 'x', OIDC_ORGANISERS: 'groups=a=b' }
  expect(read(whole)?.organisers).toEqual({ claim: 'groups', value: 'a=b' })
  expect(() => read(whole, true)).toThrow('expected https in production')
  expect(() => read({ OIDC_ISSUER: 'idp.example' })).toThrow(EnvironmentError)
  const enter = (organiserToken: string | null, hasOidc: boolean) => () =>
    checkOrganisersCanEnter({ organiserToken, hasOidc }, true)
  expect(enter(null, false)).toThrow('nobody could organise polls')
  expect(enter('', true)).toThrow('ORGANISER_TOKEN is empty')
  expect(enter(null, true)).not.toThrow()
})
