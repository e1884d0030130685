import type { Raw } from '../runner/format.ts'
import { type Draft, present, type StreamHandle } from './draft.ts'
import { materialized, optional, serdesOf } from './options.ts'
import { claimRepartition, kept, rekeyed, repartitioned } from './repartitions.ts'
import * as functions from './typed-functions.ts'
import { isSameType } from './types.ts'

/** Adds a step to a stream; false: this one does not fit, nothing was added. */
export type StreamStep = (draft: Draft, on: StreamHandle) => boolean

export const filter: StreamStep = (draft, on) => {
  const op = draft.random.pick(['filter', 'filterNot'])
  const predicate = functions.predicate(draft.random, on.key, on.value)
  const id = draft.step(op, { on: on.id, predicate, ...draft.named(op) })
  draft.addStream({ ...on, id, ...kept(on, id) }, on)
  return true
}

export const mapValues: StreamStep = (draft, on) => {
  const { name, type } = functions.valueMapper(draft.random, on.key, on.value)
  const id = draft.step('mapValues', { on: on.id, mapper: name, ...draft.named('map') })
  draft.addStream({ ...on, id, value: type, isValueSerdeKnown: false, ...kept(on, id) }, on)
  return true
}

export const flatMapValues: StreamStep = (draft, on) => {
  const { name, type } = functions.flatValueMapper(draft.random, on.value)
  const id = draft.step('flatMapValues', { on: on.id, mapper: name, ...draft.named('flat') })
  draft.addStream({ ...on, id, value: type, isValueSerdeKnown: false, ...kept(on, id) }, on)
  return true
}

export const selectKey: StreamStep = (draft, on) => {
  const { name, type } = functions.selector(draft.random, on.key, on.value)
  const id = draft.step('selectKey', { on: on.id, selector: name, ...draft.named('key') })
  draft.addStream({ ...on, id, key: type, isKeySerdeKnown: false, ...rekeyed }, on)
  return true
}

export const map: StreamStep = (draft, on) => {
  const op = draft.random.pick(['map', 'flatMap'])
  const choose = op === 'map' ? functions.pairMapper : functions.flatPairMapper
  const { name, key, value } = choose(draft.random, on.key, on.value)
  const id = draft.step(op, { on: on.id, mapper: name, ...draft.named(op) })
  draft.addStream({ ...on, id, key, value, isKeySerdeKnown: false, isValueSerdeKnown: false, ...rekeyed }, on)
  return true
}

export const peek: StreamStep = (draft, on) => {
  const id = draft.step('peek', { on: on.id, ...draft.named('peek') })
  draft.addStream({ ...on, id, ...kept(on, id) }, on)
  return true
}

export const foreach: StreamStep = (draft, on) => {
  draft.step('foreach', { on: on.id, ...draft.named('each') })
  draft.loose.delete(on)
  return true
}

export const split: StreamStep = (draft, on) => {
  const { random } = draft
  const branch = (): Raw => present({ id: draft.fresh('s'), name: draft.optionalName('branch-') })
  const branches = Array.from({ length: random.whole(1, 3) }, (): Raw => ({
    predicate: functions.predicate(random, on.key, on.value),
    ...branch(),
  }))
  const rest: Raw | undefined = random.maybe(0.6, branch)
  // All branches hang below the one node of the split.
  const node = draft.fresh('split')
  draft.endStep('split', { on: on.id, branches, default: rest, ...draft.named('split') })
  for (const taken of rest === undefined ? branches : [...branches, rest]) {
    draft.addStream({ ...on, id: taken['id'] as string, ...kept(on, node) }, on)
  }
  return true
}

export const merge: StreamStep = (draft, on) => {
  const others = draft.streams.filter(
    (other) => isSameType(other.key, on.key) && other.value === on.value && (other !== on || draft.random.chance(0.3)),
  )
  if (others.length === 0) return false
  const other = draft.random.pick(others)
  const id = draft.step('merge', { on: on.id, other: other.id, ...draft.named('merge') })
  const below = [...new Set([...kept(on, id).belowKeyChangers, ...kept(other, id).belowKeyChangers])]
  draft.addStream(
    {
      ...on,
      id,
      isKeySerdeKnown: false,
      isValueSerdeKnown: false,
      isRekeyed: on.isRekeyed || other.isRekeyed,
      isKeyChanger: false,
      belowKeyChangers: below,
    },
    on,
  )
  draft.loose.delete(other)
  return true
}

export const repartition: StreamStep = (draft, on) => {
  if (!claimRepartition(draft, { ...on, isRekeyed: true })) return false
  const { random } = draft
  const options = optional(draft, {
    name: draft.optionalName('repartitioned-'),
    // Java takes the stream's value serde where none is given, but not its key serde.
    keySerde: draft.keySerde(on.key, false),
    valueSerde: draft.valueSerde(on.value, on.isValueSerdeKnown),
    partitions: random.maybe(0.1, () => 1),
  })
  const id = draft.step('repartition', { on: on.id, repartitioned: options })
  draft.addStream({ ...on, id, ...repartitioned }, on)
  return true
}

export const toTable: StreamStep = (draft, on) => {
  if (!claimRepartition(draft, on)) return false
  // A store that is asked for takes no serdes from the stream; one that is not does.
  const isInherited = draft.hasSerdes(on) && draft.random.chance(0.4)
  const result = { ...on, isKeySerdeKnown: false, isValueSerdeKnown: false, canBeVersioned: on.key === 'string' }
  const store = isInherited ? null : materialized(draft, result)
  const id = draft.step('toTable', { on: on.id, ...draft.named('table'), materialized: store?.options })
  draft.addTable(
    {
      id,
      key: on.key,
      value: on.value,
      isKeySerdeKnown: store === null ? on.isKeySerdeKnown : store.isKeySerdeGiven,
      isValueSerdeKnown: store === null ? on.isValueSerdeKnown : store.isValueSerdeGiven,
      isWindowResult: false,
      ...(store?.historyRetentionMs === undefined ? {} : { historyRetentionMs: store.historyRetentionMs }),
    },
    on,
  )
  return true
}

export const to: StreamStep = (draft, on) => {
  const { random } = draft
  const produced = optional(draft, { name: draft.optionalName('sink-'), ...serdesOf(draft, on) })
  if (random.chance(0.1) && on.value !== 'double' && on.value !== 'bytes') {
    const [even, odd] = [draft.outputTopic(on.key, on.value), draft.outputTopic(on.key, on.value)]
    draft.endStep('to', { on: on.id, topicExtractor: { type: 'byValueEven', even, odd }, produced })
  } else {
    draft.endStep('to', { on: on.id, topic: draft.outputTopic(on.key, on.value), produced })
  }
  draft.loose.delete(on)
  return true
}

/** J7: a null key in a left stream-table join with grace is a NullPointerException; so none comes there. */
export function withoutNullKeys(draft: Draft, on: StreamHandle): StreamHandle {
  const id = draft.step('filter', { on: on.id, predicate: 'keyNotNull' })
  return draft.addStream({ ...on, id, ...kept(on, id) }, on)
}
