import type { Unrecorded } from '../recorder/java-recorder.ts'
import { breakSomething } from './build-errors.ts'
import { configure } from './configuration.ts'
import { Draft } from './draft.ts'
import { dslTopology } from './dsl.ts'
import { forgetSerdes } from './forget-serdes.ts'
import { inputs } from './inputs.ts'
import { lowLevelTopology } from './low-level.ts'
import { Random } from './random.ts'

const buildErrorProbability = 0.04
const lowLevelProbability = 0.1
const forgetProbability = 0.1

/** How the names of scenarios end that lack serdes: Java may not be able to record one. */
export const forgetful = '-without-serdes'

/** The scenario of this number among those of this seed: always the same one. */
export function generate(seed: number, number: number): Unrecorded {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
  const draft = new Draft(random)
  const isDsl = !random.chance(lowLevelProbability)
  configure(draft, isDsl)
  if (isDsl) dslTopology(draft)
  else lowLevelTopology(draft)
  const input = inputs(draft)
  if (random.chance(buildErrorProbability)) breakSomething(draft)
  const isForgetful = isDsl && random.chance(forgetProbability)
  if (isForgetful) forgetSerdes(draft, random)
  return {
    format: 1,
    id: `fuzz-${seed}-${number}${isForgetful ? forgetful : ''}`,
    api: isDsl ? 'dsl' : 'topology',
    config: draft.config,
    topics: draft.topics,
    topology: draft.steps,
    input,
  }
}
