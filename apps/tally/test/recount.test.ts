import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BallotEvent, ControlEvent } from '@voting/election/events'
import { topicSpecs } from '@voting/election/topics'
import { type Broker, partitionForKey, silentLogger, Streams } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { recount } from '../src/recount.ts'
import { buildTallyTopology } from '../src/topology.ts'

let folder: string
let broker: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'recount-test-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(topicSpecs(3))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

const at = 1_763_800_000_000
const rules = { options: ['a', 'b'], regions: ['north'], revote: 'last' as const, definitionHash: 'h' }

/** Control records go to every partition, ballots to the one of their key: as ingest writes them. */
async function write(...events: (ControlEvent | (BallotEvent & { voter: string }))[]): Promise<void> {
  const producer = await broker.openProducer()
  for (const event of events) {
    const value = Buffer.from(JSON.stringify(event))
    if (event.type === 'ballot') {
      const key = Buffer.from(`${event.poll}|${event.voter}`)
      producer.append('ballots', partitionForKey(key, 3), key, value, event.at)
    } else {
      for (let partition = 0; partition < 3; partition++)
        producer.append('ballots', partition, event.poll, value, event.at)
    }
  }
  await producer.flush()
  await producer.close()
}

const open = { type: 'open', poll: 'p1', eventId: 'p1:open', rules, opensAt: at, closesAt: at + 1, at } as const
const close = { type: 'close', poll: 'p1', eventId: 'p1:close', at } as const
const ballot = (voter: string, ballotId: string, option: string) =>
  ({ type: 'ballot', poll: 'p1', ballotId, option, region: 'north', at, voter }) as const

const run = async () => {
  const live = { applicationId: 'tally', stateDir: join(folder, 'state') }
  return (await recount({ broker, logger: silentLogger, live })).polls
}

test('a recount equals the published result, also after revotes, duplicates, a close and late ballots', async () => {
  const ballots = Array.from({ length: 40 }, (_, i) => ballot(`v${i % 25}`, `x${i}`, i % 3 ? 'a' : 'b'))
  await write(open, ...ballots, ballots[3]!, close, open, ballot('v99', 'late', 'a'))
  const [poll] = await run()
  expect(poll).toMatchObject({
    poll: 'p1',
    isEqual: true,
    published: {
      status: 'final',
      voters: 25,
      accounting: { recorded: 42, accepted: 25, superseded: 15, rejected: 1, duplicates: 1 },
    },
  })
})

test('a recount equals the result of a poll with several choices and blank ballots, after an extension and a close', async () => {
  const choices = [['a', 'b'], [], ['b'], ['a', 'b', 'c'], ['a']]
  const ballots = Array.from({ length: 30 }, (_, i) => {
    const { option: _one, ...rest } = ballot(`v${i % 20}`, `x${i}`, '')
    return { ...rest, choices: choices[i % 5]! }
  })
  const several = { ...open, rules: { ...rules, maxChoices: 2, allowBlank: true } }
  const extend = { type: 'extend', poll: 'p1', eventId: 'p1:extend:1', closesAt: at + 9, at } as const
  await write(several, ...ballots.slice(0, 15), extend, ...ballots.slice(15), close, ballot('v99', 'late', 'a'))
  const [poll] = await run()
  expect(poll).toMatchObject({ isEqual: true, published: { status: 'final', accounting: { recorded: 31 } } })
  expect(poll!.published!.blank).toBeGreaterThan(0)
  expect(poll!.recounted!.blank).toBe(poll!.published!.blank)
})

test('what the live tally has not counted yet is counted first, and is no difference', async () => {
  await write(open, ballot('v1', 'x1', 'a'))
  expect((await run())[0]!.isEqual).toBe(true)
  await write(ballot('v2', 'x2', 'b'))
  expect((await run())[0]).toMatchObject({ isEqual: true, published: { voters: 2 } })
})

test('a published result that somebody changed is found, and a recount leaves nothing behind', async () => {
  await write(open, ballot('v1', 'x1', 'a'))
  const [before] = await run()
  const forged = { ...before!.published!, totals: { a: 5, b: 0 }, voters: 5 }
  const producer = await broker.openProducer()
  producer.append('results', partitionForKey(Buffer.from('p1'), 3), 'p1', Buffer.from(JSON.stringify(forged)), at)
  await producer.flush()
  await producer.close()
  expect(await run()).toMatchObject([{ isEqual: false, published: { voters: 5 }, recounted: { voters: 1 } }])
  const left = await broker.admin.describeTopics(['tally-effects-repartition', 'recount-results'])
  expect([...left.keys()]).toEqual(['tally-effects-repartition'])
})

test('beside a running tally, a poll that is being voted in is compared at the positions that its result names', async () => {
  const live = new Streams({
    topology: buildTallyTopology(3),
    applicationId: 'tally',
    broker,
    stateDir: join(folder, 'state'),
  })
  await write(open, ballot('v0', 'x0', 'a'))
  await live.start()
  let voters = 1
  let isVoting = true
  const voting = (async () => {
    for (; isVoting; voters++) {
      await write(ballot(`v${voters}`, `x${voters}`, voters % 3 ? 'a' : 'b'))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  const beside = { applicationId: 'tally', stateDir: null }
  for (const round of ['while votes come in', 'once more', 'when all have come']) {
    if (round === 'when all have come') {
      isVoting = false
      await voting
    }
    const found = await recount({ broker, logger: silentLogger, live: beside })
    expect(found, round).toMatchObject({ polls: [{ poll: 'p1', isEqual: true }], uncounted: 0 })
    expect(found.polls[0]!.recounted!.voters).toBeGreaterThan(0)
  }
  await live.close()
  expect(voters).toBeGreaterThan(10)

  await write(ballot('late', 'x-late', 'a'))
  const found = await recount({ broker, logger: silentLogger, live: beside, patienceMs: 0 })
  expect(found).toMatchObject({ polls: [{ isEqual: true, published: { voters } }], uncounted: 1 })
})

test('without a poll there is nothing to differ', async () => {
  expect(await run()).toEqual([])
})
