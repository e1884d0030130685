import { expect, test } from 'vitest'
import { updatePaceMs } from '../src/live/update-pace.ts'

test('few pages are told as soon as was asked for, and many so seldom that one process sends no more than 10,000 updates a second', () => {
  expect(updatePaceMs(100, 0)).toBe(100)
  expect(updatePaceMs(100, 1000)).toBe(100)
  expect(updatePaceMs(100, 2500)).toBe(250)
  expect(updatePaceMs(100, 10_000)).toBe(1000)
  expect(updatePaceMs(5000, 10_000)).toBe(5000)
})
