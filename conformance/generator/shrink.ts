import type { JavaRecorder, Unrecorded } from '../recorder/java-recorder.ts'
import type { Json, Raw, Scenario } from '../runner/format.ts'

/** Whether a recorded scenario still fails in the way that is looked for. */
export type StillFails = (scenario: Scenario) => boolean

/**
 * Makes a failing scenario small, for as long as it fails:
 *
 *   1. Drop stimuli: halves of them first, then ever smaller runs, at last one by one.
 *   2. Drop steps, last first, with all that build on them.
 *   3. Take a step that keeps the types out of its chain.
 *   4. Drop options of steps and of the configuration, headers of stimuli.
 *   5. Again, until nothing more can go.
 *
 * Each candidate is recorded anew: what Java does with it is the truth, never what it did with the larger one.
 */
export async function shrink(failing: Scenario, recorder: JavaRecorder, stillFails: StillFails): Promise<Scenario> {
  let smallest = failing
  const accept = async (candidate: Unrecorded): Promise<boolean> => {
    try {
      const recorded = await recorder.record(candidate)
      if (!stillFails(recorded)) return false
      smallest = recorded
      return true
    } catch {
      return false // it names what is no longer there
    }
  }
  for (let size = Infinity; size > sizeOf(smallest);) {
    size = sizeOf(smallest)
    await dropStimuli(() => smallest, accept)
    await tryAll(() => withoutSteps(smallest), accept)
    await tryAll(() => withBypass(smallest), accept)
    await tryAll(() => withoutOptions(smallest), accept)
  }
  return withoutUnusedTopics(smallest)
}

const sizeOf = (scenario: Scenario): number => JSON.stringify(unrecorded(scenario)).length

function unrecorded({ expected: _, ...rest }: Scenario): Unrecorded {
  return rest
}

type Accept = (candidate: Unrecorded) => Promise<boolean>

async function dropStimuli(smallest: () => Scenario, accept: Accept): Promise<void> {
  for (let run = Math.ceil(smallest().input.length / 2); run >= 1; run = Math.floor(run / 2)) {
    for (let at = smallest().input.length - run; at >= 0; at -= run) {
      const { input } = smallest()
      const rest = [...input.slice(0, at), ...input.slice(at + run)]
      if (rest.length < input.length) await accept({ ...unrecorded(smallest()), input: rest })
    }
  }
}

/** Tries one candidate after the other; after one is taken, the candidates of what it made. */
async function tryAll(candidates: () => Unrecorded[], accept: Accept): Promise<void> {
  for (let i = 0, all = candidates(); i < all.length;) {
    if (await accept(all[i]!)) all = candidates()
    else i++
  }
}

const idsOf = (step: Raw): Json[] => [
  step['id'] ?? null,
  ...[...((step['branches'] as Raw[] | undefined) ?? []), ...(step['default'] ? [step['default'] as Raw] : [])].map(
    (branch) => branch['id'] ?? null,
  ),
]

const withoutSteps = (scenario: Scenario): Unrecorded[] =>
  scenario.topology
    .map((dropped) => {
      const gone = new Set<Json>(idsOf(dropped).filter((id) => id !== null))
      const topology = scenario.topology.filter((step) => {
        const isGone = step === dropped || gone.has(step['on'] ?? null) || gone.has(step['other'] ?? null)
        if (isGone) for (const id of idsOf(step)) if (id !== null) gone.add(id)
        return !isGone
      })
      return { ...unrecorded(scenario), topology }
    })
    .reverse()

/** What builds on a step builds on its receiver instead. */
const withBypass = (scenario: Scenario): Unrecorded[] =>
  scenario.topology
    .filter((step) => typeof step['on'] === 'string' && typeof step['id'] === 'string')
    .map((bypassed) => {
      const redirect = (id: Json | undefined): Json => (id === bypassed['id'] ? bypassed['on']! : (id ?? null))
      const topology = scenario.topology
        .filter((step) => step !== bypassed)
        .map((step) => ({
          ...step,
          ...(step['on'] === undefined ? {} : { on: redirect(step['on']) }),
          ...(step['other'] === undefined ? {} : { other: redirect(step['other']) }),
        }))
      return { ...unrecorded(scenario), topology }
    })

/** Fields that make a step what it is; without them it would only be refused. */
const essential = new Set(['id', 'op', 'on', 'other', 'topics', 'topic', 'type', 'format'])

function withoutOptions(scenario: Scenario): Unrecorded[] {
  const { config = {}, topology, input } = scenario
  const base = unrecorded(scenario)
  return [
    ...without(config).map((smaller) => ({ ...base, config: smaller })),
    ...topology.flatMap((step, i) =>
      without(step).map((smaller) => ({ ...base, topology: topology.with(i, smaller) })),
    ),
    ...input.flatMap((stimulus, i) => {
      if (stimulus['headers'] === undefined) return []
      const { headers: _, ...plain } = stimulus
      return [{ ...base, input: input.with(i, plain) }]
    }),
  ]
}

/** The object without one of its fields, at any depth. */
function without(object: Raw): Raw[] {
  return Object.entries(object).flatMap(([field, value]) => {
    const { [field]: _, ...rest } = object
    const dropped = essential.has(field) ? [] : [rest]
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value) ? without(value as Raw) : []
    return [...dropped, ...inner.map((smaller) => ({ ...object, [field]: smaller }))]
  })
}

function withoutUnusedTopics(scenario: Scenario): Scenario {
  const named = JSON.stringify([scenario.topology, scenario.input])
  const topics = Object.entries(scenario.topics ?? {}).filter(([topic]) => named.includes(`"${topic}"`))
  const isPattern = named.includes('"pattern"')
  return isPattern ? scenario : { ...scenario, topics: Object.fromEntries(topics) }
}
