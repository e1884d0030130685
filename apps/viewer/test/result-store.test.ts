import { openPool } from '@voting/election/database'
import type { Pool, QueryConfig } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { ResultStore } from '../src/result-store.ts'
import { insertPoll, writeCount } from './support/live-client.ts'

let database: TestDatabase
const asOfMs = 1_763_800_000_000
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => insertPoll(database, asOfMs))

const write = (version: number): Promise<void> =>
  writeCount(database, { epoch: 1, version, a: version, b: 0, asOfMs: asOfMs + version * 1000 })

/** The pool, with `between` done right after the first statement has been answered. */
function interrupted(pool: Pool, between: () => Promise<void>): Pool {
  let isFirst = true
  const query = async (question: QueryConfig): Promise<unknown> => {
    const answer = await pool.query(question)
    if (isFirst) {
      isFirst = false
      await between()
    }
    return answer
  }
  return new Proxy(pool, {
    get: (target, name) => (name === 'query' ? query : (Reflect.get(target, name) as unknown)),
  })
}

test('what the sink commits in the middle of a look is seen by the next one', async () => {
  await write(1)
  const store = new ResultStore(interrupted(database.pool, () => write(2)))
  const first = await store.changesSince(0)
  const second = await store.changesSince(first.revision)
  expect([...first.views, ...second.views].map(({ version }) => version)).toContain(2)
  expect([...first.trends, ...second.trends].filter(({ windowMs }) => windowMs === 1000)).toHaveLength(2)
  expect((await store.changesSince(second.revision)).views).toEqual([])
})

test('thousands who want to see one poll at once are one question or two, and nobody gets an answer from before they came', async () => {
  await write(1)
  let questions = 0
  const counting = new Proxy(database.pool, {
    get: (target, name) =>
      name === 'query'
        ? (question: QueryConfig) => {
            questions++
            return target.query(question)
          }
        : (Reflect.get(target, name) as unknown),
  })
  const store = new ResultStore(counting)
  const early = store.poll('p1')
  await write(2)
  const crowd = Array.from({ length: 2000 }, () => store.poll('p1'))
  expect((await early)?.version).toBeGreaterThanOrEqual(1)
  for (const view of await Promise.all(crowd)) expect(view?.version).toBe(2)
  expect(questions).toBeLessThanOrEqual(3)
  await write(3)
  expect((await store.poll('p1'))?.version).toBe(3)
  expect((await store.poll('which'))?.version).toBe(3)
  expect(await store.poll('none')).toBe(null)
})

test('a database that hangs is an error in time, and the store goes on when it answers again', async () => {
  const pool = openPool({ url: database.url, applicationName: 'viewer-test' })
  const store = new ResultStore(pool, { queryTimeoutMs: 200 })
  const view = await store.poll('p1')
  const lock = await database.pool.connect()
  await lock.query('BEGIN; LOCK TABLE polls, results, trends')
  try {
    const questions = [store.polls(), store.poll('p1'), store.currentPoll(), store.changesSince(0), store.revision()]
    const outcomes = await Promise.allSettled([
      ...questions,
      store.trend(view!, 1000, 0, 1),
      store.firstTrendStart('p1', 1),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'))
  } finally {
    await lock.query('ROLLBACK')
    lock.release()
  }
  expect(await store.poll('which')).toMatchObject({ poll: { id: 'p1' } })
  await pool.end()
})
