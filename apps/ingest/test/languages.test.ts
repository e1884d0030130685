import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { texts } from '../src/messages/index.ts'
import { Mailbox } from './support/mailbox.ts'
import { createByForm, newOrganiser, type OrganiserClient, sendForm } from './support/organiser-client.ts'
import { newNonce, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'
import { TinyBrowser } from './support/tiny-browser.ts'

let mailbox: Mailbox
let system: TestIngest
let mary: OrganiserClient
const url = (path: string): string => `${system.ingest.url}${path}`

beforeAll(async () => {
  mailbox = await Mailbox.open()
  system = await openTestIngest({ mail: { smtpUrl: mailbox.smtpUrl, from: 'Elections <elections@city.example>' } })
  mary = await newOrganiser(system, 'مريم')
})
afterAll(async () => {
  await system.close()
  await mailbox.close()
})

test('every text of every language fills the places of the English one, and no other', () => {
  const placesOf = (message: unknown): string[] => {
    const forms = typeof message === 'string' ? [message] : Object.values(message as Record<string, string>)
    return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort()
  }
  for (const [key, english] of Object.entries(texts.en)) {
    expect([key, placesOf(texts.ar[key as keyof typeof texts.ar])]).toEqual([key, placesOf(english)])
  }
})

test('a page is in the language that was named last, else in the first that the browser accepts and that there is', async () => {
  const page = async (path: string, headers: Record<string, string>): Promise<string> =>
    (await fetch(url(path), { headers })).text()
  const [english, arabic] = ['<html lang="en" dir="ltr">', '<html lang="ar" dir="rtl">']
  expect(await page('/', {})).toContain(english)
  expect(await page('/', { 'accept-language': 'fr, ar-MA;q=0.8, en;q=0.5' })).toContain(arabic)
  expect(await page('/?lang=tlh', { 'accept-language': 'ar;q=0, fr' })).toContain(english)
  expect(await page('/nowhere', { 'accept-language': 'ar' })).toContain('لا توجد صفحة كهذه')

  const browser = new TinyBrowser()
  await browser.goto(url('/receipts?lang=ar'))
  expect(browser.text).toContain(arabic)
  expect(browser.text).toContain('href="?lang=en"')
  // Links, forms and redirects lead on in it.
  await browser.goto(url('/receipts?receipt=NONE'))
  expect([browser.text.includes(arabic), browser.text.includes('لا توجد ورقة بهذا الإيصال')]).toEqual([true, true])
  await browser.goto(url('/?lang=en'))
  expect((await browser.goto(url('/receipts'))).text).toContain(english)
})

/** What a reader sees of a page, without what others have written: titles, options, codes. */
const read = (page: string): string =>
  page
    .replace(/<(?:style|script|code|bdi)\b[^>]*>[\s\S]*?<\/(?:style|script|code|bdi)>/g, ' ')
    .replace(/<nav class="languages"[\s\S]*?<\/nav>|<p class="code">[\s\S]*?<\/p>/g, ' ')
    .replace(/<a dir="ltr"[^>]*>[^<]*/g, ' ')
    .replace(/(?:aria-label|data-unused|data-impossible|data-counted-text)="([^"]*)"/g, '>$1<')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\u2068[^\u2069]*\u2069/g, ' ')

