import { expect, test } from 'vitest'
import { readOptions } from './options.ts'
import { beyond, pages, type Row } from './scenarios.ts'
import { startSystem } from './system.ts'

test(
  'voters, a probe and pages are served, and what was acknowledged is what is counted and shown',
  { timeout: 90_000 },
  async () => {
    const system = await startSystem({ log: 'embedded', tallies: 2, viewers: 1, tickMs: 100 })
    const rows: Row[] = []
    try {
      rows.push(await pages(system, { pages: 120, joinSeconds: 0.3, seconds: 1 }))
      rows.push(await beyond(system, { rate: 150, seconds: 0.5 }))
    } finally {
      await system.stop()
    }
    const [watched, run] = rows
    expect(watched).toMatchObject({ valid: true, pages: 120, of: 120, closed: {}, lost: 0, surplus: 0, badReceipts: 0 })
    expect(watched!['updatesPerPageAndS']).toBeGreaterThan(0)
    expect(run).toMatchObject({ valid: true, lost: 0, surplus: 0, badReceipts: 0 })
    for (const row of rows) {
      expect(row['acknowledged']).toBeGreaterThan(0)
      expect(row['counted']).toBe(row['acknowledged'])
    }
  },
)

test('what is asked wrongly is refused with what there is', () => {
  expect(() => readOptions(['--scenarios', 'nothing'])).toThrow('--scenarios: there is no "nothing": pace, pages')
  expect(() => readOptions(['--pages', '0'])).toThrow('--pages must be whole numbers above 0; got 0')
  expect(() => readOptions(['--page', '1'])).toThrow(/--page/)
  expect(readOptions(['--log', 'kafka', '--rates', '7,8'])).toMatchObject({
    logs: ['kafka'],
    rates: [7, 8],
    pages: 10_000,
  })
})
