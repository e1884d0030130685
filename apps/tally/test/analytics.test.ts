import type {
  AnalyticsDocument,
  AnalyticsKind,
  BurstDocument,
  FlowsDocument,
  LeadDocument,
  MinuteDocument,
  StandingDocument,
} from '@voting/election/analytics-events'
import type { BallotEvent, ControlEvent, ResultDocument } from '@voting/election/events'
import fc from 'fast-check'
import { json, string } from 'stream-core'
import { TopologyTestDriver } from 'stream-core/testing'
import { expect, test } from 'vitest'
import { buildTallyTopology } from '../src/topology.ts'

const partitions = 3
/** The beginning of a minute. */
const start = 1_763_800_020_000
const minuteMs = 60_000

function openTally(revote: 'first' | 'last' = 'last', electorate?: number) {
  const driver = new TopologyTestDriver(buildTallyTopology(partitions), {
    applicationId: 'tally',
    wallClockStartMs: start,
    partitions: { ballots: partitions },
  })
  const ballots = driver.createInputTopic('ballots', { key: string(), value: json<unknown>() })
  const output = driver.createOutputTopic('analytics', { key: string(), value: json<AnalyticsDocument>() })
  const results = driver.createOutputTopic('results', { key: string(), value: json<ResultDocument>() })
  const rules = { options: ['a', 'b', 'c'], regions: ['north', 'south'], revote, definitionHash: 'h1' }
  const opened: ControlEvent = {
    type: 'open',
    poll: 'p1',
    eventId: 'p1:open',
    rules: { ...rules, ...(electorate !== undefined && { electorate }) },
    opensAt: start,
    closesAt: start + 1000,
    at: start,
  }
  for (let partition = 0; partition < partitions; partition++) {
    ballots.pipeInput('p1', opened, { timestampMs: start, partition })
    // Each partition notes when it opened the poll.
    driver.advanceWallClockTime(1)
  }
  let count = 0
  const seen = new Map<string, AnalyticsDocument>()
  return {
    ballot(voter: string, option: string, atMs: number, region: string | null = 'north', ballotId = `auto-${count++}`) {
      const event: BallotEvent = { type: 'ballot', poll: 'p1', ballotId, option, region, at: start + atMs }
      ballots.pipeInput(`p1|${voter}`, event, start + atMs)
    },
    /** The newest value of every key of a kind, in the order of their starts. */
    newest<D extends AnalyticsDocument>(kind: AnalyticsKind): D[] {
      for (const [key, document] of output.readKeyValuesToList()) seen.set(key!, document!)
      const documents = [...seen.values()].filter((document) => document.kind === kind) as D[]
      return documents.sort((a, b) => a.start - b.start)
    },
    result: () => results.readKeyValuesToMap().get('p1')!,
    keys: () => [...seen.keys()],
  }
}

test('whichever partition a ballot comes from, what is found out has the epoch of the result', () => {
  const tally = openTally()
  for (let i = 0; i < 100; i++) {
    tally.ballot(`v${i}`, 'a', Math.floor(i / 4) * minuteMs)
    if (i < 40) tally.ballot(`v${i}`, 'b', 30 * minuteMs)
  }
  const { epoch } = tally.result()
  for (const kind of ['minute', 'standing', 'lead', 'flows', 'burst'] as const) {
    const epochs = tally.newest(kind).map((document) => document.epoch)
    expect([kind, epochs.length > 0, new Set(epochs)]).toEqual([kind, true, new Set([epoch])])
  }
})

test('each minute has its votes, changes, duplicates, rejections by reason and regions', () => {
  const tally = openTally()
  tally.ballot('v1', 'a', 0, 'north', 'x1')
  tally.ballot('v2', 'b', 59_999, 'south')
  tally.ballot('v1', 'a', 60_000, 'north', 'x1')
  tally.ballot('v1', 'c', 61_000, 'north')
  tally.ballot('v3', 'nonsense', 62_000)
  expect(tally.newest<MinuteDocument>('minute')).toMatchObject([
    {
      start,
      recorded: 2,
      accepted: 2,
      changed: 0,
      duplicates: 0,
      rejections: {},
      counts: { a: 1, b: 1 },
      regions: { north: { a: 1 }, south: { b: 1 } },
    },
    {
      start: start + minuteMs,
      recorded: 3,
      accepted: 0,
      changed: 1,
      duplicates: 1,
      rejections: { 'unknown-option': 1 },
      counts: { a: -1, c: 1 },
      regions: { north: { a: -1, c: 1 } },
    },
  ])
  expect(tally.keys()).toContain(`p1|minute|${start}`)
})

