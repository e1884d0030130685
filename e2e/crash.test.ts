import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPoll, eventually, get, newNonce, post, type Results } from './support/api.ts'
import { DemoProcess, newDataDir, removeDataDir } from './support/demo-process.ts'

let dataDir: string
beforeEach(() => {
  dataDir = newDataDir()
})
afterEach(() => removeDataDir(dataDir))

interface Sent {
  readonly code: string
  readonly option: string
  readonly nonce: string
  status: number | 'no answer'
}

/** Casts ballots, several at a time, until told to stop; notes what each was answered. */
function startLoad(ingest: string, poll: string, codes: readonly string[]) {
  const sent: Sent[] = []
  let isStopped = false
  const voter = async (from: number): Promise<void> => {
    for (let i = from; i < codes.length && !isStopped; i += 8) {
      const ballot: Sent = { code: codes[i]!, option: 'abc'[i % 3]!, nonce: newNonce(), status: 'no answer' }
      sent.push(ballot)
      const { code, option, nonce } = ballot
      await post(`${ingest}/api/polls/${poll}/ballots`, { code, option, nonce }).then(
        ({ status }) => (ballot.status = status),
        () => undefined,
      )
    }
  }
  const done = Promise.all(Array.from({ length: 8 }, (_, i) => voter(i)))
  return {
    sent,
    stop: async () => {
      isStopped = true
      await done
    },
  }
}

test.each([
  ['and PostgreSQL is left behind', false],
  ['PostgreSQL too', true],
])('after kill −9 of everything under load, %s, every recorded ballot counts once', async (_name, withPostgres) => {
  let system = await DemoProcess.start(dataDir)
  const { id, codes } = await createPoll(system.ready, 'first', 3000)
  const sent: Sent[] = []
  for (let round = 0; round < 2; round++) {
    const load = startLoad(system.ready.ingest, id, codes.slice(round * 1500, (round + 1) * 1500))
    await eventually('some ballots', async () =>
      load.sent.filter(({ status }) => status === 201).length > 200 ? true : null,
    )
    await system.kill9({ withPostgres })
    await load.stop()
    sent.push(...load.sent)
    system = await DemoProcess.start(dataDir)
  }
  const recorded = sent.filter(({ status }) => status === 201)
  expect(recorded.length).toBeGreaterThan(400)

  // Every ballot is sent again, as a voter would who got no answer: those that were recorded are answered as before.
  for (const ballot of sent) {
    const { code, option, nonce, status } = ballot
    const again = await post(`${system.ready.ingest}/api/polls/${id}/ballots`, { code, option, nonce })
    expect(again.status, `a repeat of a ballot answered with ${status}`).toBeOneOf(status === 201 ? [200] : [200, 201])
  }
  const result = await eventually('all are counted', async () => {
    const { body } = await get<Results>(`${system.ready.viewer}/api/polls/${id}/results`)
    return body.voters >= sent.length ? body : null
  })
  const { accepted, superseded, rejected, duplicates } = result.accounting
  expect(result.voters).toBe(sent.length)
  expect(result.accounting.recorded).toBe(accepted + superseded + rejected + duplicates)
  const expected = { a: 0, b: 0, c: 0 }
  for (const { option } of sent) expected[option as keyof typeof expected]++
  expect(result.totals).toEqual(expected)
  expect(await system.stop()).toBe(0)
  expect(system.postgresPid()).toBeNull()
})

test('a second process on the same data folder is refused with its name; when PostgreSQL alone is killed the first starts it again, and the same form is recorded and counted', async () => {
  const system = await DemoProcess.start(dataDir)
  await expect(DemoProcess.start(dataDir)).rejects.toThrow(/held by another process/)
  const { id, codes } = await createPoll(system.ready, 'first', 2)
  const cast = (i: number) =>
    post(`${system.ready.ingest}/api/polls/${id}/ballots`, { code: codes[i]!, option: 'a', nonce: 'n'.repeat(20) })
  expect((await cast(0)).status).toBe(201)
  process.kill(system.postgresPid()!, 'SIGKILL')
  await eventually('the ballot is taken', async () => ((await cast(1)).status < 300 ? true : null), 30_000)
  await eventually('both are counted', async () => {
    const { body } = await get<Results>(`${system.ready.viewer}/api/polls/${id}/results`)
    return body.voters === 2 ? true : null
  })
  expect(await system.stop()).toBe(0)
  expect(system.postgresPid()).toBeNull()
})
