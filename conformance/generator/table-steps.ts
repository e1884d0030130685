import type { Raw } from '../runner/format.ts'
import { type Draft, present, type StreamHandle, type TableHandle } from './draft.ts'
import { materialized, serdesFromScratch } from './options.ts'
import { rekeyed, repartitioned } from './repartitions.ts'
import * as functions from './typed-functions.ts'
import { isSameType, isWindowed, type KeyType, type Plain } from './types.ts'

/** Adds a step to a table; false: this one does not fit, nothing was added. */
export type TableStep = (draft: Draft, on: TableHandle) => boolean

/** What stays known of a table whose values changed: its history is another table's. */
const derived = ({ historyRetentionMs: _, ...table }: TableHandle): TableHandle => table

/** A versioned store takes plain string keys here: the recorder asks it for those. */
const canBeVersioned = (key: KeyType): boolean => key === 'string'

function storeOf(draft: Draft, on: TableHandle, value: Plain, probability?: number) {
  // Without a Materialized no serde is needed: such a table is computed when it is read.
  if (draft.random.chance(0.5) && probability === undefined) return null
  return materialized(
    draft,
    {
      key: on.key,
      value,
      // A store that is asked for takes no serdes from the table.
      isKeySerdeKnown: false,
      isValueSerdeKnown: false,
      canBeVersioned: canBeVersioned(on.key),
    },
    probability ?? 0.8,
  )
}

type Store = ReturnType<typeof storeOf>

const history = (store: Store) =>
  store?.historyRetentionMs === undefined ? {} : { historyRetentionMs: store.historyRetentionMs }

export const filter: TableStep = (draft, on) => {
  const op = draft.random.pick(['filter', 'filterNot'])
  const store = storeOf(draft, on, on.value)
  const predicate = functions.predicate(draft.random, on.key, on.value)
  const id = draft.step(op, { on: on.id, predicate, ...draft.named(op), materialized: store?.options })
  draft.addTable(
    {
      ...derived(on),
      id,
      isKeySerdeKnown: on.isKeySerdeKnown || store?.isKeySerdeGiven === true,
      isValueSerdeKnown: on.isValueSerdeKnown || store?.isValueSerdeGiven === true,
      ...history(store),
    },
    on,
  )
  return true
}

export const mapValues: TableStep = (draft, on) => {
  const { name, type } = functions.valueMapper(draft.random, on.key, on.value)
  const store = storeOf(draft, on, type)
  const id = draft.step('mapValues', { on: on.id, mapper: name, ...draft.named('map'), materialized: store?.options })
  draft.addTable(mapped(on, id, type, store), on)
  return true
}

function mapped(on: TableHandle, id: string, value: Plain, store: Store): TableHandle {
  return {
    ...derived(on),
    id,
    value,
    isKeySerdeKnown: on.isKeySerdeKnown || store?.isKeySerdeGiven === true,
    isValueSerdeKnown: store?.isValueSerdeGiven === true,
    ...history(store),
  }
}

export const transformValues: TableStep = (draft, on) => {
  const { random } = draft
  if (random.chance(0.5) || isWindowed(on.key) || (on.value !== 'string' && on.value !== 'long')) {
    const { name, type } = functions.valueMapper(random, on.key, on.value)
    const store = storeOf(draft, on, type)
    const transformer = { type: 'mapper', mapper: name }
    const id = draft.step('transformValues', {
      on: on.id,
      transformer,
      ...draft.named('transform'),
      materialized: store?.options,
    })
    draft.addTable(mapped(on, id, type, store), on)
    return true
  }
  // J3: Java ignores the supplier's own stores, so the store is a connected one; and reading through a transformer with a
  // store fails unless its result is in a store, so it has one, with a name.
  const calls = draft.fresh('calls-')
  draft.endStep('addStateStore', {
    store: present({
      type: 'keyValue',
      name: calls,
      keySerde: on.key,
      valueSerde: 'long',
      persistent: random.maybe(0.3, () => random.chance(0.5)),
      caching: random.maybe(0.2, () => true),
    }),
  })
  const options = present({
    name: draft.fresh('transformed-'),
    keySerde: draft.keySerde(on.key, false) ?? on.key,
    valueSerde: 'string',
    caching: random.maybe(0.4, () => random.chance(0.5)),
  })
  const id = draft.step('transformValues', {
    on: on.id,
    transformer: { type: 'countCalls', store: calls },
    stores: [calls],
    ...draft.named('transform'),
    materialized: options,
  })
  draft.addTable({ ...derived(on), id, value: 'string', isKeySerdeKnown: true, isValueSerdeKnown: true }, on)
  return true
}

export const toStream: TableStep = (draft, on) => {
  const { random } = draft
  if (random.chance(0.25)) {
    const { name, type } = functions.selector(random, on.key, on.value)
    const id = draft.step('toStream', { on: on.id, selector: name, ...draft.named('stream') })
    const { isValueSerdeKnown, value } = on
    draft.addStream({ id, key: type, value, isKeySerdeKnown: false, isValueSerdeKnown, ...rekeyed }, on)
    return true
  }
  streamOf(draft, on)
  return true
}

export function streamOf(draft: Draft, on: TableHandle): StreamHandle {
  const id = draft.step('toStream', { on: on.id, ...draft.named('stream') })
  const { key, value, isKeySerdeKnown, isValueSerdeKnown } = on
  return draft.addStream({ id, key, value, isKeySerdeKnown, isValueSerdeKnown, ...repartitioned }, on)
}

