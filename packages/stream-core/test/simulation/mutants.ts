import { commitSteps } from '../../src/index.ts'
import type { Seams } from '../../src/runtime/streams-config.ts'

/** Ways to break the engine, each of which simulation must notice. Those of the commit are made from its list of steps. */
export const mutants: { readonly [name: string]: Seams } = {
  ...Object.fromEntries(
    commitSteps.map((step) => [
      `leave out "${step}"`,
      { arrangeSteps: (steps) => steps.filter(([name]) => name !== step) } satisfies Seams,
    ]),
  ),
  ...Object.fromEntries(
    commitSteps.slice(1).map((step, i) => [
      `"${step}" before "${commitSteps[i]}"`,
      {
        arrangeSteps: (steps) => {
          const swapped = [...steps]
          ;[swapped[i], swapped[i + 1]] = [swapped[i + 1]!, swapped[i]!]
          return swapped
        },
      } satisfies Seams,
    ]),
  ),
  'restore up to the last stable offset': { restoreTarget: 'latest-stable' },
  'read committed positions while a transaction may still move them': { waitsForStableOffsets: false },
  'keep what an abort should drop': { dropsActive: false },
  'commit without saying in which generation': { namesGeneration: false },
}
