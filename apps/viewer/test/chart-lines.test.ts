import { describe, expect, test } from 'vitest'
import { chosenLines, splitLines } from '../public/shared.js'

/** The page's own script: it has no types but its comments. */
interface TrendModule {
  readonly createTrend: (poll: object) => {
    take(trend: { t0: number; step: number; cols: number[][] }, nowMs: number): void
    columns(range: string, totals: object, endMs: number): { starts: number[]; rate: (number | null)[] }
  }
}
const script: string = '../public/trend.js'
const { createTrend } = (await import(script)) as TrendModule

describe('the options that an address names', () => {
  test.each([
    ['1,3', [0, 2]],
    ['3,1,3', [0, 2]],
    ['2', [1]],
  ])('%s of three options are those, in the order of the poll', (opts, lines) => {
    expect(chosenLines(opts, 3)).toEqual(lines)
  })

  test.each([undefined, null, '', '0', '4', '-1', '1.5', 'a', '1,2,3', '<b>'])('%s means all of three', (opts) => {
    expect(chosenLines(opts, 3)).toBe(null)
  })
})

describe('lines of a chart', () => {
  test('up to six options are lines of their own', () => {
    expect(splitLines([1, 2, 3, 4, 5, 6], null)).toEqual({ own: [0, 1, 2, 3, 4, 5], rest: [] })
  })

  test('of more than six those with most votes are, in the order of the poll, and the rest is one line', () => {
    expect(splitLines([5, 1, 90, 70, 60, 2, 80, 50], null)).toEqual({ own: [0, 2, 3, 4, 6, 7], rest: [1, 5] })
    expect(splitLines([0, 0, 0, 0, 0, 0, 0], null)).toEqual({ own: [0, 1, 2, 3, 4, 5], rest: [6] })
  })

  test('of those that somebody has chosen nothing is left out, and nothing else is drawn', () => {
    expect(splitLines([5, 1, 90, 70, 60, 2, 80, 50], [1, 5])).toEqual({ own: [1, 5], rest: [] })
    expect(splitLines([5, 1, 90, 70, 60, 2, 80, 50], [0, 1, 2, 3, 4, 5, 6])).toEqual({
      own: [0, 2, 3, 4, 5, 6],
      rest: [1],
    })
  })

  test('an option that is hardly ahead of one that is drawn does not take its place, and one that is clearly ahead does', () => {
    const drawn = [0, 1, 2, 3, 4, 5]
    expect(splitLines([100, 100, 100, 100, 100, 100, 104], null, drawn).own).toEqual(drawn)
    expect(splitLines([100, 100, 100, 100, 100, 100, 106], null, drawn).rest).toHaveLength(1)
    expect(splitLines([100, 100, 100, 100, 100, 100, 106], null, drawn).own).toContain(6)
  })
})

describe('votes per minute', () => {
  const poll = { options: [{ id: 'a' }, { id: 'b' }], opensAt: 0 }

  test('are those of the minute that ends with each second, also where that begins before what is shown', () => {
    const trend = createTrend(poll)
    // One vote each second for a, and every tenth one more for b.
    const cols = [Array.from({ length: 400 }, () => 1), Array.from({ length: 400 }, (_, i) => (i % 10 === 0 ? 1 : 0))]
    trend.take({ t0: 0, step: 1000, cols }, 400_000)
    const { starts, rate } = trend.columns('5m', { a: 400, b: 40 }, 399_000)
    expect([starts[0], starts.length]).toEqual([99_000, 301])
    expect(new Set(rate)).toEqual(new Set([66]))
  })

  test('begin with nothing, and count a changed vote not twice', () => {
    const trend = createTrend(poll)
    trend.take(
      {
        t0: 0,
        step: 1000,
        cols: [
          [1, 1, -1],
          [0, 0, 1],
        ],
      },
      3000,
    )
    expect(trend.columns('5m', { a: 1, b: 1 }, 2000).rate).toEqual([1, 2, 2])
  })

  test('are not said of a minute that is not over', () => {
    const trend = createTrend(poll)
    trend.take(
      {
        t0: 0,
        step: 60_000,
        cols: [
          [4, 5, 6],
          [0, 1, 0],
        ],
      },
      150_000,
    )
    expect(trend.columns('all', { a: 15, b: 1 }, 150_000).rate).toEqual([4, 6, null])
    expect(trend.columns('all', { a: 15, b: 1 }, 180_000).rate.slice(0, 3)).toEqual([4, 6, 6])
  })
})
