import { expect, test } from 'vitest'
import { topology as wordCount } from '../examples/01-word-count.ts'
import { int64, string } from '../src/index.ts'
import { TopologyTestDriver } from '../src/testing.ts'

test('example 01 counts words', () => {
  const driver = new TopologyTestDriver(wordCount())
  driver.inputTopic('lines', { key: string(), value: string() }).pipe('1', 'To be, or not to be', 0)
  const counts = driver.outputTopic('word-counts', { key: string(), value: int64() }).readTable()
  expect(Object.fromEntries(counts)).toEqual({ to: 2, be: 2, or: 1, not: 1 })
})
