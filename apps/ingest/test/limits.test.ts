import { expect, test } from 'vitest'
import { newNonce, newPoll, openTestIngest, send } from './support/running-ingest.ts'

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
