import { describe, expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { simulate } from './simulation.ts'

// More of them: `node packages/stream-core/test/simulation/main.ts 10000`.
const seeds = 120
/** A broken engine is found by one of these. */
const mutantSeeds = 200

test(
  `${seeds} seeds: whatever fails, every record counts once, and everything is processed`,
  { timeout: 900_000 },
  async () => {
    const first = 1
    for (let seed = first; seed < first + seeds; seed++) {
      const { wrong } = await simulate({ seed })
      expect(wrong, `seed ${seed}`).toEqual([])
    }
  },
)

test('a seed gives the same run again', async () => {
  const [one, two] = [await simulate({ seed: 11 }), await simulate({ seed: 11 })]
  expect(two).toEqual(one)
})

describe('a broken engine is noticed', () => {
  test.each(Object.entries(mutants))('%s', { timeout: 900_000 }, async (_name, seams) => {
    for (let seed = 1; seed <= mutantSeeds; seed++) {
      const { wrong } = await simulate({ seed, seams })
      if (wrong.length > 0) return
    }
    expect.fail(`survived ${mutantSeeds} seeds`)
  })
})
