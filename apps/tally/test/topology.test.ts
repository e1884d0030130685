import type {
  BallotEvent,
  ControlEvent,
  ReceiptDocument,
  RejectionEvent,
  ResultDocument,
  TrendDocument,
} from '@voting/election/events'
import { receiptFor } from '@voting/election/receipt'
import fc from 'fast-check'
import { json, type KeyValueStore, string } from 'stream-core'
import { TopologyTestDriver } from 'stream-core/testing'
import { expect, test } from 'vitest'
import { buildTallyTopology } from '../src/topology.ts'

const start = 1_763_800_000_000

function openTally(partitions = 1) {
  const driver = new TopologyTestDriver(buildTallyTopology(partitions), {
    applicationId: 'tally',
    wallClockStartMs: start,
  })
  const ballots = driver.createInputTopic('ballots', { key: string(), value: json<unknown>() })
  return {
    driver,
    control: (event: ControlEvent) => ballots.pipeInput(event.poll, event, event.at),
    ballot: (voter: string, ballotId: string, option: string, at = start, region: string | null = 'north') => {
      const event: BallotEvent = { type: 'ballot', poll: 'p1', ballotId, option, region, at }
      ballots.pipeInput(`p1|${voter}`, event, at)
    },
    raw: (key: string, text: string, at = start) =>
      driver.pipeBytes('ballots', Buffer.from(key), Buffer.from(text), at),
    results: driver.createOutputTopic('results', { key: string(), value: json<ResultDocument>() }),
    trends: driver.createOutputTopic('trends', { key: string(), value: json<TrendDocument>() }),
    receipts: driver.createOutputTopic('receipts', { key: string(), value: json<ReceiptDocument>() }),
    rejections: driver.createOutputTopic('rejections', { key: string(), value: json<RejectionEvent>() }),
  }
}

const open = (revote: 'first' | 'last', at = start): ControlEvent => ({
  type: 'open',
  poll: 'p1',
  eventId: 'p1:open',
  rules: { options: ['a', 'b'], regions: ['north', 'south'], revote, definitionHash: 'h1' },
  opensAt: at,
  closesAt: at + 1000,
  at,
})
const close = (at = start): ControlEvent => ({ type: 'close', poll: 'p1', eventId: 'p1:close', at })

test('an opened poll has a result with zeros for every option and region', () => {
  const tally = openTally()
  tally.control(open('first'))
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    status: 'open',
    voters: 0,
    totals: { a: 0, b: 0 },
    regions: { north: { a: 0, b: 0 }, south: { a: 0, b: 0 } },
    definitionHash: 'h1',
  })
})

test('under "first" a second ballot of a voter is rejected as already-voted and its receipt says so', () => {
  const tally = openTally()
  tally.control(open('first'))
  tally.ballot('v1', 'x1', 'a')
  tally.ballot('v1', 'x2', 'b')
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    totals: { a: 1, b: 0 },
    accounting: { recorded: 2, accepted: 1, superseded: 0, rejected: 1, duplicates: 0 },
    rejections: { 'already-voted': 1 },
  })
  const receipts = tally.receipts.readKeyValuesToMap()
  expect(receipts.get(receiptFor('x1'))).toMatchObject({ status: 'counted' })
  expect(receipts.get(receiptFor('x2'))).toMatchObject({ status: 'rejected', reason: 'already-voted' })
  expect(tally.rejections.readKeyValuesToList()).toEqual([
    ['p1', { poll: 'p1', ballotId: 'x2', reason: 'already-voted', at: start }],
  ])
})

test('under "last" a later ballot replaces the earlier one, in totals, regions, trend and receipts', () => {
  const tally = openTally()
  tally.control(open('last'))
  tally.ballot('v1', 'x1', 'a', start)
  tally.ballot('v1', 'x2', 'b', start + 2000)
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    voters: 1,
    totals: { a: 0, b: 1 },
    regions: { north: { a: 0, b: 1 } },
    accounting: { recorded: 2, accepted: 1, superseded: 1, rejected: 0, duplicates: 0 },
  })
  expect(tally.receipts.readKeyValuesToMap().get(receiptFor('x1'))).toMatchObject({ status: 'superseded' })
  const trends = tally.trends.readKeyValuesToMap()
  expect(trends.get(`p1|1000|${start}`)).toMatchObject({ counts: { a: 1 } })
  expect(trends.get(`p1|1000|${start + 2000}`)).toMatchObject({ counts: { a: -1, b: 1 } })
})

test('the same ballot written twice counts once and is counted as a duplicate', () => {
  const tally = openTally()
  tally.control(open('last'))
  tally.ballot('v1', 'x1', 'a')
  tally.ballot('v1', 'x1', 'a')
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    totals: { a: 1 },
    accounting: { recorded: 2, accepted: 1, duplicates: 1 },
  })
})

