import type { Draft } from './draft.ts'
import { chooseProcessor, type ChosenProcessor } from './processors.ts'
import { kept, rekeyed } from './repartitions.ts'
import type { StreamStep } from './stream-steps.ts'

export const process: StreamStep = (draft, on) => {
  const chosen = chooseProcessor(draft, on.key, on.value, true)
  const id = draft.step('process', {
    on: on.id,
    processor: chosen.processor,
    ...connected(draft, chosen),
    ...draft.named('process'),
  })
  const { key, value } = chosen
  // J5 sees a `process` below a key changer as one more step that keeps the key.
  const where = on.isRekeyed ? kept(on, id) : rekeyed
  draft.addStream({ ...on, id, key, value, isKeySerdeKnown: false, isValueSerdeKnown: false, ...where }, on)
  return true
}

export const processValues: StreamStep = (draft, on) => {
  const chosen = chooseProcessor(draft, on.key, on.value, false)
  const id = draft.step('processValues', {
    on: on.id,
    processor: chosen.processor,
    ...connected(draft, chosen),
    ...draft.named('values'),
  })
  draft.addStream({ ...on, id, value: chosen.value, isValueSerdeKnown: false, ...kept(on, id) }, on)
  return true
}

/** The store either comes with the supplier or is added before and connected by name. */
function connected(draft: Draft, { store }: ChosenProcessor) {
  if (store === undefined) return {}
  if (draft.random.chance(0.5)) return { ownStores: [store] }
  draft.endStep('addStateStore', { store })
  return { stores: [store['name']!] }
}