test('no page of voters or organisers has an English word in it when it is to be in Arabic, nor has the answer to a form', async () => {
  const arabic = { 'accept-language': 'ar' }
  const pages = new Map<string, string>()
  const visit = async (name: string, answer: Promise<Response>): Promise<string> => {
    const response = await answer
    const text = await response.text()
    expect([name, text.includes('<html lang="ar" dir="rtl">')]).toEqual([name, true])
    pages.set(name, text)
    return text
  }
  const terms = { title: 'ماذا؟', options: 'نعم\nلا', regions: 'شمال\nجنوب', electorate: '50' }
  const open = await createByForm(mary, {
    ...terms,
    max_choices: '2',
    allow_blank: 'yes',
    visible: 'from',
    visible_from: '5',
  })
  const draft = await createByForm(mary, { ...terms, save_as: 'draft', visible: 'after-voting' })
  const scheduled = await createByForm(mary, {
    ...terms,
    opens: '2999-01-01T00:00',
    visible: 'after-close',
    revote: 'last',
  })
  const link = await createByForm(mary, { ...terms, eligibility: 'link' })
  const mail = await createByForm(mary, { ...terms, eligibility: 'addresses' })
  const closed = await createByForm(mary, terms)
  await mary.post(`/organiser/polls/${closed}/extend`, { extra_hours: '1', reason: 'مطر' })
  await mary.post(`/organiser/polls/${closed}/clone`)
  await mary.post(`/organiser/polls/${closed}/close`, { confirm: 'إغلاق' })
  await mary.post(`/organiser/polls/${mail}/addresses`, { addresses: 'ann@city.example' })
  await system.database.pool.query(
    "INSERT INTO passkeys VALUES ('one', $1, '', 0, '[]', now(), NULL), ('two', $1, '', 0, '[]', now(), now())",
    [mary.id],
  )
  await system.database.pool.query(
    "INSERT INTO sessions (id_hash, subject, method, user_agent) VALUES ('a', $1, 'oidc', 'x'), ('b', $1, 'token', 'x')",
    [mary.id],
  )
  const { rows } = await system.database.pool.query<{ id: string; slug: string }>('SELECT id, slug FROM polls')
  const ballotOf = (id: string): string => `/p/${rows.find((row) => row.id === id)!.slug}`

  const asMary = { ...arabic, cookie: mary.cookie }
  const get = (path: string, headers: Record<string, string> = asMary): Promise<string> =>
    visit(path, fetch(url(path), { headers }))
  const post = (path: string, fields: Record<string, string>): Promise<string> =>
    visit(
      `POST ${path} ${Object.keys(fields).join()}`,
      sendForm(url(path), { form_token: mary.formToken, ...fields }, asMary),
    )
  for (const path of ['/', '/receipts', '/receipts/NONE', '/p/none', '/s/none', '/none', '/organiser/join'])
    await get(path)
  for (const id of [open, scheduled, link, mail, closed]) await get(ballotOf(id))
  for (const path of ['/mail', '/confirm?token=x']) await get(`${ballotOf(mail)}${path}`)
  await get('/organiser', arabic)
  for (const path of ['/organiser', '/organiser/account', '/organiser/polls/none']) await get(path)
  for (const id of [open, draft, scheduled, link, mail, closed]) await get(`/organiser/polls/${id}`)
  await get(`/organiser/polls/${draft}/edit`)
  await get(`/organiser/polls/${open}/poster`)
  const codes = await post(`/organiser/polls/${open}/codes`, { count: '2' })
  await post(`/organiser/polls/${open}/codes`, { count: '1', as: 'sheet' })

  // Everything that can be wrong with a form.
  const of = `/organiser/polls/${open}`
  await post(`${of}/codes`, { count: 'x' })
  await post(`${of}/codes`, { count: '1', region: 'x' })
  await post(`${of}/addresses`, { addresses: 'x' })
  await post(`${of}/extend`, { extra_hours: 'x' })
  await post(`${of}/extend`, { extra_hours: '1' })
  await post(`${of}/extend`, { extra_hours: '1', reason: 'x', closes_at: '1' })
  await post(`${of}/close`, {})
  await post(`${of}/publish`, {})
  await post(`${of}/discard`, {})
  await post(`${of}/edit`, { ...terms, hours: '1', revote: 'first' })
  for (const wrong of [{}, { hours: 'x' }, { opens: 'x', hours: '1' }, { title: 'x', hours: '1', options: 'x' }]) {
    await post('/organiser/polls', wrong)
  }
  await post('/organiser/sessions/none/end', {})
  await post('/organiser/passkeys/none/remove', {})
  await post('/organiser/session', { token: 'wrong' })
  await post(`${ballotOf(mail)}/mail`, { address: 'x' })
  await post(`${ballotOf(mail)}/confirm`, { code: 'x' })
  const ballot = (code: string, option: string, nonce = newNonce()): Record<string, string> => ({ code, option, nonce })
  const [code] = /[0-9A-Z]{5}(?:-[0-9A-Z]{2,5}){5}/.exec(codes)!
  await post(`${ballotOf(open)}/review`, ballot('', 'o1'))
  await post(`${ballotOf(open)}/review`, ballot('guess', 'o1'))
  await post(`${ballotOf(open)}/review`, ballot(code, ''))
  await post(`${ballotOf(open)}/review`, ballot(code, '*blank'))
  await post(`${ballotOf(scheduled)}/review`, ballot(code, 'o1'))
  const cast = await sendForm(url(`${ballotOf(open)}/cast`), ballot(code, 'o1'), arabic)
  await get(cast.headers.get('location')!)
  await post(`${ballotOf(open)}/cast`, ballot(code, 'o2'))
  system.log.fault = 'not-written'
  await post(`${ballotOf(link)}/cast`, ballot('', 'o1'))
  system.log.fault = 'none'
  await visit(
    'another site',
    fetch(url('/organiser/session'), { method: 'POST', headers: { ...arabic, origin: 'https://evil.example' } }),
  )

  // What has no other name in Arabic.
  const names = /\b(?:QR|OpenID|SMTP|I|L|O|U|name|example|org)\b/g
  for (const [name, page] of pages) {
    expect([
      name,
      read(page)
        .replace(names, '')
        .match(/[A-Za-z]{2,}/g),
    ]).toEqual([name, null])
  }
})

