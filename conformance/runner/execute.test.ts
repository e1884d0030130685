import { describe, expect, it } from 'vitest'
import { runScenario } from './execute.ts'
import { FormatError, type Raw, type Scenario } from './format.ts'

const strings = { keySerde: 'string', valueSerde: 'string' }

const scenario = (topology: readonly Raw[], more: Partial<Scenario> = {}): Scenario => ({
  format: 1,
  id: 'test',
  topics: { in: strings, out: strings },
  topology,
  input: [],
  expected: { error: null },
  ...more,
})

const source: Raw = { id: 's', op: 'stream', topics: ['in'], consumed: strings }
const processor = (spec: Raw): Raw => ({ id: 'p', op: 'process', on: 's', processor: spec })

describe('what the format does not define is an error that names it', () => {
  const unknown: readonly (readonly [string, Scenario])[] = [
    ['unknown op "explode" of a stream', scenario([source, { id: 'x', op: 'explode', on: 's' }])],
    [
      'unknown op "join" of a groupedStream',
      scenario([source, { id: 'g', op: 'groupByKey', on: 's' }, { op: 'join', on: 'g' }]),
    ],
    ['the unknown field "mood"', scenario([{ ...source, mood: 'good' }])],
    ['the unknown field "timeout"', scenario([{ ...source, consumed: { ...strings, timeout: 1 } }])],
    ['unknown predicate "sometimes"', scenario([source, { id: 'f', op: 'filter', on: 's', predicate: 'sometimes' }])],
    ['unknown processor "dance"', scenario([source, processor({ type: 'dance' })])],
    ['the unknown field "size"', scenario([source, processor({ type: 'forward', size: 1 })])],
    ['there is no step "t"', scenario([source, { id: 'm', op: 'merge', on: 's', other: 't' }])],
    ['unknown serde "utf16"', scenario([{ ...source, consumed: { keySerde: 'utf16' } }])],
    ['unknown serde "utf16"', scenario([source], { topics: { in: { ...strings, keySerde: 'utf16' } } })],
    ['unknown optimization "fast"', scenario([source], { config: { optimization: 'fast' } })],
    ['the unknown field "threads"', scenario([source], { config: { threads: 2 } })],
    ['unknown topology op "stream"', scenario([source], { api: 'topology' })],
  ]
  for (const [message, broken] of unknown) {
    it(message, () => {
      expect(() => runScenario(broken)).toThrow(FormatError)
      expect(() => runScenario(broken)).toThrow(message)
    })
  }
})

it("the library's refusal of a topology is an error of the scenario", () => {
  const steps: readonly Raw[] = [
    source,
    { id: 'g', op: 'groupByKey', on: 's' },
    { id: 'w', op: 'windowedBy', on: 'g', windows: { type: 'time', sizeMs: 10, graceMs: 5 } },
    { id: 'c', op: 'count', on: 'w', materialized: { name: 'c', retentionMs: 14 } },
  ]
  const error = { phase: 'build', class: 'IllegalArgumentException' } as const
  expect(runScenario(scenario(steps, { expected: { error } })).divergence).toBeNull()
  expect(runScenario(scenario(steps)).divergence?.place).toBe('error')
})