export const suppress: TableStep = (draft, on) => {
  // J6: a windowed key whose serde comes from the defaults alone cannot be buffered; the others need theirs, too.
  if (!draft.hasSerdes(on)) return false
  const { random } = draft
  const isFinal = on.isWindowResult && random.chance(0.65)
  const suppressed = isFinal
    ? { type: 'untilWindowCloses', buffer: strictBuffer(draft) }
    : { type: 'untilTimeLimit', limitMs: random.chance(0.1) ? 0 : draft.span(0, 12), buffer: buffer(draft) }
  const name = draft.optionalName('suppress-')
  const id = draft.step('suppress', { on: on.id, suppressed: present({ ...suppressed, name }) })
  draft.addTable({ ...derived(on), id }, on)
  return true
}

function strictBuffer(draft: Draft): Raw | undefined {
  const { random } = draft
  const logging = random.maybe(0.2, () => false)
  if (random.chance(0.7)) return random.maybe(0.5, () => present({ logging }))
  return present({
    maxRecords: random.maybe(0.8, () => random.whole(1, 30)),
    maxBytes: random.maybe(0.4, () => random.whole(60, 3000)),
    whenFull: 'shutDown',
    logging,
  })
}

function buffer(draft: Draft): Raw | undefined {
  const { random } = draft
  return random.maybe(0.85, () => {
    const limits = {
      maxRecords: random.maybe(0.5, () => random.whole(1, 4)),
      maxBytes: random.maybe(0.3, () => random.whole(0, 500)),
    }
    const isLimited = limits.maxRecords !== undefined || limits.maxBytes !== undefined
    const whenFull = isLimited
      ? random.maybe(0.6, () => random.pick(['emitEarly', 'emitEarly', 'shutDown']))
      : undefined
    return present({ ...limits, whenFull, logging: random.maybe(0.15, () => false) })
  })
}

export const joinTable: TableStep = (draft, on) => {
  const { random } = draft
  if (on.isUnreadable === true) return false
  const other = random.pick(
    draft.tables.filter((table) => isSameType(table.key, on.key) && table.isUnreadable !== true),
  )
  const op = random.pick(['join', 'leftJoin', 'outerJoin'])
  const { name, type } = functions.joiner(random, null, on.value, other.value)
  // J10: a materialised join without serdes, given or default, fails at start only; `storeOf` gives what is missing.
  const store = storeOf(draft, on, type)
  const id = draft.step(op, {
    on: on.id,
    other: other.id,
    joiner: name,
    ...draft.named('join'),
    materialized: store?.options,
  })
  draft.addTable(
    { ...mapped(on, id, type, store), isWindowResult: on.isWindowResult && other.isWindowResult },
    on,
    other,
  )
  return true
}

export const joinForeignKey: TableStep = (draft, on) => {
  const { random } = draft
  // J10: both tables need serdes that are known or the defaults.
  const others = draft.tables.filter((table) => table.key === 'string' && draft.hasSerdes(table))
  const foreignKey = functions.foreignKey(random, on.key, on.value)
  if (others.length === 0 || foreignKey === null || !draft.hasSerdes(on) || on.isUnreadable === true) return false
  // The default extractor reads the topics of the join as well, and its wrappers are no numbers.
  if (draft.config['timestampExtractor'] === 'valueNumber') return false
  const other = random.pick(others)
  const { name, type } = functions.joiner(random, null, on.value, other.value)
  // J10, too: whoever reads the result makes Java keep it, with serdes that are given or the defaults.
  const store = storeOf(draft, on, type, 0.5)
  const joinName = draft.optionalName('fk-')
  const id = draft.step(random.pick(['join', 'leftJoin']), {
    on: on.id,
    other: other.id,
    joiner: name,
    foreignKey,
    tableJoined: joinName === undefined ? undefined : { name: joinName },
    materialized: store?.options,
  })
  draft.addTable({ ...mapped(on, id, type, store), isWindowResult: false }, on, other)
  return true
}

export const groupBy: TableStep = (draft, on) => {
  const { random } = draft
  const { name, key, value } = functions.groupSelector(random, on.key, on.value)
  const serdes = present(serdesFromScratch(draft, key, value))
  const groupName = draft.optionalName('group-')
  const hasOptions = Object.keys(serdes).length > 0 || groupName !== undefined
  const grouped = draft.step('groupBy', {
    on: on.id,
    selector: name,
    grouped: hasOptions ? present({ name: groupName, ...serdes }) : undefined,
  })
  const known = {
    isKeySerdeKnown: serdes['keySerde'] !== undefined,
    isValueSerdeKnown: serdes['valueSerde'] !== undefined,
  }
  draft.loose.delete(on)
  const op = random.pick(['count', 'reduce', 'aggregate', 'aggregate'])
  const aggregate = functions.aggregateType(random, value)
  const resultValue = op === 'count' ? 'long' : op === 'reduce' ? value : aggregate
  const isValueSerdeKnown = op === 'count' || (op === 'reduce' && known.isValueSerdeKnown)
  const store = materialized(draft, {
    key,
    value: resultValue,
    isKeySerdeKnown: known.isKeySerdeKnown,
    isValueSerdeKnown,
    canBeVersioned: canBeVersioned(key),
  })
  const aggregator = (): string => functions.aggregator(random, key, value, aggregate)
  const specific = {
    count: {},
    reduce: { adder: functions.reducer(random, value), subtractor: functions.reducer(random, value) },
    aggregate: {
      initializer: functions.initializer(random, aggregate),
      adder: aggregator(),
      subtractor: aggregator(),
    },
  }[op] as { [field: string]: string }
  const id = draft.step(op, { on: grouped, ...specific, ...draft.named(op), materialized: store.options })
  draft.addTable({
    id,
    key,
    value: resultValue,
    isKeySerdeKnown: known.isKeySerdeKnown || store.isKeySerdeGiven,
    isValueSerdeKnown: isValueSerdeKnown || store.isValueSerdeGiven,
    isWindowResult: false,
    ...history(store),
  })
  return true
}
