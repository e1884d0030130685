import { expect, test } from 'vitest'
import { topology as wordCount } from '../examples/01-word-count.ts'
import { int64, string } from '../src/index.ts'
import { TopologyTestDriver } from '../src/testing.ts'

test('example 01 counts words', () => {
  const driver = new TopologyTestDriver(wordCount())
  driver.createInputTopic('lines', { key: string(), value: string() }).pipeInput('1', 'To be, or not to be', 0)
  const counts = driver.createOutputTopic('word-counts', { key: string(), value: int64() }).readKeyValuesToMap()
  expect(Object.fromEntries(counts)).toEqual({ to: 2, be: 2, or: 1, not: 1 })
})
