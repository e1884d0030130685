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
  'restore nothing': { restoreTarget: 'earliest' },
  'restore up to the last stable offset': { restoreTarget: 'latest-stable' },
  'read committed positions while a transaction may still move them': { waitsForStableOffsets: false },
  'keep what an abort should drop': { dropsActive: false },
  'commit without saying in which generation': { namesGeneration: false },
  'commit one record too many': { committedOffset: (offset) => offset + 1 },
  'commit one record too few': { committedOffset: (offset) => Math.max(0, offset - 1) },
  'take state for newer than it is': { changelogPosition: (offset) => offset + 3 },
  'leave deletions out of the changelog': { logsDeletions: false },
  'read what is not committed': { inputIsolation: 'read_uncommitted' },
  'restore what is not committed': { restoreIsolation: 'read_uncommitted' },
  'run state as it is': { completesState: false },
  'give tasks away without a commit': { commitsBeforeHandOver: false },
  'trust whatever state is on the disk': { mistrustsState: false },
  'trust state whose end the log has aborted': { verifiesState: false },
  'trust state however old it is': { suspectsOldState: false },
  'go on behind the place where an input was cut': { takesBack: false },
}
