import { expect, test } from 'vitest'
import { newNonce, newPoll, openTestIngest, send } from './support/running-ingest.ts'

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a ballot that is under way when ingest stops gets its answer, and no new one is taken', async () => {
  const system = await openTestIngest()
  try {
    const { id, codes } = await newPoll(system)
    const cast = (code: string) =>
      send(`${system.ingest.url}/api/polls/${id}/ballots`, { code, option: 'a', nonce: newNonce() })
    system.log.fault = 'slow'
    const underWay = cast(codes[0]!)
    await delay(200)
    const closed = system.ingest.close()
    await delay(50)
    await expect(cast(codes[1]!)).rejects.toThrow('fetch failed')
    expect((await underWay).status).toBe(201)
    const answeredMs = Date.now()
    await closed
    expect(Date.now() - answeredMs).toBeLessThan(2000)
    await system.ingest.close()
    const { rows } = await system.database.pool.query("SELECT count(*) FROM claims WHERE state = 'recorded'")
    expect(rows).toEqual([{ count: '1' }])
  } finally {
    await system.close()
  }
})

test('an ingest that started while another runs serves the same polls and the same ballots', async () => {
  const first = await openTestIngest()
  try {
    const second = await first.another()
    const { id, codes } = await newPoll(first)
    const nonce = newNonce()
    const cast = (url: string) => send(`${url}/api/polls/${id}/ballots`, { code: codes[0], option: 'a', nonce })
    const one = await cast(first.ingest.url)
    const other = await cast(second.url)
    expect([one.status, other.status]).toEqual([201, 200])
    expect(other.body).toEqual(one.body)
    await second.close()
  } finally {
    await first.close()
  }
})