test('what is said after the fact is in the same language: a passkey that is refused, a mail, the results', async () => {
  const refused = await fetch(url('/organiser/session/passkey'), {
    method: 'POST',
    headers: { 'accept-language': 'ar' },
  })
  expect(await refused.json()).toMatchObject({ code: 'not-signed-in', title: texts.ar.passkeyUnknown })

  const made = await send(
    url('/api/polls'),
    { ...system.definition(), title: 'ماذا؟', eligibility: { kind: 'addresses' } },
    organiser,
  )
  const { id, slug } = made.body as { id: string; slug: string }
  await send(url(`/api/polls/${id}/addresses`), { addresses: ['ann@city.example'] }, organiser)
  const browser = await new TinyBrowser().goto(url(`/p/${slug}?lang=ar`))
  const before = mailbox.mails.length
  await browser.submit({ address: 'ann@city.example' }, '/mail')
  await expect.poll(() => mailbox.mails.length, { timeout: 10_000 }).toBe(before + 1)
  const mail = mailbox.mails.at(-1)!.text
  const [, encoding, body] = /Content-Transfer-Encoding: (\S+)[\s\S]*?\r\n\r\n([\s\S]*)/.exec(mail)!
  const text =
    encoding === 'base64'
      ? Buffer.from(body!, 'base64').toString()
      : Buffer.from(
          body!.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
          'latin1',
        ).toString()
  expect(text).toContain('للتصويت افتح هذا الرابط')
  // Nothing sticks to the address or the code, for both are copied.
  await browser.goto(/^http:\S+$/m.exec(text)![0])
  await browser.submit({}, '/confirm')
  expect(browser.text).toContain(texts.ar.review)
  expect(text).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/m)

  await browser.submit({ option: 'a' }, '/review')
  await browser.submit({}, '/cast')
  expect(browser.text).toContain(`href="http://results.example/p/${slug}?lang=ar"`)
})

test('who cannot run scripts is offered the other language on every page that has an address of its own', async () => {
  const session = randomBytes(32).toString('base64url')
  await system.database.pool.query("INSERT INTO sessions (id_hash, subject, method) VALUES ($1, $2, 'token')", [
    createHash('sha256').update(session).digest('base64url'),
    mary.id,
  ])
  const path = '/organiser/account?x=1'
  const page = await (await fetch(url(path), { headers: { cookie: `__Host-organiser=${session}` } })).text()
  expect(page).toContain('href="?x=1&amp;lang=ar"')
  expect(await (await mary.post('/organiser/polls', {})).text()).not.toContain('hreflang')
})
