import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { newNonce, newPoll, openTestIngest, send, type TestIngest } from './support/running-ingest.ts'

test('an address that guesses is told to wait, and a valid code from there is still taken', async () => {
  const system = await openTestIngest({ failuresPerMinute: 5 })
  try {
    const url = system.ingest.url
    const organiser = { authorization: 'Bearer the-organiser' }
    const opensAt = new Date(Date.now() - 1000).toISOString()
    const closesAt = new Date(Date.now() + 60_000).toISOString()
    const options = [
      { id: 'a', label: 'A' },
      { id: 'b', label: 'B' },
    ]
    const poll = await send(`${url}/api/polls`, { title: 'T', options, opensAt, closesAt, revote: 'first' }, organiser)
    const id = String(poll.body['id'])
    const codes = await send(`${url}/api/polls/${id}/codes`, { count: 1 }, organiser)
    const [code] = codes.body['codes'] as [string]
    const guess = () => send(`${url}/api/polls/${id}/ballots`, { code: 'guess', option: 'a', nonce: newNonce() })
    for (let i = 0; i < 5; i++) expect((await guess()).status).toBe(403)
    const limited = await guess()
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await send(`${url}/api/polls/${id}/ballots`, { code, option: 'a', nonce: newNonce() })).status).toBe(201)
  } finally {
    await system.close()
  }
})

test('an address that guesses in the form or at the receipts is told to wait too, and a valid ballot is still taken', async () => {
  const system = await openTestIngest({ failuresPerMinute: 5 })
  try {
    const { url } = system.ingest
    const { slug, codes } = await newPoll(system)
    const form = (step: string, code: string): Promise<Response> =>
      fetch(`${url}/p/${slug}/${step}`, {
        method: 'POST',
        body: new URLSearchParams({ code, option: 'a', nonce: newNonce() }),
        headers: { 'sec-fetch-site': 'same-origin' },
        redirect: 'manual',
      })
    for (let i = 0; i < 3; i++) expect((await form('cast', 'guess')).status).toBe(403)
    for (let i = 0; i < 2; i++) expect((await fetch(`${url}/receipts/GUESS-${i}`)).status).toBe(404)
    const limited = [await form('cast', 'guess'), await form('review', 'guess'), await fetch(`${url}/receipts/GUESS`)]
    for (const response of limited) {
      expect(response.status).toBe(429)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await response.text()).toContain('Wait a minute and try again')
    }
    const cast = await form('cast', codes[0]!)
    expect(cast.status).toBe(303)
    expect((await fetch(`${url}${cast.headers.get('location')!}`)).status).toBe(200)
  } finally {
    await system.close()
  }
})

test('behind a proxy the client’s own address is limited, as the proxy says it; without one nobody’s word is taken', async () => {
  const behind = await openTestIngest({ failuresPerMinute: 1, proxyHops: 1 })
  const direct = await behind.another({ proxyHops: 0 })
  const guess = async (base: string, forwarded: string): Promise<number> => {
    const headers = { 'x-forwarded-for': forwarded }
    return (await fetch(`${base}/api/receipts/GUESS`, { headers })).status
  }
  try {
    const { url } = behind.ingest
    expect([await guess(url, '192.0.2.1'), await guess(url, '192.0.2.1')]).toEqual([404, 429])
    // What the client puts before the proxy's own word changes nothing.
    expect(await guess(url, '198.51.100.7, 192.0.2.1')).toBe(429)
    expect(await guess(url, '192.0.2.2')).toBe(404)
    expect([await guess(direct.url, '192.0.2.3'), await guess(direct.url, '192.0.2.4')]).toEqual([404, 429])
  } finally {
    await direct.close()
    await behind.close()
  }
})

test('whoever comes when too many are under way is told at once to come again, is not counted, and is taken when it comes again', async () => {
  const system = await openTestIngest({ ballotsUnderWayMax: 2 })
  try {
    const { id, slug, codes } = await newPoll(system)
    const cast = (code: string, nonce = newNonce()) =>
      send(`${system.ingest.url}/api/polls/${id}/ballots`, { code, option: 'a', nonce })
    expect((await cast(codes[0]!)).status).toBe(201)

    system.log.fault = 'stuck'
    const [second, third] = [newNonce(), newNonce()]
    const stuck = [cast(codes[1]!, second), cast(codes[2]!, third)]
    await expect.poll(() => metric(system, 'vote_ballots_under_way'), { timeout: 20_000 }).toBe(2)

    // The two that are under way do not move: these answers wait for nothing.
    const nonce = newNonce()
    const form = { code: codes[4]!, option: 'a', nonce: newNonce() }
    const [refused, headOnly, page] = await Promise.all([
      cast(codes[3]!, nonce),
      answerToHeadOnly(system, `/api/polls/${id}/ballots`),
      castForm(system, slug, form),
    ])
    expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded', status: 503 } })
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    expect(headOnly).toContain(' 503 ')
    expect(page.status).toBe(503)
    for (const { headers } of [refused, page]) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    const text = await page.text()
    expect(text).toContain('Very many people are voting')
    expect(text).toContain(form.nonce) // the same form, to be sent again
    const claims = async (): Promise<number> =>
      Number((await system.database.pool.query('SELECT count(*) FROM claims WHERE poll_id = $1', [id])).rows[0].count)
    // One recorded, two under way: nothing was done for the others.
    await expect.poll(claims, { timeout: 20_000 }).toBe(3)

    system.log.release()
    for (const answer of await Promise.all(stuck)) expect(answer.body['code']).toBe('not-recorded')
    expect((await cast(codes[3]!, nonce)).status).toBe(201)
    expect((await castForm(system, slug, form)).status).toBe(303)
    expect(await claims()).toBe(3)
    expect(await metric(system, 'vote_submissions_total{result="overloaded"}')).toBe(3)
    expect(await metric(system, 'vote_ballots_under_way')).toBe(0)
  } finally {
    await system.close()
  }
})

const metric = async (system: TestIngest, name: string): Promise<number> => {
  const text = await (await fetch(`${system.ingest.ops}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  )
}

const castForm = (system: TestIngest, slug: string, form: Record<string, string>): Promise<Response> =>
  fetch(`${system.ingest.url}/p/${slug}/cast`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'sec-fetch-site': 'same-origin' },
    redirect: 'manual',
  })

/** What is answered before the body has been sent, which it never is. */
function answerToHeadOnly(system: TestIngest, path: string): Promise<string> {
  const { hostname, port } = new URL(system.ingest.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n`)
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data))
    })
    socket.once('error', reject)
  })
}
