import * as jsqr from 'jsqr'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createByForm, newOrganiser, type OrganiserClient } from './support/organiser-client.ts'
import { newNonce, newPoll, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
let mary: OrganiserClient
beforeAll(async () => {
  system = await openTestIngest({ publicUrl: 'https://vote.city.example/' })
  mary = await newOrganiser(system, 'Mary')
})
afterAll(() => system.close())

/** Its types say that it is a module with a default; it is the function itself. */
const readQrCode = jsqr.default as unknown as typeof jsqr.default.default

/** What a camera would read from the QR codes of a page: each is painted, dot by dot, and decoded by another library. */
function readQrCodes(page: string): string[] {
  return [...page.matchAll(/<svg [^>]*class="qr"[^>]*viewBox="0 0 (\d+) \1"[^>]*>.*?<path[^>]* d="([^"]+)"/gs)].map(
    ([, size = '0', path = '']) => {
      const width = Number(size)
      const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
      for (const [, x, y, w, h] of path.matchAll(/M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)/g)) {
        for (let row = Number(y); row < Number(y) + Number(h); row++) {
          for (let column = Number(x); column < Number(x) + Number(w); column++) {
            pixels.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
          }
        }
      }
      return readQrCode(pixels, width, width)?.data ?? 'unreadable'
    },
  )
}

const shortCodeOf = async (id: string): Promise<string> =>
  (await system.database.pool.query('SELECT short_code FROM polls WHERE id = $1', [id])).rows[0].short_code

test('a sheet has a slip for each code, whose QR code leads to the ballot with the code in it; the code votes', async () => {
  const id = await createByForm(mary)
  const answer = await mary.post(`/organiser/polls/${id}/codes`, { count: '3', as: 'sheet' })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
  const page = await answer.text()
  const codes = [...page.matchAll(/<code dir="ltr">([0-9A-Z-]{32})<\/code>/g)].map(([, code]) => code!)
  expect(new Set(codes).size).toBe(3)
  const link = `https://vote.city.example/s/${await shortCodeOf(id)}`
  expect(readQrCodes(page)).toEqual(codes.map((code) => `${link}#${code}`))
  expect(page).not.toMatch(/<script(?![^>]*src=)|\sstyle=|https?:\/\/(?!vote\.city\.example|www\.w3\.org)/)
  const ballot = { code: codes[0], option: 'o1', nonce: newNonce() }
  expect((await send(`${system.ingest.url}/api/polls/${id}/ballots`, ballot)).status).toBe(201)
  const tooMany = await mary.post(`/organiser/polls/${id}/codes`, { count: '501', as: 'sheet' })
  expect([tooMany.status, (await tooMany.text()).includes('Ask for 1 to 500 codes')]).toEqual([400, true])
})

test('the poster has the short link, which leads to the ballot, however it is typed', async () => {
  const id = await createByForm(mary, { title: 'Tea <or> coffee?' })
  const short = await shortCodeOf(id)
  const page = await mary.page(`/organiser/polls/${id}/poster`)
  expect(readQrCodes(page)).toEqual([`https://vote.city.example/s/${short}`])
  expect(page).toContain('Tea &lt;or&gt; coffee?')
  for (const typed of [short, short.toUpperCase()]) {
    const answer = await fetch(`${system.ingest.url}/s/${typed}`, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([302, expect.stringMatching(/^\/p\/tea-or-coffee/)])
  }
  expect((await fetch(`${system.ingest.url}/s/nothing`)).status).toBe(404)
  const draft = await createByForm(mary, { save_as: 'draft' })
  const hidden = await fetch(`${system.ingest.url}/s/${await shortCodeOf(draft)}`, { redirect: 'manual' })
  expect(hidden.status).toBe(404)
})

test('ballot, receipt and organiser’s page have the fingerprint of the poll, and "after voting" the receipt opens the results', async () => {
  const { id, slug, codes } = await newPoll(system)
  await system.database.pool.query(`UPDATE polls SET results_visible = '"after-voting"' WHERE id = $1`, [id])
  const hash = (await system.database.pool.query('SELECT definition_hash FROM polls WHERE id = $1', [id])).rows[0]
    .definition_hash as string
  expect(await (await fetch(`${system.ingest.url}/p/${slug}`)).text()).toContain(hash)
  const ballot = { code: codes[0], option: 'a', nonce: newNonce() }
  const cast = await send(`${system.ingest.url}/api/polls/${id}/ballots`, ballot)
  const receipt = String(cast.body['receipt'])
  const page = await (await fetch(`${system.ingest.url}/receipts/${receipt}`)).text()
  expect(page).toContain(hash)
  expect(page).toContain(`href="http://results.example/p/${slug}?receipt=${receipt}"`)
})

test('behind a proxy forms are taken from the public address, and links lead there', async () => {
  const body = new URLSearchParams({ code: 'x', option: 'a' })
  const { slug } = await newPoll(system)
  const review = async (origin: string): Promise<number> => {
    const answer = await fetch(`${system.ingest.url}/p/${slug}/review`, { method: 'POST', body, headers: { origin } })
    return (await answer.text()).includes('another site') ? 0 : answer.status
  }
  expect([await review('https://vote.city.example'), await review('https://evil.example')]).toEqual([403, 0])
  const { body: created } = await send(`${system.ingest.url}/api/polls`, system.definition(), organiser)
  expect(created['urls']).toMatchObject({
    ballot: expect.stringMatching(/^https:\/\/vote\.city\.example\/p\/which-/),
    short: expect.stringMatching(/^https:\/\/vote\.city\.example\/s\/[0-9a-z]{7}$/),
  })
})
