import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlRecords } from './support/control-records.ts'
import { newPoll, openTestIngest, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
beforeAll(async () => {
  system = await openTestIngest()
})
afterAll(() => system.close())

const typesIn = async (id: string): Promise<readonly string[]> => {
  const partitions = await controlRecords(system, id)
  return partitions[0]!.map(({ type }) => type)
}

test.each([
  ['is refused', 'not-written'],
  ['does not answer', 'stuck'],
] as const)('a poll whose log %s holds up no other, and opens and closes when it can', async (_name, fault) => {
  // Whichever is asked for first must not keep the other waiting: each fails once.
  for (const failing of [0, 1]) {
    const polls = await Promise.all([0, 1].map(() => newPoll(system, { opensInMs: 400, closesInMs: 700 })))
    const ids = polls.map(({ id }) => id)
    const held = ids[failing]!
    system.log.onlyKey = held
    system.log.fault = fault
    const others = ids.filter((id) => id !== held)
    for (const id of others) {
      await expect.poll(() => typesIn(id), { timeout: 15_000, interval: 50 }).toEqual(['open', 'close'])
    }
    expect(await typesIn(held)).toEqual([])
    system.log.release()
    await expect.poll(() => typesIn(held), { timeout: 15_000, interval: 50 }).toEqual(['open', 'close'])
  }
})