test('the minutes add up to the result, whatever is cast and however late', () => {
  const ballot = fc.record({
    voter: fc.constantFrom('v1', 'v2', 'v3', 'v4'),
    option: fc.constantFrom('a', 'b', 'c', 'none'),
    region: fc.constantFrom('north', 'south', null),
    atMs: fc.integer({ min: 0, max: 300_000 }),
    id: fc.integer({ min: 0, max: 12 }),
  })
  fc.assert(
    fc.property(
      fc.constantFrom('first' as const, 'last' as const),
      fc.array(ballot, { maxLength: 40 }),
      (revote, all) => {
        const tally = openTally(revote)
        for (const { voter, option, region, atMs, id } of all)
          tally.ballot(voter, option, atMs, region, `${voter}-${id}`)
        const minutes = tally.newest<MinuteDocument>('minute')
        const result = tally.result()
        const sum = (of: (minute: MinuteDocument) => number | undefined): number =>
          minutes.reduce((total, minute) => total + (of(minute) ?? 0), 0)
        for (const option of ['a', 'b', 'c']) {
          expect(sum(({ counts }) => counts[option])).toBe(result.totals[option])
          for (const region of ['north', 'south']) {
            expect(sum(({ regions }) => regions[region]?.[option])).toBe(result.regions[region]![option])
          }
        }
        expect(sum(({ recorded }) => recorded)).toBe(result.accounting.recorded)
        expect(sum(({ accepted }) => accepted)).toBe(result.voters)
        expect(sum(({ changed }) => changed)).toBe(result.accounting.superseded)
        expect(sum(({ duplicates }) => duplicates)).toBe(result.accounting.duplicates)
        for (const reason of ['unknown-option', 'already-voted'] as const) {
          expect(sum(({ rejections }) => rejections[reason])).toBe(result.rejections[reason] ?? 0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('each minute ends with a standing: totals, leader, margin, and turnout where the electorate is known', () => {
  const tally = openTally('last', 10)
  tally.ballot('v1', 'a', 1000)
  tally.ballot('v2', 'b', 2000)
  tally.ballot('v3', 'b', minuteMs)
  tally.ballot('v4', 'b', minuteMs + 1000)
  expect(tally.newest<StandingDocument>('standing')).toMatchObject([
    { start, at: start + 2000, voters: 2, totals: { a: 1, b: 1, c: 0 }, leader: null, margin: 0, turnout: 0.2 },
    { start: start + minuteMs, voters: 4, totals: { a: 1, b: 3, c: 0 }, leader: 'b', margin: 2, turnout: 0.4 },
  ])
  const unknown = openTally()
  unknown.ballot('v1', 'a', 0)
  expect(unknown.newest<StandingDocument>('standing')).toMatchObject([{ turnout: null }])
})

test('a late ballot belongs to the standing of now, so that standings never go back in time', () => {
  const tally = openTally()
  tally.ballot('v1', 'a', 2 * minuteMs)
  tally.ballot('v2', 'a', 10)
  expect(tally.newest<StandingDocument>('standing').map(({ start: at, voters }) => [at - start, voters])).toEqual([
    [0, 0],
    [2 * minuteMs, 2],
  ])
})

test('a change of the lead is told with its time when another option is ahead, and not when others only draw level', () => {
  const tally = openTally()
  tally.ballot('v1', 'a', 0)
  tally.ballot('v2', 'b', 1000)
  tally.ballot('v3', 'a', 2000)
  tally.ballot('v4', 'b', 3000)
  tally.ballot('v5', 'b', 4000)
  expect(tally.newest<LeadDocument>('lead')).toMatchObject([
    { at: start, from: null, to: 'a', margin: 1, voters: 1 },
    { at: start + 4000, from: 'a', to: 'b', margin: 1, voters: 5 },
  ])
})

test('a lead that comes back within its second is no change', () => {
  const tally = openTally()
  tally.ballot('v1', 'a', 0)
  tally.ballot('v2', 'b', 1000)
  tally.ballot('v3', 'b', 1100)
  tally.ballot('v4', 'a', 1200)
  tally.ballot('v5', 'a', 1300)
  expect(tally.newest<LeadDocument>('lead').map(({ from, to }) => [from, to])).toEqual([
    [null, 'a'],
    ['a', 'a'],
  ])
})

test('changes of mind are told from option to option, once ten voters have made the same', () => {
  const tally = openTally()
  for (let i = 0; i < 12; i++) {
    tally.ballot(`v${i}`, 'a', i)
    if (i < 9) tally.ballot(`v${i}`, 'b', 1000 + i)
  }
  tally.ballot('v10', 'a', 1500)
  expect(tally.newest<FlowsDocument>('flows')).toMatchObject([{ start: 0, flows: {} }])
  tally.ballot('v10', 'b', 2000)
  tally.ballot('v11', 'c', 2000)
  const [told] = tally.newest<FlowsDocument>('flows')
  expect(told!.flows).toEqual({ a: { b: 10 } })
})

/** `perWindow` ballots in each of the next windows of ten seconds. */
function fill(tally: ReturnType<typeof openTally>, from: number, perWindow: readonly number[]): void {
  perWindow.forEach((count, window) => {
    for (let i = 0; i < count; i++) tally.ballot(`w${from + window}-${i}`, 'a', (from + window) * 10_000 + i)
  })
}

test('many more ballots than usual are flagged from the ballot that makes them so, and all of them count', () => {
  const tally = openTally()
  fill(tally, 0, [4, 5, 4, 6, 4, 5])
  fill(tally, 6, [24])
  const [first] = tally.newest<BurstDocument>('burst')
  expect(first).toMatchObject({ start: start + 60_000, recorded: 24, peak: 24 })
  expect(first!.usual).toBeCloseTo(28 / 6)
  fill(tally, 7, [40, 3, 4])
  expect(tally.newest<BurstDocument>('burst')).toMatchObject([
    { start: start + 60_000, end: start + 80_000, windowMs: 10_000, recorded: 64, peak: 40, rejected: 0 },
  ])
  expect(tally.result().voters).toBe(99)
})

test('neither the opening of a poll nor a handful of friends is a burst; one behind a pause is its own', () => {
  const tally = openTally()
  fill(tally, 0, [6, 0, 1, 1, 0, 1, 1, 0, 19])
  expect(tally.newest('burst')).toEqual([])
  fill(tally, 20, [25])
  fill(tally, 30, [30, 1])
  expect(tally.newest<BurstDocument>('burst').map((burst) => [burst.start - start, burst.recorded])).toEqual([
    [200_000, 25],
    [300_000, 30],
  ])
})

test('a morning that is as busy as the evening was is no burst, though nobody voted at night', () => {
  const tally = openTally()
  const busy = [12, 9, 11, 10, 12, 8, 9, 10]
  fill(tally, 0, busy)
  fill(tally, 3000, [11, 25, 22, 12])
  expect(tally.newest('burst')).toEqual([])
  fill(tally, 3004, [70])
  expect(tally.newest('burst')).toHaveLength(1)
})

test('ballots that nobody has opened a poll for are not analysed', () => {
  const driver = new TopologyTestDriver(buildTallyTopology(1), { applicationId: 'tally', wallClockStartMs: start })
  const ballots = driver.createInputTopic('ballots', { key: string(), value: json<unknown>() })
  ballots.pipeInput('p9|v', { type: 'ballot', poll: 'p9', ballotId: 'x', option: 'a', region: null, at: start }, start)
  const output = driver.createOutputTopic('analytics', { key: string(), value: json<AnalyticsDocument>() })
  expect(output.readKeyValuesToList()).toEqual([])
})
