import type { BallotEvent, ControlEvent, ReceiptDocument, ResultDocument, TrendDocument } from '@voting/election/events'
import { receiptFor } from '@voting/election/receipt'
import fc from 'fast-check'
import { json, string } from 'stream-core'
import { TopologyTestDriver } from 'stream-core/testing'
import { expect, test } from 'vitest'
import { buildTallyTopology } from '../src/topology.ts'

const start = 1_763_800_000_000

interface Rules {
  readonly maxChoices?: number
  readonly allowBlank?: boolean
}

/** A tally of a poll that counts the last ballot, with three options. */
function openTally(rules: Rules) {
  const driver = new TopologyTestDriver(buildTallyTopology(1), { applicationId: 'tally', wallClockStartMs: start })
  const ballots = driver.createInputTopic('ballots', { key: string(), value: json<unknown>() })
  const open: ControlEvent = {
    type: 'open',
    poll: 'p1',
    eventId: 'p1:open',
    rules: { options: ['a', 'b', 'c'], regions: ['north'], revote: 'last', definitionHash: 'h1', ...rules },
    opensAt: start,
    closesAt: start + 1000,
    at: start,
  }
  ballots.pipeInput('p1', open, start)
  const results = driver.createOutputTopic('results', { key: string(), value: json<ResultDocument>() })
  const trends = driver.createOutputTopic('trends', { key: string(), value: json<TrendDocument>() })
  const receipts = driver.createOutputTopic('receipts', { key: string(), value: json<ReceiptDocument>() })
  return {
    ballot(voter: string, ballotId: string, chosen: { option: string } | { choices: readonly string[] }, at = start) {
      const event: BallotEvent = { type: 'ballot', poll: 'p1', ballotId, ...chosen, region: 'north', at }
      ballots.pipeInput(`p1|${voter}`, event, at)
    },
    versions: () => results.readRecordsToList().map(({ value }) => value!),
    trends: () => [...trends.readKeyValuesToMap().values()].map((trend) => trend!),
    receipts: () => receipts.readKeyValuesToMap(),
  }
}

test('a ballot with several choices counts once for its voter and once for each choice', () => {
  const tally = openTally({ maxChoices: 2 })
  tally.ballot('v1', 'x1', { choices: ['a', 'c'] })
  tally.ballot('v2', 'x2', { choices: ['a'] })
  tally.ballot('v3', 'x3', { option: 'a' })
  const result = tally.versions().at(-1)!
  expect(result).toMatchObject({
    voters: 3,
    totals: { a: 3, b: 0, c: 1 },
    regions: { north: { a: 3, b: 0, c: 1 } },
    accounting: { recorded: 3, accepted: 3, rejected: 0 },
  })
  expect(result).not.toHaveProperty('blank')
})

test('a later ballot takes back every choice of the earlier one', () => {
  const tally = openTally({ maxChoices: 3, allowBlank: true })
  tally.ballot('v1', 'x1', { choices: ['a', 'b'] })
  tally.ballot('v1', 'x2', { choices: [] }, start + 1000)
  expect(tally.versions().at(-1)).toMatchObject({ voters: 1, blank: 1, totals: { a: 0, b: 0, c: 0 } })
  tally.ballot('v1', 'x3', { choices: ['b', 'c'] }, start + 2000)
  expect(tally.versions().at(-1)).toMatchObject({
    voters: 1,
    blank: 0,
    totals: { a: 0, b: 1, c: 1 },
    regions: { north: { a: 0, b: 1, c: 1 } },
    accounting: { recorded: 3, accepted: 1, superseded: 2 },
  })
  const seconds = tally.trends().filter(({ windowMs }) => windowMs === 1000)
  expect(seconds.map(({ counts }) => counts)).toEqual([
    { a: 1, b: 1 },
    { a: -1, b: -1 },
    { b: 1, c: 1 },
  ])
})

test('a ballot that names more options than the poll allows, or none where it must, is rejected and says why', () => {
  const tally = openTally({})
  tally.ballot('v1', 'x1', { choices: ['a', 'b'] })
  tally.ballot('v2', 'x2', { choices: [] })
  tally.ballot('v3', 'x3', { choices: ['a', 'nothing'] })
  tally.ballot('v4', 'x4', { choices: ['a', 'a'] })
  tally.ballot('v5', 'x5', { option: 'a', choices: ['a'] })
  tally.ballot('v6', 'x6', { choices: ['a'] })
  expect(tally.versions().at(-1)).toMatchObject({
    totals: { a: 1, b: 0, c: 0 },
    accounting: { recorded: 6, accepted: 1, rejected: 5 },
    rejections: { 'too-many-choices': 1, 'blank-not-allowed': 1, 'unknown-option': 1, malformed: 2 },
  })
  expect(tally.receipts().get(receiptFor('x1'))).toMatchObject({ status: 'rejected', reason: 'too-many-choices' })
})

test('a poll without votes that allows blank ballots says that there is none', () => {
  expect(openTally({ allowBlank: true }).versions().at(-1)).toMatchObject({ voters: 0, blank: 0 })
})

test('however many options ballots name, the counters add up in every version', () => {
  const step = fc.record({
    voter: fc.constantFrom('v1', 'v2', 'v3'),
    ballot: fc.integer({ min: 0, max: 8 }),
    choices: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.array(step, { maxLength: 40 }),
      (max, blank, steps) => {
        const tally = openTally({ maxChoices: max, allowBlank: blank })
        for (const { voter, ballot, choices } of steps) tally.ballot(voter, `${voter}-${ballot}`, { choices })
        for (const { accounting, totals, voters, blank: blanks = 0 } of tally.versions()) {
          const { accepted, superseded, rejected, duplicates } = accounting
          expect(accounting.recorded).toBe(accepted + superseded + rejected + duplicates)
          expect(voters).toBe(accepted)
          const sum = Object.values(totals).reduce((a, b) => a + b, 0)
          expect(sum).toBeGreaterThanOrEqual(voters - blanks)
          expect(sum).toBeLessThanOrEqual(max * (voters - blanks))
          if (!blank) expect(blanks).toBe(0)
        }
      },
    ),
    { numRuns: 60 },
  )
})
