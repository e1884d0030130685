import { describe, expect, it } from 'vitest'
import { runScenario } from '../runner/execute.ts'
import { FormatError } from '../runner/format.ts'
import { generate } from './generate.ts'

const numbers = Array.from({ length: 150 }, (_, number) => number)

describe('generated scenarios', () => {
  it('are the same for the same seed and number, and others for another seed', () => {
    for (const number of numbers) expect(generate(7, number)).toEqual(generate(7, number))
    expect(generate(7, 0).topology).not.toEqual(generate(8, 0).topology)
  })

  it('name only what the format defines', () => {
    for (const number of numbers) {
      const scenario = { ...generate(7, number), expected: { error: null } }
      try {
        runScenario(scenario)
      } catch (error) {
        if (error instanceof FormatError) throw new Error(`${scenario.id}: ${error.message}`, { cause: error })
      }
    }
  })

  it('use every operation of the DSL', () => {
    const operations = new Set(
      Array.from({ length: 1000 }, (_, number) => generate(7, number).topology.map(({ op }) => op)).flat(),
    )
    const all =
      'stream table globalTable addStateStore addGlobalStore filter filterNot mapValues map flatMap flatMapValues selectKey ' +
      'peek foreach split merge repartition to toTable groupByKey groupBy process processValues join leftJoin outerJoin ' +
      'transformValues toStream suppress count reduce aggregate windowedBy cogroup emitStrategy addSource addProcessor ' +
      'addSink connectProcessorAndStateStores'
    expect(all.split(' ').filter((operation) => !operations.has(operation))).toEqual([])
  })
})