test('however many ballots a voter casts, every record of the state stays small, and the first is still known', () => {
  const tally = openTally()
  const cast = 3000
  tally.control(open('last'))
  for (let i = 0; i < cast; i++) tally.ballot('v1', `x${i}`, i % 2 ? 'a' : 'b')
  tally.ballot('v1', 'x0', 'b')
  const changelogs = tally.driver.producedTopics.filter((topic) => topic.endsWith('-changelog'))
  expect(changelogs).toContain('tally-voters-changelog')
  for (const topic of changelogs) {
    for (const { key, value } of tally.driver.producedRecords(topic)) {
      expect((key?.length ?? 0) + (value?.length ?? 0)).toBeLessThan(2000)
    }
  }
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    totals: { a: 1, b: 0 },
    accounting: { recorded: cast + 1, accepted: 1, superseded: cast - 1, rejected: 0, duplicates: 1 },
  })
})

test('ballot ids that an earlier version kept with their voter are still known', () => {
  const tally = openTally()
  tally.control(open('last'))
  const voters = tally.driver.store<KeyValueStore<string, object>>('voters')
  const current = { ballotId: 'x2', option: 'b', region: 'north' }
  voters.put('p1|v1', { current, seen: ['x1', 'x2'] })
  tally.ballot('v1', 'x1', 'a')
  tally.ballot('v1', 'x2', 'b')
  tally.ballot('v1', 'x3', 'a')
  expect(tally.results.readKeyValuesToMap().get('p1')?.accounting).toMatchObject({
    recorded: 3,
    superseded: 1,
    duplicates: 2,
  })
  expect(voters.get('p1|v1')).toEqual({ current: { ballotId: 'x3', option: 'a', region: 'north' } })
})

test('a ballot behind the close in its partition is rejected, and the poll is final when every partition has closed', () => {
  const tally = openTally(1)
  tally.control(open('first'))
  tally.ballot('v1', 'x1', 'a')
  tally.control(close())
  tally.control(close())
  tally.ballot('v2', 'x2', 'a')
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    status: 'final',
    accounting: { recorded: 2, accepted: 1, rejected: 1 },
    rejections: { closed: 1 },
  })
})

test('bytes that are no event are rejected as malformed and the tally goes on', () => {
  const tally = openTally()
  tally.control(open('first'))
  tally.raw('p1|v1', 'not json')
  tally.raw('p1|v1', '{"type":"ballot","poll":"p1"}')
  // Ids that would make a record of the state larger than the log takes.
  tally.ballot('v1', 'x'.repeat(2_000_000), 'a')
  tally.ballot('v'.repeat(2_000_000), 'x1', 'a')
  tally.ballot('v1', 'x1', 'a')
  expect(tally.results.readKeyValuesToMap().get('p1')).toMatchObject({
    accounting: { recorded: 5, accepted: 1, rejected: 4 },
    rejections: { malformed: 4 },
  })
})

test('whatever is written to the log, every version of a result adds up', () => {
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.constant({ kind: 'open' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('ballot' as const),
        voter: fc.constantFrom('v1', 'v2', 'v3'),
        ballot: fc.integer({ min: 0, max: 8 }),
        option: fc.constantFrom('a', 'b', 'c'),
        atMs: fc.integer({ min: 0, max: 100_000 }),
      }),
    },
  )
  fc.assert(
    fc.property(
      fc.constantFrom('first' as const, 'last' as const),
      fc.array(step, { maxLength: 60 }),
      (revote, steps) => {
        const tally = openTally()
        tally.control(open(revote))
        let recorded = 0
        for (const action of steps) {
          if (action.kind === 'open') tally.control(open(revote))
          else if (action.kind === 'close') tally.control(close())
          else {
            recorded++
            tally.ballot(action.voter, `${action.voter}-${action.ballot}`, action.option, start + action.atMs)
          }
        }
        const versions = tally.results.readRecordsToList().map((record) => record.value!)
        for (const { accounting, totals, voters, regions } of versions) {
          const { accepted, superseded, rejected, duplicates } = accounting
          expect(accounting.recorded).toBe(accepted + superseded + rejected + duplicates)
          expect(voters).toBe(accepted)
          expect(sum(Object.values(totals))).toBe(accepted)
          expect(sum(Object.values(regions).flatMap((region) => Object.values(region)))).toBe(accepted)
        }
        const last = versions[versions.length - 1]!
        expect(last.accounting.recorded).toBe(recorded)
        const trends = [...tally.trends.readKeyValuesToMap().values()].map((trend) => trend!)
        for (const windowMs of [1000, 10_000, 60_000]) {
          const windows = trends.filter((trend) => trend.windowMs === windowMs)
          for (const option of ['a', 'b']) {
            expect(sum(windows.map((trend) => trend.counts[option] ?? 0))).toBe(last.totals[option])
          }
        }
      },
    ),
    { numRuns: 150 },
  )
})

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
